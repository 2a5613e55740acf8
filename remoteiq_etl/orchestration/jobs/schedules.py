"""When jobs start by themselves: schedules, and a sensor that looks whether the legacy database has changed. All off at first,
but for the pruning of Dagster's own records: they grow while nobody thinks of them.

A tick that comes while the source is busy or paused does nothing, and says why: the next run reads what it would have read.
Belongs here: ticks, and whether Dagster can read a cron text. Does not belong here: which cron texts there are
(remoteiq_etl.config.schedules), the looks at the databases (remoteiq_etl.lifecycle.activity).
"""

import hashlib
from collections.abc import Callable, Mapping

import dagster as dg
import psycopg

from remoteiq_etl.config.schedules import Schedules
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError, RemoteIQError
from remoteiq_etl.lifecycle.activity import last_activity, why_not_now
from remoteiq_etl.lifecycle.migration import Migration, connected
from remoteiq_etl.orchestration.jobs.jobs import DELETES, RESYNC, SWEEP, VERIFY
from remoteiq_etl.orchestration.jobs.narrowing import checks_of, narrowed
from remoteiq_etl.orchestration.jobs.prune import PRUNE
from remoteiq_etl.orchestration.runtime.run_options import SOURCE_TAG
from remoteiq_etl.orchestration.runtime.workers import in_progress
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.spec.table import TableSpec

ON_CHANGE = "resync_on_change"
#: Seconds between two looks at the source, each of them two short sessions.
LOOK_EVERY = 30
UNCHANGED = "No legacy table was written since the last run was started."
_ABOUT: Mapping[str, str] = {
    RESYNC: "Re-syncs all tables. Every 15 minutes unless the configuration says otherwise.",
    SWEEP: "Re-syncs all tables and looks for what was missed before. Every night unless the configuration says otherwise.",
    VERIFY: "Verifies every table of which something has moved. Every night unless the configuration says otherwise.",
    DELETES: "Looks for rows that are gone from legacy. Every night unless the configuration says otherwise.",
}
_SKIPS = " A tick while a run of the source is in progress, or while it is paused, is skipped."


def with_readable_schedules(settings: Callable[[], Settings]) -> Callable[[], Settings]:
    """The same settings; what gives them raises ConfigurationError for a cron text that Dagster cannot follow."""

    def load() -> Settings:
        found = settings()
        for job in (*_ABOUT, PRUNE):
            _check_cron(job, found)
        return found

    return load


def _check_cron(job: str, settings: Settings) -> None:
    """Partitions are by cron text too, and tell their first tick: a schedule itself accepts a 31st of April."""
    text = getattr(settings.schedules, job)
    try:
        ticks = dg.TimeWindowPartitionsDefinition(
            start="2000-01-01", fmt="%Y-%m-%d", cron_schedule=text, timezone=settings.schedules.time_zone
        )
        ticks.get_first_partition_window()
    except (dg.DagsterInvalidDefinitionError, ValueError):
        # Their texts are for who writes definitions.
        raise ConfigurationError(
            f"{settings.config_file}: [schedules] {job}: {text!r} is no cron text, or its day never comes. Expected minute"
            ' (0-59), hour (0-23), day (1-31), month (1-12) and day of the week (0-6), as in "*/15 8-18 * * 1-5".'
        ) from None


def schedules(
    when: Schedules, specs: Mapping[str, TableSpec], settings: Callable[[], Settings]
) -> list[dg.ScheduleDefinition]:
    """One schedule per job that has one."""
    of_runs = [_schedule(job, about, when, Ticks(specs, settings, job)) for job, about in _ABOUT.items()]
    return [*of_runs, _prune_schedule(when)]


def on_change(specs: Mapping[str, TableSpec], settings: Callable[[], Settings]) -> dg.SensorDefinition:
    """The sensor that starts a re-sync when the legacy database has changed."""
    return dg.SensorDefinition(
        name=ON_CHANGE,
        job_name=RESYNC,
        evaluation_fn=Ticks(specs, settings, RESYNC).of_sensor,
        minimum_interval_seconds=LOOK_EVERY,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Re-syncs all tables when a legacy table was written. What a failed run left is not noticed again"
        f" before the next write: leave {RESYNC}_schedule on beside it." + _SKIPS,
    )


def _schedule(job: str, about: str, when: Schedules, ticks: "Ticks") -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{job}_schedule",
        job_name=job,
        cron_schedule=getattr(when, job),
        execution_timezone=when.time_zone,
        execution_fn=ticks.of_schedule,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=about + _SKIPS,
    )


def _prune_schedule(when: Schedules) -> dg.ScheduleDefinition:
    """It looks at no database: whether a source is busy or paused is nothing to it."""
    return dg.ScheduleDefinition(
        name=f"{PRUNE}_schedule",
        job_name=PRUNE,
        cron_schedule=when.prune,
        execution_timezone=when.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Deletes Dagster's records of old runs. Every day unless the configuration says otherwise.",
    )


class Ticks:
    """What a tick of a job does. Settings are read at each of them."""

    def __init__(self, specs: Mapping[str, TableSpec], settings: Callable[[], Settings], job: str) -> None:
        self.specs = specs
        self.settings = settings
        self.job = job

    def of_schedule(self, context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """Start a run, unless the source is busy or paused. Where that cannot be told the run says what is wrong."""
        try:
            settings = self.settings()
            with connected(settings, self.specs) as migration:
                if reason := _why_not(context.instance, migration):
                    return dg.SkipReason(reason)
                return self._request(context.instance, migration)
        except (RemoteIQError, psycopg.Error):
            return dg.RunRequest()

    def of_sensor(self, context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        """Start a run when the legacy database is not as it was at the last one that was started."""
        try:
            settings = self.settings()
            with connected(settings, self.specs) as migration:
                if reason := _why_not(context.instance, migration):
                    return dg.SkipReason(reason)
                seen = last_activity(migration.legacy)
                if seen == context.cursor:
                    return dg.SkipReason(UNCHANGED)
                request = self._request(context.instance, migration, seen)
        except (RemoteIQError, psycopg.Error) as error:
            return dg.SkipReason(describe(error))
        return dg.SensorResult(run_requests=[request], cursor=seen)

    def _request(self, instance: dg.DagsterInstance, migration: Migration, seen: str | None = None) -> dg.RunRequest:
        """`seen`: by what one run is told from another, so that a tick that is evaluated twice starts one."""
        if self.job == VERIFY:  # is in no other run's way
            return dg.RunRequest()
        source = migration.settings.source
        key = None if seen is None else f"{source}/{hashlib.sha256(seen.encode()).hexdigest()[:16]}"
        chosen = narrowed(instance, migration) if self.job == RESYNC else None
        checks = None if chosen is None else checks_of(migration.specs, chosen)
        return dg.RunRequest(key, tags={SOURCE_TAG: source}, asset_selection=chosen, asset_check_keys=checks)


def _why_not(instance: dg.DagsterInstance, migration: Migration) -> str | None:
    if runs := in_progress(instance, migration.settings.source):
        return f"Run {runs[0].run_id} of the source {migration.settings.source!r} is in progress."
    return why_not_now(migration)
