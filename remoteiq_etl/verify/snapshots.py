"""One look at both databases: a snapshot of legacy, and a session of the target with copies of what opinions ask for.

A look takes no lock and writes nothing but temporary tables. What must be believed is looked at again in a later one.
Belongs here: opening and closing it, and what was known when it was opened. Does not belong here: what is compared.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from psycopg import IsolationLevel, sql

from remoteiq_etl.backfill.context.live_columns import LiveColumn, live_columns, resolved, without_absent
from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.backfill.source.snapshot import Snapshot
from remoteiq_etl.errors import VerifyError
from remoteiq_etl.frames import derived_ids
from remoteiq_etl.postgres import row_hash
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.session_checks import refuse_hidden_rows, refuse_shared
from remoteiq_etl.spec.dependencies import in_order, legacy_columns
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.state.orders import Control
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import SourceRecord
from remoteiq_etl.verify.expected.legacy_copy import RANGE_ROWS, LegacyCopy
from schemas import target

_ENTITIES = sorted(table.name for table in target.metadata.sorted_tables)


@dataclass(frozen=True)
class VerificationContext:
    """What all looks of one verification share. `control` is a session in which verdicts are kept."""

    plan: RunPlan
    state: State
    source_record: SourceRecord
    control: Session
    range_rows: int = RANGE_ROWS

    def declared(self) -> list[str]:
        """The target tables that are filled from the source, in the order in which they are loaded."""
        return list(dict.fromkeys(spec.name for spec in in_order(self.plan.specs) if spec.no_source is None))

    @property
    def source_id(self) -> int:
        """The number of the source."""
        return self.source_record.id

    @contextlib.contextmanager
    def pair(self) -> Iterator["SnapshotPair"]:
        """A fresh look at both databases."""
        settings = row_hash.session_settings(self.source_record.hash_key)
        tables = legacy_columns(self.plan.specs)
        with contextlib.ExitStack() as stack:
            snapshot = stack.enter_context(Snapshot(self.plan.legacy.with_settings(settings), tables))
            target = self.plan.target.with_settings(settings)
            session = target.connect()
            stack.callback(session.close)
            session.connection.isolation_level = IsolationLevel.REPEATABLE_READ
            legacy = snapshot.another_session()
            stack.callback(legacy.close)
            legacy_copy = LegacyCopy(
                snapshot.session, session, absent=self.plan.absent, range_rows=self.range_rows, marked=True
            )
            yield SnapshotPair(self, target, session, snapshot, legacy, legacy_copy)


@contextlib.contextmanager
def verification_context(plan: RunPlan, range_rows: int = RANGE_ROWS) -> Iterator[VerificationContext]:
    """What a verification stands on. Raises VerifyError when the source was never migrated to this target, DriftError
    when the target hides rows.
    """
    state = State(plan.target, plan.state_schema)
    with contextlib.closing(plan.target.connect()) as control:
        refuse_shared(control)
        refuse_hidden_rows(control, plan.target.schema, plan.state_schema)
        yield VerificationContext(plan, state, _registered(control, state, plan), control, range_rows)


@dataclass
class SnapshotPair:
    """One look. It reaches what a piece of the engine on the target reaches (see TargetAccess).

    `legacy` reads legacy in the snapshot, also while the session of the snapshot itself is busy with a copy.
    """

    verification_context: VerificationContext
    target: Database
    session: Session
    snapshot: Snapshot
    legacy: Session
    legacy_copy: LegacyCopy
    #: Rows of a legacy table and how many are newer than a horizon, by both: counted once.
    counted: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict, init=False)
    _offered: Mapping[str, Any] | None = field(default=None, init=False)

    @property
    def state(self) -> State:
        """The state schema."""
        return self.verification_context.state

    @property
    def source_record(self) -> SourceRecord:
        """The source."""
        return self.verification_context.source_record

    @property
    def source_id(self) -> int:
        """The number of the source."""
        return self.source_record.id

    @cached_property
    def live(self) -> Mapping[str, Mapping[str, LiveColumn]]:
        """The tables of the target with their columns."""
        return live_columns(self.session, self.target.schema)

    def spec(self, entity: str) -> TableSpec:
        """The declaration of an asset, with the columns that both databases have."""
        declared = without_absent(self.verification_context.plan.specs[entity], self.verification_context.plan.absent)
        return resolved(declared, self.live.get(declared.name, {}))

    def has_target(self, table: str) -> bool:
        """Whether the target has this table."""
        return table in self.live

    def writers(self, table: str) -> list[TableSpec]:
        """The declarations that write rows of a target table: its own, and one for seeds."""
        return [self.spec(asset) for asset, spec in self.verification_context.plan.specs.items() if spec.name == table]

    def source(self, table: str, legacy_table: str) -> tuple[TableSpec, Source] | None:
        """The declaration and source that make rows of a target table from a legacy table; None where no table is read."""
        found = (
            (spec, source) for spec in self.writers(table) for source in spec.streamed if source.name == legacy_table
        )
        return next(found, None)

    def fence(self) -> int:
        """The fencing token of the last run of which the target shows anything."""
        return Control(self.session, self.state, self.source_id).fence()

    @contextlib.contextmanager
    def of_table(self, options: Mapping[str, Any]) -> Iterator[None]:
        """All that is asked within sees the target in one snapshot, and what opinions find is offered."""
        with self.session.transaction():
            if self._offered != options:
                self.legacy_copy.offer_maps(self.state, self.source_id, _ENTITIES)
                plan = self.verification_context.plan
                source = (plan.source, plan.organization_slug, self._organization())
                self.legacy_copy.offer_settings(source, options, plan.words)
                self.legacy_copy.offer_labels(self.target.schema)
            yield
        self._offered = options

    def plan_with(self, options: Mapping[str, Any]) -> RunPlan:
        """The plan as a run with these options had it."""
        return replace(self.verification_context.plan, options=dict(options))

    def literals(self, table: str) -> dict[str, sql.Composable]:
        """Source and table as SQL."""
        return {"source_id": sql.Literal(self.source_id), "table_name": sql.Literal(table)}

    def _organization(self) -> str:
        """The id of the one organization of the source: that in the map, else the one that would be derived."""
        plan = self.verification_context.plan
        found = self.session.value("SELECT new_key::text FROM map_organizations WHERE state = 'live' LIMIT 1")
        namespace = derived_ids.source_namespace(plan.source)
        return str(found or derived_ids.derive(namespace, "organizations", "derived", plan.organization_slug))


def _registered(control: Session, state: State, plan: RunPlan) -> SourceRecord:
    if state.exists(control):
        state.ensure(control)
        query = sql.SQL("SELECT id, name, hash_key FROM {} WHERE name = %s").format(state.name("sources"))
        for source_id, name, key in control.rows(query, [plan.source]):
            return SourceRecord(source_id, name, bytes(key))
    raise VerifyError(
        f"no run of the source {plan.source!r} was ever recorded in the schema {plan.state_schema} of the target: there is"
        " nothing to verify. Check REMOTEIQ_SOURCE and REMOTEIQ_TARGET_URL, or run remoteiq-etl run first."
    )
