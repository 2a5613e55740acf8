"""The times of legacy jobs: which of them stands in for another.

Belongs here: the substitutes, and reading what a job itself does not hold. Does not belong here: rows of any table.
"""

from typing import NamedTuple

import pandas as pd
from sqlalchemy import String, cast, select

from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.spec import times
from remoteiq_etl.spec.batch import Batch
from schemas import legacy

AGENTS = select(
    cast(legacy.agents.c.id, String).label("id"),
    legacy.agents.c.agent_uuid,
    legacy.agents.c.created_at,
)
"""The agents: a job without any time takes that of its agent."""

OF_JOB = ("created_at", "dispatched_at", "started_at", "finished_at")


OF_AGENT_JOB = ("created_at", "updated_at")


class JobTimes(NamedTuple):
    """The times of each job as they are carried."""

    created: pd.Series
    started: pd.Series
    finished: pd.Series
    updated: pd.Series


def of_jobs(batch: Batch, agents: pd.DataFrame) -> JobTimes:
    """The times of jobs: created at the earliest that is known, else when its agent was; updated at the latest."""
    created, dispatched, started, finished = (batch[name] for name in OF_JOB)
    known = _of_agents(batch, agents)
    made = times.filled(batch, created, "created_at", times.earliest(dispatched, started, finished), known)
    return JobTimes(
        created=made,
        started=times.first_of(started, dispatched),
        finished=finished,
        updated=times.latest(made, dispatched, started, finished),
    )


def of_agent_jobs(batch: Batch, agents: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """When older jobs were created and last changed: one time stands in for the other, else when the agent was created."""
    created, updated = (batch[name] for name in OF_AGENT_JOB)
    known = _of_agents(batch, agents)
    return (
        times.filled(batch, created, "created_at", updated, known),
        times.filled(batch, updated, "updated_at", created, known),
    )


def _of_agents(batch: Batch, agents: pd.DataFrame) -> pd.Series:
    """When the agent of each row was created."""
    return agents.set_index("id")["created_at"].reindex(batch["agent_id"].astype(TEXT)).reset_index(drop=True)
