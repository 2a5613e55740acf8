"""One migration as settings describe it: both databases, started when they are the bundled ones, and an open run.

Belongs here: the way from settings to an open run. Does not belong here: the run itself (remoteiq_etl.backfill.run),
Dagster, the command line.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from psycopg import sql

from remoteiq_etl import embedded
from remoteiq_etl.backfill.database import Database, Observer
from remoteiq_etl.backfill.progress import Listener
from remoteiq_etl.backfill.run import Plan, Run, opened
from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.backfill.state import State
from remoteiq_etl.config import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle import drift
from schemas import legacy


@dataclass(frozen=True)
class Migration:
    """The two databases of one migration, reachable, and the tables that it knows."""

    settings: Settings
    legacy: Database
    target: Database
    specs: Mapping[str, TableSpec]

    @contextlib.contextmanager
    def run(
        self,
        *,
        planning: bool = False,
        listener: Listener | None = None,
        orchestrator_run_id: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Iterator[Run]:
        """An open run.

        Before anything is written it raises DriftError when the legacy database cannot be read as expected, and
        ConfigurationError when the settings extend a value map that no table has.
        """
        self._refuse_unknown_value_maps()
        with contextlib.closing(self.legacy.connect()) as session:
            drift.compare(session.connection, self.legacy.schema, legacy.metadata, "legacy").raise_if_blocking()
        plan = Plan(
            legacy=self.legacy,
            target=self.target,
            specs=self.specs,
            state_schema=self.settings.state_schema,
            source=self.settings.source,
            organization_slug=self.settings.organization_slug,
            batch_rows=self.settings.batch_rows,
            words=self.settings.values,
            options=dict(options or {}),
            orchestrator_run_id=orchestrator_run_id,
            planning=planning,
            sealing_keys=self.settings.sealing_keys,
            limits=self.settings.throttle,
        )
        with opened(plan, listener) as run:
            yield run

    def _refuse_unknown_value_maps(self) -> None:
        """A misspelt map would silently extend nothing."""
        known = {value_map.name for spec in self.specs.values() for value_map in spec.value_maps}
        if unknown := sorted(self.settings.values.keys() - known):
            raise ConfigurationError(
                f"{self.settings.config_file}: no table has the value map {', '.join(unknown)}."
                f" The value maps are: {', '.join(sorted(known))}."
            )

    def has_run(self, orchestrator_run_id: str) -> bool:
        """Whether a run of this name was recorded in the target before."""
        state = State(self.target, self.settings.state_schema)
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE orchestrator_run_id = %s)").format(state.name("runs"))
        with contextlib.closing(self.target.connect()) as session:
            return state.exists(session) and session.value(query, [orchestrator_run_id]) is True

    def observed(self, observer: Observer) -> "Migration":
        """The same migration with an observer of every statement."""
        return replace(
            self, legacy=replace(self.legacy, observer=observer), target=replace(self.target, observer=observer)
        )


@contextlib.contextmanager
def connected(settings: Settings, specs: Mapping[str, TableSpec]) -> Iterator[Migration]:
    """The migration of these settings; the bundled server runs as long as the context is open."""
    with embedded.databases(settings) as found:
        yield Migration(
            settings,
            Database(found.legacy, settings.legacy_schema, read_only=True),
            Database(found.target, settings.target_schema),
            specs,
        )
