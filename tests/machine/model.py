"""The reference model: what the target must hold after a run, by the rules of who wins and of what is never written twice.

It follows the legacy database as it is at the moment of a run, whichever transactions wrote it and however it is read:
how a run finds out what changed is the engine's affair, and what the machine tries. Does not belong here: what a row
becomes (see tables).
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field

from tests.machine.tables import DECISIONS, MODELLED, LeftOut, Modelled, Row, derived

Legacy = Mapping[str, Mapping[str, Row]]
"""Rows of the legacy database by table and key."""


@dataclass(frozen=True)
class Image:
    """A write of a run to a row that was there: what the row was, and what it became. `written`: what was last written."""

    run: int
    key: str
    before: Row
    after: Row
    written: Row | None
    adopted: bool = False


@dataclass
class TableState:
    """What is known of one target table. Keys are legacy keys, but for those of `target` and `images`.

    `written`: the compared columns as last written, of every row that is mapped; `ids`: the row of each that ever was;
    `inserted`: the run that inserted it; `deleted`: those that a run has found deleted in the target; `images`: the writes
    that no undo took back, oldest first.
    """

    table: Modelled
    target: dict[str, Row] = field(default_factory=dict)
    written: dict[str, Row] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    inserted: dict[str, int] = field(default_factory=dict)
    images: dict[str, list[Image]] = field(default_factory=dict)
    adopted: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    waits: dict[str, LeftOut] = field(default_factory=dict)
    conflicts: set[str] = field(default_factory=set)

    def current(self, key: str) -> Row | None:
        """The target row of a legacy key, where there is one."""
        return self.target.get(self.ids.get(key, ""))

    def written_by(self, run: int) -> list[str]:
        """The target rows that a run inserted or changed, in their order."""
        inserted = {self.ids[key] for key, made in self.inserted.items() if made == run}
        changed = {id_ for id_, images in self.images.items() if any(image.run == run for image in images)}
        return sorted(inserted | changed)

    def note_deleted(self) -> None:
        """Whatever was written and is gone was deleted in the target."""
        if self.table.notes_deleted:
            self.deleted |= {key for key in self.written if self.ids[key] not in self.target}


class Model:
    """All modelled tables, and what was decided over them."""

    def __init__(self) -> None:
        self.tables = {name: TableState(table) for name, table in MODELLED.items()}
        self.winners: dict[str, str] = {}
        self.numbers: dict[str, int] = {}
        self.legacy: Legacy = {}

    def __getitem__(self, name: str) -> TableState:
        return self.tables[name]

    @property
    def refused(self) -> set[str]:
        """Legacy keys of the rows that a constraint of the target keeps out."""
        return {
            key for state in self.tables.values() for key, why in state.waits.items() if why.rule.endswith("_violation")
        }

    def after(self, legacy: Legacy, tables: tuple[str, ...], run: int, *, take_legacy: bool = False) -> "Model":
        """What must be after a run (of this number) of these tables that reads this."""
        model = deepcopy(self)
        model.legacy = legacy
        for name in MODELLED:
            if name in tables:
                _Load(model, model[name], legacy[MODELLED[name].legacy], run, take_legacy).execute()
        return model


@dataclass
class _Load:
    """One table of one run."""

    model: Model
    state: TableState
    rows: Mapping[str, Row]
    run: int
    take_legacy: bool
    writes: dict[str, Row] = field(default_factory=dict)  # by key: the whole row as it comes in
    settled: set[str] = field(default_factory=set)  # keys without a conflict, unless the target refuses their rows

    def execute(self) -> None:
        self.state.note_deleted()
        DECISIONS.get(self.state.table.name, lambda _model: None)(self.model)
        for key, row in self.rows.items():
            incoming = self.state.table.incoming(self.model, key, row)
            if isinstance(incoming, LeftOut):
                self.state.waits[key] = incoming
            else:
                self.state.waits.pop(key, None)
                self._judge(key, incoming)
        self._refuse()
        for key, incoming in self.writes.items():
            self._write(key, incoming)
        self.state.conflicts -= self.settled - self.state.waits.keys()

    def _judge(self, key: str, incoming: Row) -> None:
        """Who wins: see "Who wins", "Deleted in the target" and "Adoption" of the mapping rules."""
        state, compared = self.state, {name: incoming[name] for name in self.state.table.columns}
        if key not in state.written:
            self._begin(key, incoming)
            return
        current, written = state.current(key), state.written[key]
        if current is None or written == compared:
            pass
        elif all(current[name] == written[name] for name in compared):
            self.writes[key] = incoming
        elif all(current[name] == compared[name] for name in compared):
            state.written[key] = compared
        elif self.take_legacy and key not in state.adopted:
            self.writes[key] = incoming
        else:
            state.conflicts.add(key)
            self._touch(key, incoming, written)
            return
        self.settled.add(key)
        if current is not None and key not in self.writes:
            self._touch(key, incoming, written)

    def _begin(self, key: str, incoming: Row) -> None:
        if (found := self._adopted(incoming)) is None:
            self.writes[key] = incoming
            return
        state = self.state
        state.ids[key], state.written[key] = found, {name: incoming[name] for name in state.table.columns}
        state.adopted.add(key)
        row = state.target[found]
        before = dict(row)
        row |= {name: incoming[name] for name in state.table.fills if row[name] in (None, "")}
        row |= self._later(row, incoming)
        self._remember(key, before, None, adopted=True)

    def _adopted(self, incoming: Row) -> str | None:
        """A target row of this address that is nobody's."""
        if not self.state.table.fills:
            return None
        ours = {self.state.ids[key] for key in self.state.written.keys() - self.state.deleted}
        unique = self.state.table.unique
        return next(
            (id_ for id_, row in self.state.target.items() if id_ not in ours and row[unique] == incoming[unique]), None
        )

    def _touch(self, key: str, incoming: Row, written: Row) -> None:
        row = self.state.target[self.state.ids[key]]
        if later := self._later(row, incoming):
            before = dict(row)
            row |= later
            self._remember(key, before, written)

    def _later(self, row: Row, incoming: Row) -> Row:
        """The activity of legacy, where it is later than that of the row."""
        activity = self.state.table.activity
        is_later = activity and incoming[activity] and (row[activity] is None or row[activity] < incoming[activity])
        return {activity: incoming[activity]} if activity and is_later else {}

    def _remember(self, key: str, before: Row, written: Row | None, *, adopted: bool = False) -> None:
        id_ = self.state.ids[key]
        image = Image(self.run, key, before, dict(self.state.target[id_]), written, adopted)
        self.state.images.setdefault(id_, []).append(image)

    def _refuse(self) -> None:
        """Quarantine what the target's constraints refuse; what such a row still holds may keep others out."""
        for key in [key for key, incoming in self.writes.items() if self._lacks_parent(key, incoming)]:
            del self.writes[key]
            self.state.waits[key] = LeftOut("quarantine", "foreign_key_violation")
        while stuck := [key for key, incoming in self.writes.items() if self._is_taken(key, incoming)]:
            for key in stuck:
                del self.writes[key]
                self.state.waits[key] = LeftOut("quarantine", "unique_violation")

    def _lacks_parent(self, key: str, incoming: Row) -> bool:
        if self.state.table.parent is None:
            return False
        column, parent = self.state.table.parent
        if column == self.state.table.key:
            return key not in self.state.written and key not in self.model[parent].target
        current = self.state.current(key)
        unchanged = current is not None and current[column] == incoming[column]
        return not unchanged and incoming[column] not in self.model[parent].target

    def _is_taken(self, key: str, incoming: Row) -> bool:
        """Whether a row that stays as it is has the value that this one wants."""
        unique = self.state.table.unique
        if unique is None:
            return False
        leaving = {self.state.ids.get(other, other) for other in self.writes}
        return any(row[unique] == incoming[unique] for id_, row in self.state.target.items() if id_ not in leaving)

    def _write(self, key: str, incoming: Row) -> None:
        state = self.state
        id_ = self._id(key)
        before = state.target.get(id_)
        row = {name: incoming[name] for name in state.table.shown if name != state.table.key} | {state.table.key: id_}
        activity = state.table.activity
        if activity and before and before[activity]:
            row[activity] = max(before[activity], incoming[activity] or before[activity])
        state.target[id_] = row
        if before is None:
            state.inserted[key] = self.run
        else:
            self._remember(key, before, state.written[key])
        state.written[key] = {name: incoming[name] for name in state.table.columns}

    def _id(self, key: str) -> str:
        """The id that a row has, or had before an undo; another one where that belongs to somebody else now."""
        id_ = self.state.ids.setdefault(key, key)
        if key not in self.state.written and id_ in self.state.target:
            id_ = self.state.ids[key] = derived(self.state.table.name, self.state.table.legacy, key)
        return id_
