"""The times of legacy jobs: which of them stands in for another.

Belongs here: the substitutes, and reading what a job itself does not hold. Does not belong here: rows of any table.
"""

from typing import NamedTuple

import pandas as pd
from sqlalchemy import String, cast, select

from remoteiq_etl.backfill import times
from remoteiq_etl.backfill.batch import Batch
from remoteiq_etl.backfill.frames import TEXT
from schemas import legacy

AGENTS = select(
    cast(legacy.agents.c.id, String).label("id"),
    legacy.agents.c.agent_uuid,
    legacy.agents.c.created_at,
)
"""The agents: a job without any time takes that of its agent."""

OF_JOB = ("created_at", "dispatched_at", "started_at", "finished_at")


class JobTimes(NamedTuple):
    """The times of each job as they are carried."""

    created: pd.Series
    started: pd.Series
    finished: pd.Series
    updated: pd.Series


def of_jobs(batch: Batch, agents: pd.DataFrame) -> JobTimes:
    """The times of jobs: created at the earliest that is known, else when its agent was; updated at the latest."""
    created, dispatched, started, finished = (batch[name] for name in OF_JOB)
    known = agents.set_index("id")["created_at"].reindex(batch["agent_id"].astype(TEXT)).reset_index(drop=True)
    made = times.filled(batch, created, "created_at", times.earliest(dispatched, started, finished), known)
    return JobTimes(
        created=made,
        started=times.first_of(started, dispatched),
        finished=finished,
        updated=times.latest(made, dispatched, started, finished),
    )
