"""The alert about a run that could not say itself that it failed: a killed worker, one that never started.

Every other alert is sent by the run (see migration), so that it is sent from the command line too.
"""

from collections.abc import Callable, Mapping

import dagster as dg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle.alerts import alerts
from remoteiq_etl.orchestration.runtime.run_options import SOURCE_TAG, STARTED_BY_TAG

ON_LOST_RUN = "alert_on_lost_run"
#: How Dagster says why a run failed. By a failed step: the run lived to tell it. By a signal: it may be Ctrl-C.
_REASON_TAG = "dagster/failure_reason"
_STEP, _SIGNAL = "STEP_FAILURE", "UNEXPECTED_TERMINATION"


def is_told(tags: Mapping[str, str]) -> bool:
    """Whether somebody knows of a failed run already: it said so, or who typed the command ended it."""
    reason = tags.get(_REASON_TAG)
    return reason == _STEP or (reason == _SIGNAL and STARTED_BY_TAG in tags)


def on_lost_run(settings: Callable[[], Settings]) -> dg.SensorDefinition:
    """The sensor that tells of runs which ended without a word. On from the start: an alarm is not to be forgotten."""

    @dg.run_failure_sensor(
        name=ON_LOST_RUN,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends an alert about a run that ended without a word: its process was killed, or never started.",
    )
    def told(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        if is_told(run.tags):
            return dg.SkipReason("The run, or its command line, has told it itself.")
        try:
            current = settings()
        except ConfigurationError as error:
            return dg.SkipReason(f"Nobody can be told: {error}")
        text = context.failure_event.message or "The run failed."
        source = run.tags.get(SOURCE_TAG, current.source)
        for warning in alerts.send(current.alerts, alerts.of_lost_run(source, text, run.run_id)):
            context.log.warning(warning)
        return None

    return told
