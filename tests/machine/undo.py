"""What an undo must do, by the rules of its plan: what goes, what gets its former values back, what stays, what blocks.

Belongs here: the reference model of an undo. Does not belong here: when one happens (see undo_rules).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from remoteiq_etl.lifecycle.undo.scope import UndoScope
from tests.machine.model import Image, Model, TableState
from tests.machine.tables import Row

ORGANIZATION = "organizations"
#: Who refers to whom, in the order of the alphabet: parent, child, and the column of the child (None: the one organization).
REFERENCES = (
    ("backup_jobs", "backup_job_logs", "job_id"),
    (ORGANIZATION, "tickets", None),
    (ORGANIZATION, "users", None),
    ("users", "personal_access_tokens", "user_id"),
)


@dataclass
class Entry:
    """What is to be done with one row: `action` is delete or restore, `verdict` free, kept, absent or blocked."""

    action: str
    key: str | None
    verdict: str = "free"
    writes: list[Image] = field(default_factory=list)

    @property
    def former(self) -> Row:
        """What the row was before the first of the writes that are taken back."""
        return self.writes[0].before


@dataclass(frozen=True)
class Undo:
    """An undo of a scope, from a state of the target. `organization`: the run that inserted it."""

    model: Model
    scope: UndoScope
    organization: int

    @cached_property
    def entries(self) -> Mapping[str, Mapping[str, Entry]]:
        """By table and target row, when everything has been looked at."""
        found: dict[str, dict[str, Entry]] = {name: self._looked_at(state) for name, state in self.model.tables.items()}
        found[ORGANIZATION] = {ORGANIZATION: Entry("delete", None)} if self._has_organization() else {}
        while sum(self._hold(found, *reference) for reference in REFERENCES):
            continue
        for name, table in found.items():
            for entry in [entry for id_, entry in table.items() if self._is_blocked(found, name, id_)]:
                entry.verdict = "blocked"
        return found

    @property
    def counts(self) -> dict[str, Counter[str]]:
        """Rows by table, and by action, or verdict where they are not free."""
        counted = {
            name: Counter(entry.action if entry.verdict == "free" else entry.verdict for entry in table.values())
            for name, table in self.entries.items()
        }
        return {name: counts for name, counts in counted.items() if counts}

    @property
    def blocked(self) -> bool:
        """Whether nothing can be undone."""
        return any(counts["blocked"] for counts in self.counts.values())

    def execute(self) -> bool:
        """Let the model be as it must be afterwards. Returns whether the organization is gone."""
        for name, table in self.entries.items():
            for id_, entry in table.items():
                if entry.verdict == "free" and name != ORGANIZATION:
                    self._take_back(self.model[name], id_, entry)
        return self.counts.get(ORGANIZATION, Counter())["delete"] > 0

    # --- each row for itself ------------------------------------------------------------------------------------

    def _in_scope(self, run: int | None) -> bool:
        return self.scope.run is None or run == self.scope.run

    def _has_organization(self) -> bool:
        return self.scope.has(ORGANIZATION) and self._in_scope(self.organization)

    def _looked_at(self, state: TableState) -> dict[str, Entry]:
        if not self.scope.has(state.table.name):
            return {}
        found = {
            state.ids[key]: self._inserted(state, key)
            for key in state.written.keys() - state.adopted
            if self._in_scope(state.inserted[key])
        }
        for id_, images in state.images.items():
            writes = [image for image in images if self._in_scope(image.run)]
            if id_ not in found and writes and (self.scope.run is not None or writes[0].adopted):
                found[id_] = Entry("restore", writes[0].key, self._changed(state, id_, writes), writes)
        return found

    def _inserted(self, state: TableState, key: str) -> Entry:
        row, images = state.current(key), state.images.get(state.ids[key], [])
        if row is None:
            return Entry("delete", key, "absent")
        written = state.written[key]
        as_written = all(row[name] == written[name] for name in written)
        as_left = _same(state, row, images[-1].after) if images else as_written
        found_edited = _edited_between(state, images) or any(
            image.written is not None and any(image.before[name] != value for name, value in image.written.items())
            for image in images[:1]
        )
        edited = not as_left or (not as_written and found_edited)
        later = images and not self._in_scope(images[-1].run)
        return Entry("delete", key, "kept" if later or edited else "free")

    def _changed(self, state: TableState, id_: str, writes: list[Image]) -> str:
        row, images = state.target.get(id_), state.images[id_]
        if images[-1] is not writes[-1]:
            return "kept"
        if row is None:
            return "absent"
        return "kept" if not _same(state, row, images[-1].after) or _edited_between(state, writes) else "free"

    # --- what refers to what, and who has what ------------------------------------------------------------------

    def _hold(self, found: Mapping[str, Mapping[str, Entry]], parent: str, child: str, column: str | None) -> int:
        """Let rows stay, or block, because of rows that refer to them and stay. Returns how many."""
        free = {
            id_: entry for id_, entry in found[parent].items() if (entry.action, entry.verdict) == ("delete", "free")
        }
        held = 0
        for id_, entry in free.items():
            verdicts = {
                verdict
                for row_id, row in self.model[child].target.items()
                if (row[column] if column else ORGANIZATION) == id_
                and (verdict := self._holds(found[child].get(row_id), child, row_id, column, id_))
            }
            if verdicts:
                entry.verdict = min(verdicts)
                held += 1
        return held

    def _holds(self, entry: Entry | None, child: str, row_id: str, column: str | None, parent_id: str) -> str | None:
        if entry is None:
            ours = self.scope.run is not None and row_id in self._ours(self.model[child])
            return "kept" if ours else "blocked"
        lets_go = entry.action == "restore" and column is not None and entry.former[column] != parent_id
        return None if entry.verdict == "free" and (entry.action == "delete" or lets_go) else "kept"

    def _ours(self, state: TableState) -> set[str]:
        return {state.ids[key] for key in state.written.keys() - state.adopted - state.deleted}

    def _is_blocked(self, found: Mapping[str, Mapping[str, Entry]], name: str, id_: str) -> bool:
        """Whether what the row gets back leads to a row that is not there then, or is another's."""
        entry = found[name][id_]
        if (entry.action, entry.verdict) != ("restore", "free"):
            return False
        state, former = self.model[name], entry.former
        if state.table.parent is not None:
            column, parent = state.table.parent
            above = found[parent].get(former[column])
            goes = above is not None and (above.action, above.verdict) == ("delete", "free")
            if goes or former[column] not in self.model[parent].target:
                return True
        unique = state.table.unique
        return unique is not None and former[unique] in self._others(found[name], state, id_, unique)

    def _others(self, entries: Mapping[str, Entry], state: TableState, id_: str, column: str) -> Iterator[object]:
        """The values of a column that the other rows have afterwards."""
        for other, row in state.target.items():
            entry = entries.get(other)
            if entry is None or entry.verdict != "free":
                yield row[column]
            elif entry.action == "restore" and other != id_:
                yield entry.former[column]

    # --- afterwards ---------------------------------------------------------------------------------------------

    def _take_back(self, state: TableState, id_: str, entry: Entry) -> None:
        key = entry.writes[0].key if entry.writes else entry.key
        assert key is not None
        if entry.action == "delete":
            del state.target[id_]
        else:
            _restore(state, state.target[id_], entry)
        if entry.action == "delete" or entry.writes[0].adopted:
            for known in (state.written, state.inserted):
                known.pop(key, None)
            state.adopted.discard(key)
            state.conflicts.discard(key)
        elif entry.writes[0].written is not None:
            state.written[key] = entry.writes[0].written
        state.images[id_] = [image for image in state.images.get(id_, []) if not self._in_scope(image.run)]


def _restore(state: TableState, row: Row, entry: Entry) -> None:
    """The former values; what stands outside the comparison only where nobody has moved it since."""
    outside = _outside(state)
    idle = all(row[name] == entry.writes[-1].after[name] for name in outside)
    row |= {name: value for name, value in entry.former.items() if idle or name not in outside}


def _outside(state: TableState) -> list[str]:
    return [name for name in state.table.shown if name in (state.table.activity, "updated_at")]


def _same(state: TableState, one: Row, other: Row) -> bool:
    outside = _outside(state)
    return all(value == other[name] for name, value in one.items() if name not in outside)


def _edited_between(state: TableState, images: list[Image]) -> bool:
    """Whether a write found the row otherwise than the one before it had left it."""
    return any(not _same(state, one.after, other.before) for one, other in pairwise(images))
