"""The alert about writes to the legacy database after the cut-over: somebody still uses the old application.

Belongs here: the sensor. Does not belong here: what was written (remoteiq_etl.lifecycle.cutover.watch), the words of the alert
(remoteiq_etl.lifecycle.alerts).
"""

from collections.abc import Callable, Mapping

import dagster as dg
import psycopg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import RemoteIQError
from remoteiq_etl.lifecycle.alerts import alerts
from remoteiq_etl.lifecycle.cutover.late_writes import late_writes
from remoteiq_etl.lifecycle.migration import connected
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.spec.table import TableSpec

ON_LEGACY_WRITE = "alert_on_legacy_write"
#: Seconds between two looks. One that finds the server's counters unchanged reads no table.
LOOK_EVERY = 60


def on_legacy_write(specs: Mapping[str, TableSpec], settings: Callable[[], Settings]) -> dg.SensorDefinition:
    """The sensor that tells of legacy writes after the cut-over, once for each state of them. On from the start."""

    def told(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        try:
            current = settings()
            with connected(current, specs) as migration:
                found = late_writes(migration, context.cursor or "")
        except (RemoteIQError, psycopg.Error) as error:
            return dg.SkipReason(describe(error))
        if found is None:
            return dg.SkipReason("The source is not cut over, or nothing has moved since the last look.")
        context.update_cursor(found.activity)
        if not found.tables:
            return dg.SkipReason("No legacy table was written since the cut-over.")
        lines = [str(one) for one in found.tables]
        alert = alerts.of_legacy_writes(current.source, lines, {one.table: one.newer for one in found.tables})
        context.log.warning(f"{alert.title}: {'; '.join(lines)}")
        for warning in alerts.send(current.alerts, alert):
            context.log.warning(warning)
        return dg.SkipReason(f"{alert.title}: {', '.join(lines)}")

    return dg.SensorDefinition(
        name=ON_LEGACY_WRITE,
        evaluation_fn=told,
        minimum_interval_seconds=LOOK_EVERY,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sends an alert when the legacy database is written after the cut-over: somebody still uses the old"
        " application, and the new one does not know of it.",
    )
