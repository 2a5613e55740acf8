"""The alert about a run that could not say itself that it failed: a killed worker, one that never started.

Every other alert is sent by the run (see migration), so that it is sent from the command line too.
"""

from collections.abc import Callable

import dagster as dg

from remoteiq_etl.config import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle import alerts
from remoteiq_etl.orchestration.choices import SOURCE_TAG

ON_LOST_RUN = "alert_on_lost_run"
#: How Dagster names, in a tag, the failure of a step: the run lived to tell it. The other is a signal, as of Ctrl-C.
_TOLD = frozenset({"STEP_FAILURE", "UNEXPECTED_TERMINATION"})
_REASON_TAG = "dagster/failure_reason"


def on_lost_run(settings: Callable[[], Settings]) -> dg.SensorDefinition:
    """The sensor that tells of runs which ended without a word. On from the start: an alarm is not to be forgotten."""

    @dg.run_failure_sensor(
        name=ON_LOST_RUN,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends an alert about a run that ended without a word: its process was killed, or never started.",
    )
    def told(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        run = context.dagster_run
        if run.tags.get(_REASON_TAG) in _TOLD:
            return dg.SkipReason("The run has told it itself.")
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
