"""What a run wrote to its output: one row per legacy job_results row.

Known faults of the data: no time of its own; a job that is gone (1 of 6 edge cases) or quarantined (1 of 6).
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.automation.rules import job_times
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.spec import times
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Follow, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Nothing is decided: the time of each result is prepared, by job."""
    jobs = inputs["jobs"].set_index("id")
    agents = inputs["agents"].set_index("id")["created_at"].reindex(jobs["agent_id"].astype(TEXT)).set_axis(jobs.index)
    begun = times.earliest(jobs["dispatched_at"], jobs["started_at"])
    when = times.first_of(jobs["finished_at"], jobs["created_at"], begun, agents)
    return Decided(prepared={"created_at": when})


def transform(batch: Batch, context: Context) -> Batch:
    """One row per result, made when its job finished, else when the job was made."""
    batch["run_id"] = batch.parent("job_id", context.lookup("agent_task_runs", "jobs"), "agent_task_runs")
    batch.carry("stdout", "stderr")
    batch["created_at"] = context.prepared["created_at"].reindex(batch["job_id"])
    return batch


JOBS = legacy.jobs.c
SUBSTITUTES = ("finished_at", "created_at", "started_at", "dispatched_at")

SPEC = TableSpec(
    target=target.agent_task_results,
    grain="one row per result of a job",
    sources=(Source(legacy.job_results, transform, follows=(Follow("job_id", legacy.jobs),)),),
    decide=Decide(
        reads={
            "jobs": select(JOBS.id, JOBS.agent_id, *(JOBS[name] for name in SUBSTITUTES)),
            "agents": job_times.AGENTS,
        },
        function=decide,
    ),
    lookups=(("agent_task_runs", "jobs"),),
    legacy_reads=(legacy.jobs, legacy.agents),
    log_like=True,
    lineage={
        "run_id": ("job_results.job_id",),
        "created_at": tuple(f"jobs.{name}" for name in SUBSTITUTES),
    },
    rules={
        "run_id": "the run made of the same job",
        "artifacts": "legacy results named no artifacts",
        "created_at": "when the job finished, else when it was created, else its earliest other time, else that of its agent",
    },
)
