"""The times of a backup job stand in for those that its log and manifest lack.

Belongs here: reading and looking them up. Does not belong here: rows of any table.
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from remoteiq_etl.spec import times
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decided, StoredDecisions
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy

JOBS = legacy.backup_jobs.c
READS = {"jobs": select(JOBS.id, JOBS.started_at, JOBS.finished_at)}


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Nothing is decided: the times of each job are prepared."""
    return Decided(prepared={"jobs": inputs["jobs"].set_index("id")})


def stand_in(batch: Batch, context: Context) -> None:
    """created_at is when the job was started, updated_at when it finished, else when it was started."""
    job = context.prepared["jobs"].reindex(batch["job_id"])
    started, finished = (pd.Series(job[name].array) for name in ("started_at", "finished_at"))
    batch["created_at"] = times.first_of(started, finished)
    batch["updated_at"] = times.first_of(finished, started)
