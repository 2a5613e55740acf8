"""One migration as settings describe it: both databases, started when they are the bundled ones, and an open run.

Belongs here: the way from settings to an open run. Does not belong here: the run itself (remoteiq_etl.backfill.run),
Dagster, the command line.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from remoteiq_etl.backfill.context.plan import Mode, RunPlan
from remoteiq_etl.backfill.context.progress import Listener, Silent
from remoteiq_etl.backfill.run import Run, open_run
from remoteiq_etl.bundled_server import databases
from remoteiq_etl.config.conflicts import ConflictPolicies
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.config.urls import redact_url
from remoteiq_etl.errors import ConfigurationError, ConnectionFailed, RemoteIQError, RunBlocked, StateVersionError
from remoteiq_etl.lifecycle import configured_names
from remoteiq_etl.lifecycle.drift.acceptance import remember, remembered
from remoteiq_etl.lifecycle.drift.checkup import examine_legacy, examine_target
from remoteiq_etl.lifecycle.drift.findings import CheckFinding, CheckStatus, Checkup
from remoteiq_etl.lifecycle.drift.impact import LegacyDrift, examine
from remoteiq_etl.lifecycle.drift.report import DriftReport
from remoteiq_etl.lifecycle.interventions import Interventions
from remoteiq_etl.lifecycle.stages import moves, store
from remoteiq_etl.lifecycle.target.steps import staged
from remoteiq_etl.lifecycle.undo.retention import prune
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.errors.failures import DATABASE_ERRORS, brief, fault_of
from remoteiq_etl.postgres.session_checks import refuse_shared
from remoteiq_etl.spec.run_options import ROLE_GRANTS
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state import cutovers
from remoteiq_etl.state.cutovers import Phase
from remoteiq_etl.state.schema import State


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
        accept_drift: Collection[str] = (),
        mode: Mode = Mode.INCREMENTAL,
        interventions: Interventions | None = None,
        claimed: bool = False,
    ) -> Iterator[Run]:
        """An open run.

        Before anything is written it raises DriftError when the legacy database cannot be read as expected or has what no
        rule reads and nobody accepted, and ConfigurationError when settings or interventions name what no table has. What
        stops nothing is told to the listener. `accept_drift`: names to accept besides those of the settings and of earlier
        runs; a run remembers them. The stage of the source is `loading` while it is open: StageError where that does not fit,
        LockedError while a command works on the stage, unless it is the one that asks (`claimed`).
        """
        self._refuse_unknown_names()
        asked = interventions or Interventions()
        policies = self._policies(asked)
        if not planning:
            self.refuse("run", beside=claimed)
        drift = self.legacy_drift(accept_drift)
        drift.report.raise_if_blocking()
        listener = listener or Silent()
        for text in drift.warnings:
            listener.warned(text)
        plan = replace(
            self.plan(drift),
            options={**self.options, **(options or {})},
            orchestrator_run_id=orchestrator_run_id,
            planning=planning,
            mode=mode,
            conflicts=policies,
            recreate={table: frozenset(keys) for table, keys in asked.recreate.items()},
            redecide=frozenset(asked.redecide),
        )
        with self._naming_the_holder(), open_run(plan, listener) as run, moves.of_run(run):
            remember(run.context, drift.accepted)
            yield run
            days = self.settings.retention.before_images_days
            if days is not None and not planning:
                prune(run.context, days)

    def plan(self, drift: LegacyDrift | None = None) -> RunPlan:
        """What the settings say about both databases, in the face of this drift (default: as it is now).

        Raises DriftError when the legacy database cannot be read as expected.
        """
        drift = drift or self.legacy_drift()
        drift.report.raise_if_blocking()
        return RunPlan(
            legacy=self.legacy,
            target=self.target,
            specs=self.specs,
            state_schema=self.settings.state_schema,
            source=self.settings.source,
            organization_slug=self.settings.organization_slug,
            batch_rows=self.settings.batch_rows,
            words=self.settings.values,
            options=self.options,
            sealing_keys=self.settings.sealing_keys,
            limits=self.settings.throttle,
            blocked=drift.blocked,
            absent=drift.absent,
            extras=drift.extras,
            warnings=drift.warnings,
        )

    @property
    def options(self) -> dict[str, str]:
        """The options of a run that the settings name; of others the state remembers what an earlier run was told."""
        grants = self.settings.role_grants
        return {} if grants is None else {ROLE_GRANTS: grants}

    def refuse(self, command: str, *, beside: bool = False) -> None:
        """Raise StageError where a command does not fit the stage of the source; see `moves.refuse`."""
        moves.refuse(self.target, self.settings.state_schema, self.settings.source, command, beside=beside)

    def after_verification(self) -> None:
        """Move the stage of the source by the verdicts that are kept."""
        tables = sorted({spec.name for spec in self.specs.values() if spec.no_source is None})
        moves.after_verification(self.target, self.settings.state_schema, self.settings.source, tables)

    def _naming_the_holder(self) -> contextlib.AbstractContextManager[None]:
        return moves.naming_the_holder(self.target, self.settings.state_schema, self.settings.source)

    def _policies(self, asked: Interventions) -> ConflictPolicies:
        """Who wins: what the settings say, but for what is asked of this run."""
        asked.check(self.specs)
        self._refuse_fixed_decisions(asked)
        return self.settings.conflicts.overruled_by(asked.conflicts, "conflicts")

    def _refuse_fixed_decisions(self, asked: Interventions) -> None:
        """Which account, device, check or number is which does not change under rows that others refer to."""
        can = sorted(name for name, spec in self.specs.items() if spec.decide is not None and spec.decide.redecided)
        if fixed := sorted(set(asked.redecide) - set(can)):
            raise ConfigurationError(
                f"redecide: what is decided about {', '.join(fixed)} stands while the row that won is there, because other"
                f" rows and people rely on it. Decisions can be taken anew of {', '.join(can)}."
            )

    def legacy_drift(self, accept_drift: Collection[str] = ()) -> LegacyDrift:
        """What the legacy database's drift means for a run; nothing is written.

        Raises ConfigurationError where sessions of it do not stay what they are.
        """
        known = self._remembered()
        with contextlib.closing(self.legacy.connect()) as session:
            refuse_shared(session)
            return self._examined(session, accept_drift, known)

    def drift_report(self, session: Session) -> DriftReport:
        """The differences of the legacy database as a run would weigh them; a target that cannot be read remembers nothing."""
        known: frozenset[str] = frozenset()
        with contextlib.suppress(ConnectionFailed, StateVersionError, psycopg.errors.InsufficientPrivilege):
            known = self._remembered()
        return self._examined(session, (), known).report

    def checkups(self, *, trial: bool = False) -> list[Checkup]:
        """What stands in the way of a run in both databases, the legacy one first; nothing is written.

        `trial`: where nothing blocks, do what prepare does in a transaction that is taken back.
        """
        bundled = self.settings.legacy_url is None, self.settings.target_url is None
        before = examine_legacy(self.legacy, self.drift_report, bundled=bundled[0])
        place = self.target, self.settings.state_schema
        after = examine_target(*place, bundled=bundled[1], legacy_bytes=before.bytes)
        tried = self._tried() if trial and not after.blocks else ()
        return [before, replace(after, findings=(*after.findings, *tried, *self._about_settings()))]

    def _tried(self) -> Iterator[CheckFinding]:
        """Whether the target takes what prepare does to it."""
        subject = "prepare, tried and taken back"
        try:
            with staged(self.target, self.settings) as place:
                place.try_prepare()
            yield CheckFinding("target", subject, "the target takes it")
        except RemoteIQError as error:
            yield CheckFinding("target", subject, brief(error), CheckStatus.BLOCKS, "mend that, then look again")
        except DATABASE_ERRORS as error:
            yield CheckFinding("target", subject, brief(error), CheckStatus.BLOCKS, fault_of(error).advice)

    def refuse_blocked(self) -> None:
        """Raise RunBlocked with what `doctor` finds to block every table, on both sides at once; nothing is written.

        Differences of the schemas are not looked at here: a run weighs them against what was accepted.
        """
        bundled = self.settings.legacy_url is None, self.settings.target_url is None
        both = (
            examine_legacy(self.legacy, lambda _: DriftReport.of("legacy", self.legacy.schema, ()), bundled=bundled[0]),
            examine_target(self.target, self.settings.state_schema, bundled=bundled[1]),
        )
        lines = [
            f"  {one.side}, {one.subject}: {one.found}; {one.advice}"
            for checkup in both
            for one in checkup.findings
            if one.verdict is CheckStatus.BLOCKS and not one.of_tables
        ]
        if bundled[0] and all(one.subject != "rights" for one in both[0].findings):
            lines.append(
                "  legacy: the bundled database is empty. remoteiq-etl demo fills it with examples, REMOTEIQ_LEGACY_URL names a"
                " real one."
            )
        if lines:
            raise RunBlocked("\n".join(("nothing was begun: remoteiq-etl doctor shows what blocks it.", *lines)))

    @property
    def route(self) -> str:
        """Where rows come from and go to, in one line without secrets, and by which configuration file."""
        sides = ((self.settings.legacy_url, self.legacy), (self.settings.target_url, self.target))
        places = [
            f"{'the bundled server' if url is None else redact_url(database.url)} (schema {database.schema})"
            for url, database in sides
        ]
        file = self.settings.config_file
        return f"{' → '.join(places)}, source {self.settings.source}{f', as {file} says' if file else ''}"

    def _about_settings(self) -> Iterator[CheckFinding]:
        """Which configuration file is used, and what in it nothing has."""
        path = self.settings.config_file
        yield CheckFinding("target", "configuration file", str(path) if path else "none: the environment alone")
        with contextlib.suppress(ConnectionFailed):
            for problem in self.unknown_names():
                yield CheckFinding("target", "configuration file", problem, CheckStatus.BLOCKS, f"mend it in {path}")

    def _examined(self, session: Session, accept_drift: Collection[str], known: Collection[str]) -> LegacyDrift:
        accepted = {*self.settings.accept_drift, *accept_drift}
        return examine(session, self.legacy.schema, self.specs, self.settings.values, accepted, known)

    def _remembered(self) -> frozenset[str]:
        """What earlier runs accepted. Raises ConfigurationError where the schemas are called otherwise since a cut-over."""
        state = State(self.target, self.settings.state_schema)
        with contextlib.closing(self.target.connect()) as session:
            self._refuse_former_names(session, state)
            return remembered(session, state, self.settings.source)

    def _refuse_former_names(self, session: Session, state: State) -> None:
        """Under the name of the legacy schema the new application's tables are found after a cut-over within one database."""
        source_id = store.source_of(session, state, self.settings.source) if state.is_current(session) else None
        found = None if source_id is None else cutovers.last(session, state, source_id)
        if found is None or found.phase is not Phase.DONE or found.schemas is None:
            return
        legacy, target = found.schemas["legacy_after"], found.schemas["legacy"]
        if (self.legacy.schema, self.target.schema) != (legacy, target):
            raise ConfigurationError(
                f"the schemas were renamed by the {found}. Set REMOTEIQ_LEGACY_SCHEMA={legacy} and"
                f" REMOTEIQ_TARGET_SCHEMA={target}."
            )

    def unknown_names(self) -> list[str]:
        """What names of the configuration file nothing has, a sentence each."""
        return configured_names.problems(self.settings, self.specs, self._live_labels)

    def _refuse_unknown_names(self) -> None:
        if found := self.unknown_names():
            raise ConfigurationError(f"{self.settings.config_file}: {' '.join(found)}")

    def _live_labels(self, table: str, column: str) -> list[str]:
        with contextlib.closing(self.target.connect()) as session:
            return configured_names.live_labels(session, table, column)

    def has_run(self, orchestrator_run_id: str) -> bool:
        """Whether a run of this name was recorded in the target before."""
        state = State(self.target, self.settings.state_schema)
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE orchestrator_run_id = %s)").format(state.name("runs"))
        with contextlib.closing(self.target.connect()) as session:
            return state.exists(session) and session.value(query, [orchestrator_run_id]) is True


@contextlib.contextmanager
def connected(settings: Settings, specs: Mapping[str, TableSpec]) -> Iterator[Migration]:
    """The migration of these settings; the bundled server runs as long as the context is open."""
    with databases.databases(settings) as found:
        yield Migration(
            settings,
            Database(found.legacy, settings.legacy_schema, read_only=True),
            Database(found.target, settings.target_schema),
            specs,
        )
