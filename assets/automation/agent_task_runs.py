"""Runs of tasks: one row per task that was dispatched, started or finished, or has a result.

Known faults of the data, with their share of generated jobs: results without any time of their own (all), jobs that end without
having been started (2 %) or dispatched (1 %), results without exit code or duration (2 % each).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import select

from assets.automation.rules import job_times, states
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import to_arrow
from remoteiq_etl.spec import times
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Follow, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Nothing is decided: the agents are prepared, and the figures of each job's result."""
    return Decided(prepared={"agents": inputs["agents"], "results": inputs["results"].set_index("job_id")})


def transform_jobs(batch: Batch, context: Context) -> Batch:
    """One run per job that was begun or has a result."""
    results = context.prepared["results"].reindex(batch.keys).reset_index(drop=True)
    has_result = batch.keys.isin(list(context.prepared["results"].index))
    dispatched, started, finished = (batch[name] for name in ("dispatched_at", "started_at", "finished_at"))
    has_time = dispatched.notna() | started.notna() | finished.notna()
    when = job_times.of_jobs(batch, context.prepared["agents"])
    batch["finished_at"] = finished
    batch["started_at"] = times.first_of(started, dispatched, when.created)
    figures = zip(
        to_arrow(results["exit_code"]).to_pylist(),
        to_arrow(results["duration_ms"]).to_pylist(),
        states.timed_out(batch["status"]),
        strict=True,
    )
    batch["output"] = json_text.texts(
        _output(code, duration, bool(late), bool(has))
        for (code, duration, late), has in zip(figures, has_result, strict=True)
    )
    _run(batch, context, "jobs", has_result | has_time)
    return batch


def _output(code: int | None, duration: int | None, late: bool, has_result: bool) -> dict[str, Any] | None:
    """What is known of how a run went; nothing where there is no result and no word of a timeout."""
    if not has_result and not late:
        return None
    return json_text.without_nulls({"exitCode": code, "durationMs": duration, "timedOut": late})


def transform_agent_jobs(batch: Batch, context: Context) -> Batch:
    """One run per older job that was begun or has a result."""
    labels = context.extended(states.STATUS).apply(batch["status"])
    created, _updated = job_times.of_agent_jobs(batch, context.prepared["agents"])
    batch["finished_at"] = batch["updated_at"].mask(states.is_in_flight(labels))
    batch["started_at"] = created
    batch.carry(output="result")
    _run(batch, context, "agent_jobs", batch["result"].notna())
    return batch


def _run(batch: Batch, context: Context, table: str, has_traces: pd.Series) -> None:
    """What both tables have in common; work without traces is a run if its status says that it was begun."""
    batch.filter(~(has_traces | states.has_started(batch["status"])), "never_started")
    batch["id"] = context.derive_many("agent_task_runs", table, batch.keys)
    batch["task_id"] = batch.parent("id", context.lookup("agent_tasks", table), "agent_tasks", batch.keys)
    batch["attempt"] = 1
    batch["status"] = states.final(states.statuses(batch, context))
    batch["created_at"] = batch.columns["started_at"]


RESULTS = legacy.job_results.c

SPEC = TableSpec(
    target=target.agent_task_runs,
    grain="one row per task that was begun or has a result",
    sources=(
        Source(legacy.jobs, transform_jobs, primary=False, follows=(Follow("id", legacy.job_results, key="job_id"),)),
        Source(legacy.agent_jobs, transform_agent_jobs, primary=False),
    ),
    decide=Decide(
        reads={
            "agents": job_times.AGENTS,
            "results": select(RESULTS.job_id, RESULTS.exit_code, RESULTS.duration_ms),
        },
        function=decide,
    ),
    lookups=(("agent_tasks", "jobs"), ("agent_tasks", "agent_jobs")),
    legacy_reads=(legacy.agents, legacy.job_results),
    log_like=True,
    value_maps=(states.STATUS,),
    lineage={
        "task_id": ("jobs.id", "agent_jobs.id"),
        "status": ("jobs.status", "agent_jobs.status"),
        "started_at": (
            "jobs.started_at",
            "jobs.dispatched_at",
            "jobs.created_at",
            "agent_jobs.created_at",
            "agent_jobs.updated_at",
        ),
        "finished_at": ("agent_jobs.status", "jobs.finished_at", "agent_jobs.updated_at"),
        "created_at": (
            "jobs.started_at",
            "jobs.dispatched_at",
            "jobs.created_at",
            "agent_jobs.created_at",
            "agent_jobs.updated_at",
        ),
        "output": ("job_results.exit_code", "job_results.duration_ms", "jobs.status", "agent_jobs.result"),
    },
    rules={
        "task_id": "the task made of the same row",
        "attempt": "always 1",
        "status": "that of the task",
        "started_at": "the first of started, dispatched, created",
        "finished_at": "when the job finished; of agent_jobs when it was last changed, null when cancelled by us",
        "output": "exitCode, durationMs and timedOut; of agent_jobs the result",
        "created_at": "the same as started_at",
    },
)
