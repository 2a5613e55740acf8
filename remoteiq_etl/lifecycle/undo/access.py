"""What an undo works with: a session on the target, the source, the declarations. The legacy database is not needed.

To execute it holds the lock of the source, with a fencing token, as a run does. Belongs here: opening that. Does not
belong here: what is undone (see judge, execute).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property

from psycopg import sql

from remoteiq_etl.backfill.context.live_columns import LiveColumn, live_columns, resolved
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import UndoError
from remoteiq_etl.lifecycle.drift.catalogue import unique_columns
from remoteiq_etl.lifecycle.stages import moves
from remoteiq_etl.postgres import row_hash
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.session_checks import refuse_hidden_rows, refuse_shared
from remoteiq_etl.sensitive.keys import SealingKeys
from remoteiq_etl.sensitive.sealing import Sealer
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.locks import check_fence, lock, take_over
from remoteiq_etl.state.maps import map_of
from remoteiq_etl.state.references import Reference, named_without_constraint, references_to
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import SourceRecord
from remoteiq_etl.state.target_access import statement_names

#: Rows of one batch: few enough that nobody waits long for a row that it locks.
BATCH_ROWS = 5_000


@dataclass(frozen=True)
class UndoTarget:
    """The target of one migration, and what is declared about its tables."""

    target: Database
    specs: Mapping[str, TableSpec]
    source: str = "default"
    state_schema: str = "remoteiq_etl"
    sealing_keys: SealingKeys | None = None
    batch_rows: int = BATCH_ROWS

    @classmethod
    def of(cls, settings: Settings, target: Database, specs: Mapping[str, TableSpec]) -> "UndoTarget":
        """The place that settings describe."""
        return cls(target, specs, settings.source, settings.state_schema, settings.sealing_keys)


@dataclass(frozen=True)
class UndoContext:
    """An open undo. `fence` is None where it only looks."""

    place: UndoTarget
    session: Session
    state: State
    source_record: SourceRecord
    fence: int | None = None

    @property
    def target(self) -> Database:
        """The target database."""
        return self.place.target

    @property
    def sealer(self) -> Sealer | None:
        """What opens sealed values; None without keys."""
        keys = self.place.sealing_keys
        return None if keys is None else Sealer(keys, self.source_record.name)

    @cached_property
    def live(self) -> Mapping[str, Mapping[str, LiveColumn]]:
        """The tables of the target with their columns."""
        return live_columns(self.session, self.target.schema)

    @cached_property
    def tables(self) -> dict[str, TableSpec]:
        """The tables that runs have written, by name, with all columns that they have; parents first."""
        mapped = [spec for spec in self.place.specs.values() if spec.no_source is None and self._is_mapped(spec)]
        by_name = {spec.name: resolved(spec, self.live[spec.name]) for spec in mapped}
        order = {name: at for at, name in enumerate(self._order())}
        return dict(sorted(by_name.items(), key=lambda item: order[item[0]]))

    @cached_property
    def referring(self) -> dict[str, list[Reference]]:
        """What refers to each of these tables: by a foreign key in whatever schema, or by name in that of the target."""
        return {
            name: [*references_to(self, spec), *named_without_constraint(self, spec)]
            for name, spec in self.tables.items()
        }

    @cached_property
    def unique(self) -> dict[str, list[tuple[str, ...]]]:
        """Of each of these tables the columns of which no two rows have the same values, besides the key."""
        found = unique_columns(self.session.connection, self.target.schema)
        return {
            name: [columns for columns in found.get(name, []) if set(columns) <= set(spec.target.columns.keys())]
            for name, spec in self.tables.items()
        }

    @cached_property
    def generated(self) -> frozenset[tuple[str, str]]:
        """The columns (table, column) that nobody can write."""
        query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s AND is_generated = 'ALWAYS'"
        return frozenset((table, column) for table, column in self.session.rows(query, [self.target.schema]))

    def spec(self, entity: str) -> TableSpec:
        """The declaration of an asset."""
        return self.place.specs[entity]

    def has_target(self, table: str) -> bool:
        """Whether the target has this table."""
        return table in self.live

    def of(self, table: str) -> dict[str, sql.Composable]:
        """What the statements about one table may name."""
        spec = self.tables[table]
        return {
            **statement_names(self, spec),
            "new_key_type": sql.SQL(str(map_of(spec).columns["new_key"].type)),
        }

    def check_fence(self) -> None:
        """Make sure that no run has taken over. Raises FencedError."""
        if self.fence is not None:
            check_fence(self.session, self.state, self.source_record, self.fence, "the undo")

    def _is_mapped(self, spec: TableSpec) -> bool:
        return self.has_target(spec.name) and self.state.has_map(self.session, spec.name)

    def _order(self) -> list[str]:
        """The names of all declared tables, each after those that it refers to."""
        some = next(iter(self.place.specs.values()))
        return [table.name for table in some.target.metadata.sorted_tables]


@contextmanager
def looking(place: UndoTarget) -> Iterator[UndoContext]:
    """An undo that only looks. Raises UndoError when the source was never migrated to this target."""
    with ExitStack() as stack:
        yield _opened(place, stack)


@contextmanager
def holding(place: UndoTarget) -> Iterator[UndoContext]:
    """An undo that holds the source: no run can begin. Raises UndoError, and LockedError while a run is in work."""
    with ExitStack() as stack:
        control = _connected(stack, place.target.connect)
        found = _opened(place, stack)
        with moves.naming_the_holder(place.target, place.state_schema, place.source):
            lock(control, found.source_record)
        fence = take_over(control, found.state, found.source_record)
        yield UndoContext(place, found.session, found.state, found.source_record, fence)


def _connected(stack: ExitStack, connect: Callable[[], Session]) -> Session:
    session = connect()
    stack.callback(session.close)
    return session


def _opened(place: UndoTarget, stack: ExitStack) -> UndoContext:
    state = State(place.target, place.state_schema)
    session = _connected(stack, place.target.connect)
    refuse_shared(session)
    refuse_hidden_rows(session, place.target.schema, place.state_schema)
    source_record = _registered(session, state, place)
    settings = row_hash.session_settings(source_record.hash_key)
    working = _connected(stack, place.target.with_settings(settings).connect)
    return UndoContext(place, working, state, source_record)


def _registered(session: Session, state: State, place: UndoTarget) -> SourceRecord:
    if state.exists(session):
        state.ensure(session)
        query = sql.SQL("SELECT id, name, hash_key FROM {} WHERE name = %s").format(state.name("sources"))
        for source_id, name, key in session.rows(query, [place.source]):
            return SourceRecord(source_id, name, bytes(key))
    raise UndoError(
        f"no run of the source {place.source!r} was ever recorded in the schema {place.state_schema} of the target: there is"
        " nothing to undo. Check REMOTEIQ_SOURCE and REMOTEIQ_TARGET_URL."
    )
