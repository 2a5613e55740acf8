"""What the rules of the gate look at: both databases at one moment, and what is declared and configured.

Belongs here: opening that view. Does not belong here: any rule.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from psycopg import IsolationLevel, sql

from remoteiq_etl.backfill.context.live_columns import live_columns, resolved, without_absent
from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.config.gate import GateLimits
from remoteiq_etl.errors import GateError
from remoteiq_etl.lifecycle.drift.report import DriftReport
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import written_rows


@dataclass(frozen=True)
class GateView:
    """One look. `session` reads the target, `legacy` the legacy database; `now` is the target's clock,
    `granted_keys` what every migrated role is to have by the settings."""

    plan: RunPlan
    state: State
    source_id: int
    session: Session
    legacy: Session
    drift: DriftReport
    limits: GateLimits
    now: datetime
    granted_keys: frozenset[str] = frozenset()

    @property
    def declared(self) -> list[str]:
        """The target tables that are filled from the source, each once."""
        return sorted({spec.name for spec in self.plan.specs.values() if spec.no_source is None})

    def ask(self, statement: sql.SQL, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement about the target and our state."""
        names = {**self.state.names, "map_all": self.state.name("map_all"), "written": written_rows(self.state)}
        tables = {f"target_{name}": self.plan.target.table(name) for name in ("role_permissions", "roles")}
        return self.session.rows(
            statement.format(**names, **tables),
            {
                "source_id": self.source_id,
                "source": self.plan.source,
                "schema": self.plan.target.schema,
                **parameters,
            },
        )

    def live_specs(self) -> Mapping[str, TableSpec]:
        """The declarations with the columns that both databases have."""
        live = live_columns(self.session, self.plan.target.schema)
        declared = {name: without_absent(spec, self.plan.absent) for name, spec in self.plan.specs.items()}
        return {name: resolved(spec, live.get(spec.name, {})) for name, spec in declared.items()}


@contextlib.contextmanager
def gate_view(migration: Migration, session: Session) -> Iterator[GateView]:
    """A look at both databases, at the target in one snapshot, within a transaction of `session`.

    Raises GateError when no run of the source has begun yet.
    """
    settings, state = migration.settings, State(migration.target, migration.settings.state_schema)
    with contextlib.closing(migration.legacy.connect()) as legacy:
        drift = migration.legacy_drift()
        # What blocks is for a rule to say, beside all the others.
        plan = migration.plan(replace(drift, report=DriftReport.of(drift.report.side, drift.report.schema, ())))
        legacy.connection.isolation_level = IsolationLevel.REPEATABLE_READ
        with session.transaction(), legacy.transaction():
            session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            if not state.exists(session) or (source_id := store.source_of(session, state, settings.source)) is None:
                raise GateError(
                    f"No run of the source {settings.source} has begun yet in this target: there is nothing to approve."
                    " remoteiq-etl run brings the first rows."
                )
            now = datetime.fromisoformat(str(session.value("SELECT now()::text"))).astimezone(UTC)
            yield GateView(
                plan,
                state,
                source_id,
                session,
                legacy,
                drift.report,
                settings.gate,
                now,
                frozenset(settings.application.granted_keys),
            )
