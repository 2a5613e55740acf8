"""Tasks for agents, their runs and results; automations, which have no legacy source."""

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ENUM, JSONB

from schemas.columns import (
    TIMESTAMPTZ,
    created_at,
    link,
    not_written,
    organization,
    parent,
    secret,
    time_of,
    updated_at,
    user_link,
    uuid_key,
)
from schemas.target.base import metadata

agent_task_type = ENUM("script", "policy", "update", "command", name="agent_task_type", metadata=metadata)
agent_task_status = ENUM(
    "pending", "queued", "running", "succeeded", "failed", "cancelled", name="agent_task_status", metadata=metadata
)

agent_tasks = Table(
    "agent_tasks",
    metadata,
    uuid_key(),
    parent("agent_id", "agents.id"),
    Column("type", agent_task_type, nullable=False),
    Column("payload", JSONB, nullable=False, info=secret()),
    Column("status", agent_task_status, nullable=False, server_default="pending"),
    Column("queued_at", TIMESTAMPTZ),
    Column("started_at", TIMESTAMPTZ),
    Column("completed_at", TIMESTAMPTZ),
    user_link("created_by"),
    created_at(),
    updated_at(),
    Index("idx_agent_tasks_agent_id_status", "agent_id", "status"),
)

agent_task_runs = Table(
    "agent_task_runs",
    metadata,
    uuid_key(),
    parent("task_id", "agent_tasks.id"),
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("status", agent_task_status, nullable=False),
    time_of("started_at"),
    Column("finished_at", TIMESTAMPTZ),
    Column("output", JSONB, info=secret()),
    created_at(),
    Index("idx_agent_task_runs_task_id", "task_id"),
)

agent_task_results = Table(
    "agent_task_results",
    metadata,
    parent("run_id", "agent_task_runs.id", primary_key=True),
    Column("stdout", Text, info=secret()),
    Column("stderr", Text, info=secret()),
    Column("artifacts", JSONB),
    created_at(),
)

automations = Table(
    "automations",
    metadata,
    uuid_key(),
    organization(),
    Column("name", Text, nullable=False),
    Column("type", agent_task_type, nullable=False),
    Column("description", Text),
    Column("script", Text),
    Column("configuration", JSONB, nullable=False, server_default="{}"),
    user_link("created_by"),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "name"),
    info=not_written(),
)

automation_runs = Table(
    "automation_runs",
    metadata,
    uuid_key(),
    parent("automation_id", "automations.id"),
    link("task_run_id", "agent_task_runs.id"),
    user_link("triggered_by"),
    Column("status", agent_task_status, nullable=False),
    time_of("started_at"),
    Column("finished_at", TIMESTAMPTZ),
    Column("output", JSONB),
    created_at(),
    info=not_written(),
)
