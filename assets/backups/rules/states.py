"""What state a backup job or a restore is in.

Belongs here: the words, and the rule that work in flight never becomes runnable. Does not belong here: rows
of any table.
"""

import pandas as pd

from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.spec.value_map import ValueMap

STATUS = ValueMap(
    "backup_jobs.status",
    {
        "success": "completed",
        "failed": "failed",
        "cancelled": "cancelled",
        # In flight: see final().
        "running": "running",
    },
)
RUNNABLE = frozenset({"pending", "running"})
"""Labels that the new application acts upon: it executes such a job within seconds of its boot."""

IN_FLIGHT = "in_flight"


def final(batch: Batch, context: Context) -> tuple[pd.Series, pd.Series]:
    """The label of each status, and which work had not finished: that becomes cancelled, its legacy status archived."""
    labels = batch.words_of("status", context.extended(STATUS))
    in_flight = labels.isin(list(RUNNABLE)).fillna(False).astype(bool)
    batch.keep(in_flight, "status", IN_FLIGHT)
    return labels.mask(in_flight, "cancelled").astype(TEXT), in_flight
