"""The run of our engine behind a Dagster run: opened by the first step that needs it, shared by all, closed last.

All steps read one snapshot, which lives in one process: the executor must be in_process. Belongs here: the resource,
and the edge at which errors become what Dagster may store: it keeps all that an exception says.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import psycopg

from remoteiq_etl.backfill.run import Run
from remoteiq_etl.config.alerts import Alerting, AlertKind
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import (
    ConfigurationError,
    ConnectionFailed,
    LockedError,
    RemoteIQError,
    SnapshotLost,
    SourcePaused,
)
from remoteiq_etl.frames.shown_text import visible
from remoteiq_etl.lifecycle.alerts import alerts
from remoteiq_etl.lifecycle.alerts.alerts import Alert
from remoteiq_etl.lifecycle.migration import Migration, connected
from remoteiq_etl.orchestration.runtime import signals, storage
from remoteiq_etl.orchestration.runtime.progress import LogProgress, attached
from remoteiq_etl.orchestration.runtime.run_options import CONFIG, KEY, SOURCE_TAG, RunOptions
from remoteiq_etl.orchestration.runtime.workers import fail_interrupted, name_process, started_by_itself
from remoteiq_etl.postgres.errors.failures import describe, follows, is_passing
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.sources import interrupted

#: What the next attempt may find mended, besides errors of the drivers.
TRANSIENT = (ConnectionFailed, SnapshotLost)
#: What is said of a step that an error of another one has ended, too.
FOLLOWS = "follows from the first error of the run"
RETRY_TAG = "dagster/retry_on_asset_or_op_failure"
#: A run that Dagster began again has it, and the tags of the one before.
RETRIED_TAG = "dagster/retry_number"
#: Why a run has nothing to do now. One that nobody started by hand is canceled then: it is no failure that somebody should see.
NOT_NOW = (LockedError, SourcePaused)
#: Under which number our own state knows the run.
RUN_TAG = "remoteiq/run"


@dataclass
class OpenMigration:
    """What the steps of one Dagster run share. `settings` and choices are read when the first step asks for the run.

    `config` and `tags` are those of the Dagster run, in which its choices stand.
    """

    specs: Mapping[str, TableSpec]
    settings: Callable[[], Settings]
    dagster_run_id: str
    config: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    progress: LogProgress = field(default_factory=lambda: LogProgress(attached()))
    #: What a step found that a person should know of; sent with the others.
    extra_alerts: list[Alert] = field(default_factory=list)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _run: Run | None = None
    _settings: Settings | None = None
    _failed: BaseException | None = None

    @contextlib.contextmanager
    def step(self, context: dg.AssetExecutionContext) -> Iterator[Run]:
        """The open run, for one step. What fails inside is recorded as the end of the run.

        Raises dg.Failure in place of every error, with a text that holds no value of any row. It is never retried: the
        next run goes on at the last committed batch, while this one's snapshot or sessions may be gone.
        """
        self.progress.starts(context.log)
        try:
            with signals.noticing():
                signals.go_on()
                yield self._opened(context)
        except GeneratorExit:
            # Dagster gave up an asset that yields: what it yielded could not be recorded.
            self._failed = self._failed or RemoteIQError(f"Dagster gave up {context.op_handle.name}.")
            raise
        except Exception as error:  # noqa: BLE001  # the edge of the process towards Dagster, which stores texts
            if (signal := signals.hidden_in(error)) is not None:
                self._failed = self._failed or signal
                raise signal from None
            raise dg.Failure(self._told(context, error), allow_retries=False) from None
        except BaseException as error:
            self._failed = self._failed or error
            raise

    def _told(self, context: dg.AssetExecutionContext, error: Exception) -> str:
        """What is said of an error of a step. The first cause of a run is named once."""
        error = storage.explained(error, context.instance.root_directory)
        if self._failed is not None and follows(error, self._failed):
            return FOLLOWS
        self._failed = self._failed or error
        if self._run is not None:
            self._run.recover()
        self._settle(context.instance, error)
        return describe(error)

    def notice_signal(self, instance: dg.DagsterInstance) -> None:
        """Let the run fail if a signal ended it between two steps, where no step of ours could see it."""
        if self._run is not None and self._failed is None:
            entries = instance.all_logs(self.dagster_run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
            if signals.is_told(entry.get_dagster_event() for entry in entries):
                self._failed = dg.DagsterExecutionInterruptedError()

    def close(self) -> None:
        """End the run as the steps went: succeeded, or failed with the first error."""
        error = self._failed if self._run is not None else None
        found = self._alerts()
        self._run = None
        try:
            self._stack.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)
        finally:
            self._announce(found)

    def _alerts(self) -> list[Alert]:
        """What a person should know of this run, as long as it is open."""
        source = self._settings.source if self._settings else Settings().source
        run_id = self._run.context.id if self._run else None
        found = alerts.of_failure(source, self._failed, run_id, self.dagster_run_id) if self._failed else []
        found += self.extra_alerts
        with contextlib.suppress(psycopg.Error):  # the target may be what failed
            found += alerts.of_waiting_rows(self._run.context) if self._run else []
        return found

    def _announce(self, found: list[Alert]) -> None:
        """Log the alerts and send them. Nothing of the run is open any more: nobody waits for a mail server."""
        alerting = self._settings.alerts if self._settings else Alerting()
        for alert in found:
            if alert.kind is not AlertKind.FAILURE:  # that one Dagster logs
                self.progress.log.warning(visible(f"{alert.title}: {'; '.join(alert.lines)}"))
            for warning in alerts.send(alerting, alert):
                self.progress.warned(warning)

    def _settle(self, instance: dg.DagsterInstance, error: Exception) -> None:
        """Tell Dagster, beyond the failure of the step, what is to become of the run."""
        retried = RETRIED_TAG in self.tags
        if isinstance(error, TRANSIENT) or is_passing(error) or (retried and isinstance(error, LockedError)):
            # The lock of a killed run goes only when the server notices.
            instance.add_run_tags(self.dagster_run_id, {RETRY_TAG: "true"})
        elif isinstance(error, NOT_NOW) and started_by_itself(self.tags):
            run = instance.get_run_by_id(self.dagster_run_id)
            if run is not None and not run.is_finished:
                instance.report_run_canceling(run, message=describe(error))
        elif retried:
            instance.add_run_tags(self.dagster_run_id, {RETRY_TAG: "false"})

    def _opened(self, context: dg.AssetExecutionContext) -> Run:
        if self._run is None:
            if self._failed is not None:
                raise self._failed  # the second of several first steps need not wait for the lock again
            self._run = self._open()
            opened = self._run.context
            tags = {RUN_TAG: str(opened.id), SOURCE_TAG: opened.source_record.name}
            context.instance.add_run_tags(self.dagster_run_id, tags)
            lost_runs = interrupted(opened.session, opened.state, opened.source_record.id)
            for lost in fail_interrupted(context.instance, lost_runs):
                self.progress.warned(
                    f"The Dagster run {lost.run_id} had ended without a word; it is marked as failed now."
                )
        return self._run

    def _open(self) -> Run:
        self._settings = self.settings()
        choices = RunOptions.read(self.config, self.tags)
        migration = self._stack.enter_context(connected(self._settings, self.specs))
        self._refuse_second_process(migration)
        opened_run = migration.run(listener=self.progress, orchestrator_run_id=self.dagster_run_id, **choices.arguments)
        return self._stack.enter_context(opened_run)

    def _refuse_second_process(self, migration: Migration) -> None:
        """Nothing but a step in another process can have opened a run for the same Dagster run."""
        if migration.has_run(self.dagster_run_id):
            raise ConfigurationError(
                f"another process has already opened a run for the Dagster run {self.dagster_run_id}, and its"
                " snapshot of the legacy database cannot be shared with this one. The steps of a job must be executed"
                " in one process: leave the executor as the definitions set it (in_process) and start again."
            )


def resource(specs: Mapping[str, TableSpec], settings: Callable[[], Settings]) -> dg.ResourceDefinition:
    """The resource that gives each Dagster run its OpenMigration, and closes it."""

    def opened(context: dg.InitResourceContext) -> Iterator[OpenMigration]:
        run_id, tags = (context.run.run_id, context.run.tags) if context.run else ("", {})
        migration = OpenMigration(specs, settings, run_id, context.resource_config, tags)
        if context.run and context.instance:
            name_process(context.instance, run_id)
        try:
            yield migration
        finally:
            if context.run and context.instance:
                migration.notice_signal(context.instance)
            _close(migration, context.instance.root_directory if context.instance else "")

    return dg.ResourceDefinition(
        opened,
        config_schema=CONFIG,
        description="One run of the engine per Dagster run: lock, snapshot and sessions on both databases.",
    )


def _close(migration: OpenMigration, home: str) -> None:
    """Dagster stores why a resource could not be closed; the same edge as in OpenMigration.step."""
    try:
        migration.close()
    except Exception as error:  # noqa: BLE001  # the edge of the process towards Dagster, which stores texts
        raise dg.Failure(describe(storage.explained(error, home)), allow_retries=False) from None


def of(context: dg.AssetExecutionContext) -> OpenMigration:
    """The open migration that a step's context carries."""
    migration: OpenMigration = getattr(context.resources, KEY)
    return migration
