"""The fall-back: what the new application has written since the cut-over goes back to the legacy tables, as a plan or in earnest.

It may be repeated until the switch is taken back, and completes what a kill has left. Belongs here: the order. Does not belong
here: a step itself, the switch and the fence (remoteiq_etl.lifecycle.cutover).
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from remoteiq_etl.backfill.source.ages import OLDEST_HORIZON
from remoteiq_etl.errors import CutOverError, RemoteIQError
from remoteiq_etl.fallback import as_written, left_behind, named_rows
from remoteiq_etl.fallback.carry import Carrier, by_table, note, own_transactions, waits_for_note
from remoteiq_etl.fallback.changes import ChangesOf
from remoteiq_etl.fallback.entries import Entries
from remoteiq_etl.fallback.model import Change, FallBack, LeftBehind, TableCounts
from remoteiq_etl.inverse.inverse import Inverse, inverses
from remoteiq_etl.inverse.views import LegacyViews
from remoteiq_etl.lifecycle.cutover import settle, watch, written
from remoteiq_etl.lifecycle.cutover.place import CutOverContext, CutOverPlace, opened
from remoteiq_etl.lifecycle.cutover.watch import Marks
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.state import cutovers
from remoteiq_etl.state.cutovers import CutOverRecord, Phase
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.snapshots import SnapshotPair, verification_context

COMMAND = "fallback"


def plan(place: CutOverPlace) -> FallBack:
    """What would go back, and what would not. Makes or renews the legacy-shaped views, and writes nothing else.

    Raises StageError where nothing is cut over, and CutOverError where nobody can tell what was written since.
    """
    with opened(place) as context, store.claim(*context.of_source, COMMAND):
        found, _ = _Attempt.of(context).survey()
        return found


def run(place: CutOverPlace) -> FallBack:
    """Carry back what can go back. May be repeated. Raises as `plan` does, and what a database says."""
    with opened(place) as context, store.claim(*context.of_source, COMMAND):
        return carry_back(context)


@dataclass(frozen=True)
class CarriedWrites:
    """What a fall-back came to, as the way back from a cut-over asks for it."""

    found: FallBack

    @property
    def rows(self) -> int:
        """Legacy rows that were written."""
        return self.found.rows

    @property
    def stays(self) -> list[str]:
        """What stays behind, by table and reason."""
        left = [*map(left_behind.as_left, self.found.conflicts), *self.found.left]
        counted = Counter((one.table, one.reason) for one in left)
        return [f"{table} ({rows:,} rows): {reason}" for (table, reason), rows in counted.items()]

    def keep(self, directory: Path) -> Path:
        """Write it to a new file."""
        path = left_behind.file_in(directory, self.found.cutover)
        return left_behind.write(self.found.conflicts, self.found.left, path)


def carry(context: CutOverContext) -> CarriedWrites:
    """Carry back within a command that has claimed the stage already."""
    return CarriedWrites(carry_back(context))


def carry_back(context: CutOverContext) -> FallBack:
    """The same, as it is told to people."""
    return _Attempt.of(context).execute()


@dataclass(frozen=True)
class _Attempt:
    """A fall-back of one cut-over. `migration`: both databases under the names that their schemas have since the switch."""

    context: CutOverContext
    record: CutOverRecord
    migration: Migration

    @classmethod
    def of(cls, context: CutOverContext) -> "_Attempt":
        store.require(*context.of_source, COMMAND)
        record = context.last
        if record is None or record.phase is not Phase.DONE or not record.marks:
            raise CutOverError("no cut-over is recorded as done, so nobody knows what was written since.")
        migration, names = context.place.migration, settle.names_of(record)
        if names is not None:
            legacy = replace(migration.legacy, schema=names.legacy_after)
            migration = replace(migration, legacy=legacy, target=replace(migration.target, schema=names.target_after))
        return cls(context, record, migration)

    # --- what is to be done -------------------------------------------------------------------------------------------

    def survey(self) -> tuple[FallBack, list[Change]]:
        """What is to go back, with the rows, by one snapshot of both databases."""
        watch.refuse_another_database(self.control, self._marks("target"))
        self._views.install()
        touched = {one.table for one in written.writes(self.control, self._marks("target"))}
        with self._pair() as pair, pair.session.transaction():
            as_written.offer(pair, self._marks("target")["horizon"])
            changes = [one for inverse in self._touched(touched) for one in self._changes(pair, inverse).found()]
            left = list(left_behind.found(pair, self._views, self._marks("target")))
        kept = [one for one in changes if one.conflict]
        counts = [TableCounts.of(table, found) for table, found in by_table(changes).items()]
        return FallBack(self.record.id, counts, kept, left), [one for one in changes if not one.conflict]

    def _touched(self, tables: set[str]) -> Iterator[Inverse]:
        """The inverses that depend on a table that was written."""
        return (one for one in inverses().values() if one.rests_on & tables)

    def _changes(self, pair: SnapshotPair, inverse: Inverse) -> ChangesOf:
        switched_at = self.record.switched_at or self.record.begun_at
        return ChangesOf(pair, self._views, inverse, self._marks("legacy")["horizon"], self._own, switched_at)

    @contextmanager
    def _pair(self) -> Iterator[SnapshotPair]:
        with verification_context(self.migration.plan()) as place, place.pair() as pair:
            yield pair

    # --- doing it -----------------------------------------------------------------------------------------------------

    def execute(self) -> FallBack:
        """Carry it, let a run take note of it, and count anew what legacy holds."""
        found, changes = self.survey()
        refused = self._carry(changes)
        late = self._take_note()
        self._mark()
        return replace(found.with_refused(refused), late=late)

    def _carry(self, changes: list[Change]) -> list[LeftBehind]:
        admin = settle.in_schema(self.context.admin, self.migration.legacy.schema)
        entries = Entries(self.control, self._views, self.migration.specs)
        carrier = Carrier(admin, entries, self.record.id, self._marks("legacy")["horizon"], set(self._own))
        refused = carrier.carry(changes)
        named_rows.follow(entries, self._marks("target")["horizon"])
        return refused

    def _take_note(self) -> str | None:
        """Let a run read what legacy has now. Returns why it could not: the next run does it then."""
        batches = (self.control, self.context.state, self.context.source_id)
        if not waits_for_note(*batches):
            return None
        try:
            with self.migration.run(claimed=True) as run:
                run.load_all()
        except RemoteIQError as error:
            return describe(error)
        note(*batches)
        return None

    def _mark(self) -> None:
        """What was carried is no write of the old application: its tables are counted from here on."""
        legacy = settle.in_schema(self.context.admin, self.migration.legacy.schema)
        marks = {**(self.record.marks or {}), "fall_back": watch.take_marks(legacy, watch.tables_of(legacy))}
        cutovers.record(self.control, self.context.state, self.record.id, Phase.DONE, marks=marks)

    # --- what it works with -------------------------------------------------------------------------------------------

    @property
    def control(self) -> Session:
        """A session on the target, in which all is recorded."""
        return settle.in_schema(self.context.control, self.migration.target.schema)

    @property
    def _views(self) -> LegacyViews:
        state = State(self.migration.target, self.context.state.schema)
        return LegacyViews(self.control, state, self.context.place.source, self.context.source_id)

    @property
    def _own(self) -> set[int]:
        return own_transactions(self.control, self.context.state, self.context.source_id, self.record.id)

    def _marks(self, side: str) -> Marks:
        """What a side was at the switch. Raises CutOverError where its age cannot be told from that of newer rows any more."""
        marks: Marks = (self.record.marks or {})[side]
        session = self.control if side == "target" else self.context.admin
        newest = int(session.value("SELECT txid_snapshot_xmax(txid_current_snapshot())"))
        if not 0 <= newest - marks["horizon"] <= OLDEST_HORIZON:
            raise CutOverError(
                f"so many transactions have passed since the switch that nobody can tell what was written in the {side} since."
            )
        return marks
