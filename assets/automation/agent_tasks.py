"""Tasks for agents: one row per legacy job, and one per row of the older agent_jobs.

Steps: the times of each job (see job_times), its type and state (see states), then what has no column goes into the payload.
Known faults of the data, with their share of generated jobs: types and states are free text (1 % of the states in another
case, 0.5 % unknown), work still in flight (1 %), payloads that are no object (0.5 %) or missing (3 %), no created_at
(0.5 %), the agent is named twice (70 %).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from assets.automation.rules import job_times, states
from assets.shared.json_times import iso
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TEXT, to_arrow
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.dispositions import superseded
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Nothing is decided: the agents are prepared."""
    return Decided(prepared={"agents": inputs["agents"]})


def transform_jobs(batch: Batch, context: Context) -> Batch:
    """One row per job, under its own id; work in flight becomes cancelled."""
    agents = context.prepared["agents"]
    when = job_times.of_jobs(batch, agents)
    batch["id"] = context.kept_or_derived("agent_tasks", "jobs", batch.keys)
    _task(batch, context, "type", iso(batch["dispatched_at"]))
    batch["queued_at"] = when.created
    batch["started_at"] = when.started
    batch["completed_at"] = when.finished
    batch["created_at"] = when.created
    batch["updated_at"] = when.updated
    own = agents.set_index("id")["agent_uuid"].reindex(batch["agent_id"].astype(TEXT)).reset_index(drop=True)
    batch.keep(batch["agent_uuid"].ne(own).fillna(True), "agent_uuid", "superseded")
    return batch


def transform_agent_jobs(batch: Batch, context: Context) -> Batch:
    """One row per older job; it was completed when it was last changed, unless we cancelled it."""
    batch["id"] = context.derive_many("agent_tasks", "agent_jobs", batch.keys)
    created, updated = job_times.of_agent_jobs(batch, context.prepared["agents"])
    in_flight = _task(batch, context, "kind", [None] * len(batch.legacy))
    batch["queued_at"] = created
    batch["completed_at"] = batch["updated_at"].mask(in_flight)
    batch["created_at"] = created
    batch["updated_at"] = updated
    return batch


def _task(batch: Batch, context: Context, kind: str, dispatched: list[str | None]) -> pd.Series:
    """What both tables have in common. Returns which tasks were in flight."""
    labels = states.statuses(batch, context)
    batch["agent_id"] = batch.parent("agent_id", context.lookup("agents"), "agents")
    batch["type"] = states.types(batch, context, kind)
    batch["status"] = states.final(labels)
    added = zip(to_arrow(batch[kind]).to_pylist(), to_arrow(batch["status"]).to_pylist(), dispatched, strict=True)
    payloads = zip(json_text.objects(batch["payload"]), added, strict=True)
    batch["payload"] = json_text.texts(json_text.with_added(payload, _added(*values)) for payload, values in payloads)
    return states.is_in_flight(labels)


def _added(kind: str, status: str, dispatched: str | None) -> dict[str, Any]:
    return json_text.without_nulls({"legacyType": kind, "legacyStatus": status, "legacyDispatchedAt": dispatched})


SPEC = TableSpec(
    target=target.agent_tasks,
    grain="one row per job of an agent",
    sources=(Source(legacy.jobs, transform_jobs), Source(legacy.agent_jobs, transform_agent_jobs)),
    decide=Decide(reads={"agents": job_times.AGENTS}, function=decide),
    lookups=(("agents", "agents"),),
    legacy_reads=(legacy.agents,),
    value_maps=(states.TYPE, states.STATUS),
    lineage={
        "created_at": (
            "jobs.dispatched_at",
            "jobs.started_at",
            "jobs.finished_at",
            "agents.created_at",
            "agent_jobs.updated_at",
        ),
        "type": ("jobs.type", "agent_jobs.kind"),
        "payload": (
            "jobs.payload",
            "jobs.type",
            "jobs.status",
            "jobs.dispatched_at",
            "agent_jobs.payload",
            "agent_jobs.kind",
            "agent_jobs.status",
        ),
        "queued_at": (
            "jobs.dispatched_at",
            "jobs.started_at",
            "jobs.finished_at",
            "agents.created_at",
            "jobs.created_at",
            "agent_jobs.created_at",
            "agent_jobs.updated_at",
        ),
        "started_at": ("jobs.started_at", "jobs.dispatched_at"),
        "completed_at": ("agent_jobs.status", "jobs.finished_at", "agent_jobs.updated_at"),
        "updated_at": (
            *(f"jobs.{name}" for name in job_times.OF_JOB),
            "agents.created_at",
            *(f"agent_jobs.{name}" for name in job_times.OF_AGENT_JOB),
        ),
    },
    rules={
        "payload": "the legacy payload with legacyType, legacyStatus and legacyDispatchedAt",
        "status": "by the words of agent_tasks.status; work in flight becomes cancelled",
        "type": "by the words of agent_tasks.type; else update or policy where the word contains it (patch is an update), else command",
        "queued_at": "when the task was created",
        "started_at": "when the job was started, else when it was dispatched",
        "completed_at": "when the job finished; of agent_jobs when it was last changed, null when cancelled by us",
        "created_by": "nobody was recorded in legacy",
        "created_at": "unchanged; a missing time is the earliest other time, else that of the agent",
        "updated_at": "the latest time of the job; of agent_jobs unchanged, a missing time is that of its creation, else of the agent",
    },
    dispositions={
        "jobs.agent_uuid": superseded("names the agent of agent_id once more"),
    },
)
