"""The context of an open run: what every step may know, and nothing that a step does.

Belongs here: the plan, the open sessions, the snapshot, and questions that these alone answer. Does not belong here: a step,
a write, opening and closing (see run).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from psycopg import sql

from remoteiq_etl.backfill.context.live_columns import LiveCatalogue, resolved
from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.backfill.context.progress import Listener
from remoteiq_etl.backfill.source.snapshot import Snapshot
from remoteiq_etl.postgres.arrow import ArrowSession
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.sensitive.sealing import Sealer
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.state.locks import check_fence
from remoteiq_etl.state.map_queries import unmapped
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import SourceRecord
from remoteiq_etl.state.target_access import statement_names

#: (key, before, after) of each write that a plan would make, by table, of those whose history another table records.
PlannedWrites = Mapping[str, list[tuple[str, str | None, str]]]


@dataclass(frozen=True)
class RunContext:
    """What the steps of one run share. `session` writes to the target and commits; the others only read, or fill stages."""

    plan: RunPlan
    listener: Listener
    state: State
    session: Session
    arrow: ArrowSession  # reads lookups
    reader: ArrowSession  # reads the legacy database, in the snapshot; the main thread's while a table decides, then the second's
    writer: ArrowSession  # fills staging tables; the second thread's
    legacy: Database
    target: Database
    source_record: SourceRecord
    id: int
    fence: int
    snapshot: Snapshot
    started_at: datetime
    catalogue: LiveCatalogue = field(init=False)
    sealer: Sealer | None = field(init=False)
    planned_writes: PlannedWrites = field(init=False)

    def __post_init__(self) -> None:
        keys = self.plan.sealing_keys
        steps = [spec.decide for spec in self.plan.specs.values() if spec.decide is not None]
        made: dict[str, object] = {
            "catalogue": LiveCatalogue(self.session, self.target.schema),
            "sealer": None if keys is None else Sealer(keys, self.source_record.name),
            "planned_writes": {table: [] for step in steps for table in step.history},
        }
        for name, value in made.items():
            object.__setattr__(self, name, value)

    @property
    def planning(self) -> bool:
        """Whether only to work out what would be done."""
        return self.plan.planning

    @property
    def batch_rows(self) -> int:
        """Rows of one batch at the most."""
        return self.plan.batch_rows

    @property
    def transform_context(self) -> Context:
        """What a transform may know, without lookups."""
        return Context(
            source=self.plan.source,
            organization_slug=self.plan.organization_slug,
            words=self.plan.words,
            options=self.plan.options,
        )

    def spec(self, entity: str) -> TableSpec:
        """The declaration of a target table."""
        return self.plan.specs[entity]

    def live_spec(self, entity: str) -> TableSpec:
        """The declaration of a target table with all columns that the target has."""
        return self.with_live_columns(self.spec(entity))

    def with_live_columns(self, spec: TableSpec) -> TableSpec:
        """A declaration with all columns that the target has."""
        return resolved(spec, self.catalogue.tables.get(spec.name, {}))

    def writers(self, entity: str) -> list[str]:
        """The assets that write rows of an entity: its own, and one for seeds."""
        return [asset for asset, spec in self.plan.specs.items() if spec.name == entity]

    def target_name(self, table: str) -> sql.Identifier:
        """A table of the target schema, quoted."""
        return self.target.table(table)

    def has_target(self, table: str) -> bool:
        """Whether the target has this table; in a plan it may not."""
        return table in self.catalogue.tables

    def is_first_load(self, spec: TableSpec) -> bool:
        """Whether neither the target table nor the map of this source has a row, so that there is nothing to compare."""
        return not self.planning and self.has_target(spec.name) and unmapped(self, [spec])[spec.asset]

    def time_zones(self, spec: TableSpec) -> frozenset[str]:
        """The time zones that the target knows, where a table asks for them: the server reads a thousand files for it."""
        if not spec.time_zones:
            return frozenset({"UTC"})
        return frozenset(row[0] for row in self.session.rows("SELECT name FROM pg_timezone_names"))

    def names(self, spec: TableSpec, legacy_table: str | None = None) -> dict[str, sql.Composable]:
        """What a statement of this run about one target table (and one legacy table) may name; see statement_names."""
        return {**statement_names(self, spec, legacy_table), "run_id": sql.Literal(self.id)}

    def check_fence(self) -> None:
        """Make sure, within the transaction about to commit, that no later run has taken over. Raises FencedError."""
        check_fence(self.session, self.state, self.source_record, self.fence, f"run {self.id}")
