"""Work handed to legacy agents: `jobs` with `job_results`, and the older `agent_jobs`.

Agent keys are bigint in `jobs` and integer in `agent_jobs`.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB, UUID

from schemas.columns import TIMESTAMPTZ, created_at, parent, secret, updated_at, uuid_key
from schemas.legacy.base import metadata

jobs = Table(
    "jobs",
    metadata,
    uuid_key(),
    Column("agent_id", BigInteger, ForeignKey("agents.id", ondelete="CASCADE"), nullable=False),
    Column("type", Text, nullable=False),
    Column("payload", JSONB, info=secret()),
    Column("status", Text, nullable=False),
    Column("created_at", TIMESTAMPTZ, server_default=func.now()),
    Column("dispatched_at", TIMESTAMPTZ),
    Column("started_at", TIMESTAMPTZ),
    Column("finished_at", TIMESTAMPTZ),
    Column("agent_uuid", UUID),
    Index("idx_jobs_agent_uuid", "agent_uuid"),
)

job_results = Table(
    "job_results",
    metadata,
    parent("job_id", "jobs.id", primary_key=True),
    Column("exit_code", Integer),
    Column("stdout", Text, info=secret()),
    Column("stderr", Text, info=secret()),
    Column("duration_ms", Integer),
)

agent_jobs = Table(
    "agent_jobs",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("agent_id", Integer, ForeignKey("agents.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("payload", JSONB, nullable=False, info=secret()),
    Column("status", Text, nullable=False, server_default="queued"),
    Column("result", JSONB, info=secret()),
    created_at(),
    updated_at(),
    Index("idx_agent_jobs_agent_id_status", "agent_id", "status"),
)
