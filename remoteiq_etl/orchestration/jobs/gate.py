"""The job `rehearse`, and the alert about a gate that was open and has closed.

Belongs here: configuration, metadata and the sensor. Does not belong here: rehearsing (remoteiq_etl.rehearsal), the rules
(remoteiq_etl.gate).
"""

from collections.abc import Callable, Mapping

import dagster as dg
import psycopg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import RemoteIQError
from remoteiq_etl.gate import gate
from remoteiq_etl.lifecycle.alerts import alerts
from remoteiq_etl.lifecycle.migration import connected
from remoteiq_etl.orchestration.metadata.materialization import Metadata
from remoteiq_etl.orchestration.runtime.progress import LogProgress, attached
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.rehearsal import certificate
from remoteiq_etl.rehearsal.certificate import Certificate, StepResult
from remoteiq_etl.rehearsal.cycle import rehearse
from remoteiq_etl.spec.table import TableSpec

REHEARSE = "rehearse"
ON_CLOSED_GATE = "alert_on_closed_gate"
#: Seconds between two looks.
LOOK_EVERY = 300
_OPEN, _CLOSED = "open", "closed"


def rehearse_job(specs: Mapping[str, TableSpec], settings: Callable[[], Settings]) -> dg.JobDefinition:
    """The job, for these declarations."""
    keep = dg.Field(bool, default_value=False, description="Leave the scratch target for a look at it.")

    @dg.op(name="rehearse_cycle", config_schema={"keep": keep}, out=dg.Out(dg.Nothing))
    def op(context: dg.OpExecutionContext) -> None:
        progress = LogProgress(attached())
        progress.starts(context.log)
        try:
            current = settings()
            with connected(current, specs) as both:
                found = rehearse(both, _Logged(context.log), progress, keep=context.op_config["keep"])
                certificate.keep(found, both)
            path = certificate.write(found, current.home / "rehearsals")
        except Exception as error:  # noqa: BLE001  # the edge of the process towards Dagster, which stores texts
            raise dg.Failure(describe(error), allow_retries=False) from None
        context.add_output_metadata({**_metadata(found), "certificate": dg.MetadataValue.path(str(path))})
        if not found.passed:
            raise dg.Failure("the rehearsal failed:\n" + "\n".join(found.failures), allow_retries=False)

    @dg.job(
        name=REHEARSE,
        description="Plays the whole migration, cut-over and way back included, on a scratch target, and keeps a certificate for"
        " the gate. The legacy database is only read.",
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        op()

    return job


class _Logged:
    """Every step as a line of Dagster's log."""

    def __init__(self, log: dg.DagsterLogManager) -> None:
        self.log = log

    def begun(self, step: str) -> None:
        """Say that it has begun."""
        self.log.info(f"{step} …")

    def ended(self, result: StepResult) -> None:
        """Say what it came to."""
        self.log.info(f"{result.step}: {result.seconds:.2f} s, {result.said}")


def _metadata(found: Certificate) -> Metadata:
    rows = [f"| {one.step} | {one.seconds:.2f} s | {one.said} |" for one in found.steps]
    window = found.window or (0.0, 0.0, 0.0)
    return {
        "verdict": dg.MetadataValue.text(found.verdict),
        "expected downtime in seconds": dg.MetadataValue.float(window[0]),
        "at most": dg.MetadataValue.float(window[2]),
        "steps": dg.MetadataValue.md("\n".join(["| step | took | what it came to |", "|---|---|---|", *rows])),
        "locks": dg.MetadataValue.json([vars(lock) for lock in found.locks]),
        "peak memory in bytes": dg.MetadataValue.int(found.memory_bytes),
    }


def on_closed_gate(specs: Mapping[str, TableSpec], settings: Callable[[], Settings]) -> dg.SensorDefinition:
    """The sensor that tells once when a gate that was open has closed. Off at first: it looks at both databases each time."""

    def told(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        try:
            current = settings()
            with connected(current, specs) as both:
                found = gate.status(both)
        except (RemoteIQError, psycopg.Error) as error:
            return dg.SkipReason(describe(error))
        before = context.cursor
        context.update_cursor(_OPEN if found.is_open else _CLOSED)
        if found.is_open or before != _OPEN:
            return dg.SkipReason("The gate is open." if found.is_open else "The gate is closed, as before.")
        alert = alerts.of_closed_gate(current.source, found.closed_by)
        for warning in alerts.send(current.alerts, alert):
            context.log.warning(warning)
        return dg.SkipReason(f"{alert.title}: {'; '.join(found.closed_by)}")

    return dg.SensorDefinition(
        name=ON_CLOSED_GATE,
        evaluation_fn=told,
        minimum_interval_seconds=LOOK_EVERY,
        description="Sends an alert when the gate of the cut-over was open and has closed: something has moved since it was"
        " approved, or the approval has ended.",
    )
