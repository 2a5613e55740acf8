"""The legacy backup configuration, its jobs with log and manifest, and restores."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, false, text, true
from sqlalchemy.dialects.postgresql import JSONB, UUID

from schemas.columns import TIMESTAMPTZ, between, one_of, parent, secret, time_of
from schemas.legacy.base import metadata

backups_config = Table(
    "backups_config",
    metadata,
    Column("id", Text, primary_key=True, server_default="singleton"),
    Column("enabled", Boolean, nullable=False, server_default=false()),
    Column("targets", JSONB, nullable=False, server_default="[]"),
    Column("schedule", Text, nullable=False),
    Column("cron_expr", Text),
    Column("retention_days", Integer, nullable=False, server_default=text("30")),
    Column("encrypt", Boolean, nullable=False, server_default=true()),
    Column("destination", JSONB, nullable=False, info=secret()),
    Column("notifications", JSONB, nullable=False, server_default="{}"),
    Column("last_scheduled_at", TIMESTAMPTZ),
    between("retention_days", 1, 3650),
    one_of("schedule", "hourly", "daily", "weekly", "cron"),
)

backup_jobs = Table(
    "backup_jobs",
    metadata,
    Column("id", UUID, primary_key=True),
    time_of("started_at"),
    Column("finished_at", TIMESTAMPTZ),
    Column("status", Text, nullable=False),
    Column("note", Text),
    Column("size_bytes", BigInteger),
    Column("duration_sec", Integer),
    Column("verified", Boolean),
    Column("targets", JSONB),
    Column("destination", JSONB, info=secret()),
    Column("artifact_location", JSONB),
    Column("cancelled", Boolean, nullable=False, server_default=false()),
    one_of("status", "running", "success", "failed", "cancelled"),
    Index("idx_backup_jobs_started_at", text("started_at DESC")),
    Index("idx_backup_jobs_status", "status"),
    Index("idx_backup_jobs_started_at_2", text("started_at DESC")),
    Index("idx_backup_jobs_status_2", "status"),
)

backup_job_logs = Table(
    "backup_job_logs",
    metadata,
    parent("job_id", "backup_jobs.id", primary_key=True),
    Column("log_text", Text, nullable=False, server_default=""),
)

backup_job_manifests = Table(
    "backup_job_manifests",
    metadata,
    parent("job_id", "backup_jobs.id", primary_key=True),
    Column("manifest", JSONB, nullable=False),
)

backup_restores = Table(
    "backup_restores",
    metadata,
    Column("id", UUID, primary_key=True),
    parent("backup_id", "backup_jobs.id"),
    time_of("requested_at"),
    Column("finished_at", TIMESTAMPTZ),
    Column("status", Text, nullable=False),
    Column("note", Text),
    one_of("status", "running", "success", "failed"),
)
