"""A batch that is compared before it is written: policies, decisions, doors, and rows that break a constraint.

Belongs here: in which order the statements of the merge and of the conflict list run, what becomes of a row that the
target refuses, and when values are parked. Does not belong here: the statements, or the account of the batch (see commit).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import psycopg
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.context.prepared import PreparedBatch
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.load import conflicts, unique_swaps
from remoteiq_etl.backfill.load.key_moves import move_keys
from remoteiq_etl.backfill.load.merge_statements import Merge
from remoteiq_etl.backfill.load.target_triggers import NotTaken, altered
from remoteiq_etl.frames import json_text, times
from remoteiq_etl.frames.derived_ids import derive
from remoteiq_etl.postgres.errors.row_errors import REFUSED, is_about_rows, reason_of, rule_of
from remoteiq_etl.sensitive.redaction import plain, redacted_json
from remoteiq_etl.spec.batch import KEY, Disposal
from remoteiq_etl.spec.outcomes import Outcome
from remoteiq_etl.spec.table import TableSpec

_NO_VALUE = "no value of the column's type in the target"

Failures = list[tuple[int, psycopg.Error | NotTaken]]


class _TakenBack(Exception):  # not an error: it takes a savepoint back
    pass


@dataclass
class PlannedMerge:
    """One batch of one table.

    `uncastable`: by row the columns whose value is none of the column's type; `may_wait`: rows that want a unique value
    which another row still has are written last; `open_conflicts`: the conflict list has entries of the table.

    Afterwards `refused` are the rows that were quarantined, `waiting` the numbers of those that wait, and `altered` says in how
    many rows a trigger of the target changed a column; `moved`: rows that have another key than before, `joined` those of them
    that now share a row which was ours before.
    """

    run: RunContext
    spec: TableSpec
    prepared: PreparedBatch
    merge: Merge
    type_errors: Mapping[int, Sequence[str]] = field(default_factory=dict)
    may_wait: bool = True
    open_conflicts: bool = False
    refused: list[Disposal] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    altered: Mapping[str, int] = field(default_factory=dict)
    moved: int = 0
    joined: int = 0

    def write(self) -> Counter[str]:
        """Write the batch within the caller's transaction; in a plan, only work out what would be done. Rows per action.

        Raises ConflictError when the policy of the table is to fail and both sides changed a row.
        """
        actions = self._planned()
        if not self.run.planning:
            session, merge = self.run.session, self.merge
            conflicts.list_before(merge, session, actions)
            self._write_all(parks=bool(actions.keys() & {"updated", "taken"}))
            if self.refused or self.waiting:
                actions = merge.actions(session)
            if actions["adopted"]:
                conflicts.list_adopted(merge, session)
            if self.open_conflicts or actions["taken"]:
                conflicts.settle(merge, session)
            merge.finish(session)
            if merge.triggers:
                self.altered = altered(merge, session)
        return Counter(
            {action: count for action, count in actions.items() if action not in ("quarantined", "deferred")}
        )

    def list_conflicts(self) -> None:
        """List the conflicts of a batch that was not written, because of the policy."""
        conflicts.list_before(self.merge, self.run.session, self.merge.classify(self.run.session))

    def _planned(self) -> Counter[str]:
        session, merge = self.run.session, self.merge
        actions = self._classified()
        for row, columns in self.type_errors.items():
            self._quarantine(row, "cast_refused", columns, "; ".join(f"{name}: {_NO_VALUE}" for name in columns))
        if actions["collision"]:
            namespace = self.run.transform_context.namespace
            keys = merge.collisions(session)
            merge.resolve_collisions(
                session, {key: derive(namespace, self.spec.name, self.prepared.legacy_table, key) for key in keys}
            )
        if self.open_conflicts:
            conflicts.carry_out(merge, session)
        if self.refused or actions["collision"] or self.open_conflicts:
            actions = merge.actions(session)
        if not actions.keys() & {"conflict kept", "move refused"}:
            return actions
        failing = conflicts.follow(merge, session, self.run.plan.conflicts.of(self.spec.asset))
        if failing and not self.run.planning:
            raise conflicts.failure(self.spec.asset, failing)
        return merge.actions(session)

    def _classified(self) -> Counter[str]:
        """What is to be done with each row, once those are moved of which legacy has changed the key."""
        session, merge = self.run.session, self.merge
        if not self.spec.moving_key:
            return merge.classify(session)
        moves = move_keys(self.run, self.spec, merge)
        actions = merge.classify(session)
        if moves.rows:
            self.moved, self.joined = len(moves.rows), moves.joined
            actions = merge.note_moved(session, moves.rows)
        for row, reason in moves.refused.items():
            self._quarantine(row, *reason)
        return actions

    # --- writing ------------------------------------------------------------------------------------------------

    def _write_all(self, *, parks: bool) -> None:
        """Write all rows but those that the target refuses. `parks`: rows that are there may get another unique value."""
        last = len(self.prepared.rows) - 1
        while (error := self._whole(last)) is not None:
            if not (held := self._kept_by_others(error)):
                break
            self._refuse([(row, error) for row in held])
        else:
            return
        if parks and unique_swaps.can_park(self.merge):
            while failures := self._parked(last):
                self._refuse(failures)
        else:
            self._refuse(self._apply(0, last))

    def _whole(self, last: int) -> psycopg.Error | NotTaken | None:
        """Write all rows at once. Returns why the target did not take them."""
        try:
            with self.run.session.transaction():
                self.merge.apply(self.run.session, 0, last)
        except NotTaken as error:
            return error
        except psycopg.Error as error:
            if not is_about_rows(error):
                raise
            return error
        return None

    def _kept_by_others(self, error: psycopg.Error | NotTaken) -> list[int]:
        """The rows that would be refused as the first one was: they want what rows have that stay as they are."""
        if not isinstance(error, psycopg.errors.UniqueViolation) or error.diag.constraint_name is None:
            return []
        return unique_swaps.kept_by_others(self.merge, self.run.session, error.diag.constraint_name)

    def _parked(self, last: int) -> Failures:
        """Write rows after all that get another unique value were parked; nothing is written if any row fails.

        A row that fails after it was parked could not have its former value back: it may be another's by then.
        """
        failures: Failures = []
        try:
            with self.run.session.transaction():
                images = self.merge.keep_images(self.run.session, 0, last)
                unique_swaps.park(self.merge, self.run.session)
                failures = self._apply(0, last, images=False)
                if failures:
                    raise _TakenBack
                self.merge.remember_left(self.run.session, images)
        except _TakenBack:
            pass
        return failures

    def _apply(self, first: int, last: int, *, images: bool = True) -> Failures:
        """Write rows first to last; those that the target refuses are found by halving, and nothing of them is written."""
        if first > last:
            return []
        try:
            with self.run.session.transaction():
                self.merge.apply(self.run.session, first, last, images=images)
        except NotTaken as error:
            return self._beside(error, first, last, images=images)
        except psycopg.Error as error:
            if not is_about_rows(error):
                raise
            if first == last:
                return [(first, error)]
            middle = (first + last) // 2
            return self._apply(first, middle, images=images) + self._apply(middle + 1, last, images=images)
        return []

    def _beside(self, error: NotTaken, first: int, last: int, *, images: bool) -> Failures:
        """Write what stands between the rows that were not taken: these are known, and need no halving."""
        failures: Failures = [(row, error) for row in error.rows]
        for before, after in pairwise([first - 1, *error.rows, last + 1]):
            failures += self._apply(before + 1, after - 1, images=images)
        return failures

    def _refuse(self, failures: Failures) -> None:
        may_wait = self.may_wait and unique_swaps.changes_hands(self.merge)
        waiting = [row for row, error in failures if may_wait and isinstance(error, psycopg.errors.UniqueViolation)]
        self._leave_out(waiting, "deferred")
        self.waiting += waiting
        kept_back = frozenset(waiting)
        refused = {row: error for row, error in failures if row not in kept_back}
        self._leave_out(list(refused), "quarantined")
        for row, error in refused.items():
            rule = rule_of(error) if isinstance(error, psycopg.Error) else REFUSED
            self._note_refused(row, rule, (), self._reason(error))

    def _reason(self, error: psycopg.Error | NotTaken) -> str:
        if isinstance(error, psycopg.Error):
            return reason_of(error, self.spec.name)
        named = ", ".join(self.merge.triggers)
        return f"kept out by a trigger or rule of {self.spec.name}" + (f": {named}" if named else "")

    def _quarantine(self, row: int, rule: str, columns: Sequence[str], detail: str) -> None:
        self._leave_out([row], "quarantined")
        self._note_refused(row, rule, columns, detail)

    def _note_refused(self, row: int, rule: str, columns: Sequence[str], detail: str) -> None:
        key = str(self.prepared.rows[KEY].iloc[row])
        self.refused.append(Disposal(key, Outcome.QUARANTINED, rule, tuple(columns), detail))

    def _leave_out(self, rows: Sequence[int], action: str) -> None:
        if rows:
            self.run.session.execute("UPDATE merge_plan SET action = %s WHERE _row = ANY (%s)", [action, list(rows)])


def remember_planned(run: RunContext, spec: TableSpec, prepared: PreparedBatch, merge: Merge | None) -> None:
    """Keep what a plan would write to a table whose history another one records."""
    writes = run.planned_writes.get(spec.name)
    if writes is None or not len(prepared.rows):
        return
    if merge is not None:
        writes += merge.planned_writes(run.session)
        return
    columns = [name for name in spec.target.columns.keys() if name in prepared.rows]  # noqa: SIM118  # names
    for key, row in zip(prepared.rows[KEY], times.records(prepared.rows[columns]), strict=True):
        writes.append((str(key), None, json_text.dumps(redacted_json(_values(spec, row)))))


def _values(spec: TableSpec, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        str(name): json_text.parse(value) if isinstance(spec.target.columns[str(name)].type, pg.JSON) else plain(value)
        for name, value in row.items()
    }
