"""Backup destinations and policies, jobs with what they leave behind, restores.

`backups_config` is the legacy singleton, which the redesign keeps; `storage_connections` has no legacy source.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, UniqueConstraint, false, text, true
from sqlalchemy.dialects.postgresql import ENUM, JSONB, UUID

from schemas.columns import (
    TIMESTAMPTZ,
    created_at,
    link,
    not_written,
    one_of,
    organization,
    parent,
    secret,
    time_of,
    updated_at,
    user_link,
    uuid_key,
)
from schemas.target.base import metadata
from schemas.target.monitoring import check_target_type

backup_status = ENUM("pending", "running", "completed", "failed", "cancelled", name="backup_status", metadata=metadata)

backup_destinations = Table(
    "backup_destinations",
    metadata,
    uuid_key(),
    organization(),
    Column("name", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("configuration", JSONB, nullable=False, info=secret()),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "name"),
)

backup_policies = Table(
    "backup_policies",
    metadata,
    uuid_key(),
    organization(),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("schedule", Text, nullable=False),
    Column("retention", JSONB, nullable=False),
    link("destination_id", "backup_destinations.id"),
    Column("target_type", check_target_type, nullable=False),
    Column("target_id", UUID),
    user_link("created_by"),
    Column("options", JSONB, nullable=False, server_default="{}"),
    Column("is_default", Boolean, nullable=False, server_default=false()),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "name"),
)

backups_config = Table(
    "backups_config",
    metadata,
    Column("id", Text, primary_key=True, server_default="singleton"),
    Column("enabled", Boolean, nullable=False, server_default=false()),
    Column("targets", JSONB, nullable=False, server_default="[]"),
    Column("schedule", Text, nullable=False, server_default="daily"),
    Column("cron_expr", Text),
    Column("retention_days", Integer, nullable=False, server_default=text("30")),
    Column("encrypt", Boolean, nullable=False, server_default=true()),
    Column("destination", JSONB, nullable=False, server_default="{}", info=secret()),
    Column("notifications", JSONB, nullable=False, server_default="{}"),
    Column("last_scheduled_at", TIMESTAMPTZ),
    created_at(),
    updated_at(),
)

backup_jobs = Table(
    "backup_jobs",
    metadata,
    uuid_key(),
    link("policy_id", "backup_policies.id"),
    Column("status", backup_status, nullable=False),
    Column("note", Text),
    Column("size_bytes", BigInteger),
    Column("duration_sec", Integer),
    Column("verified", Boolean),
    Column("cancelled", Boolean, nullable=False, server_default=false()),
    Column("artifact_location", JSONB),
    time_of("started_at"),
    Column("finished_at", TIMESTAMPTZ),
    Column("error", Text),
    created_at(),
    Index("idx_backup_jobs_policy_id_started_at", "policy_id", text("started_at DESC")),
)

backup_job_logs = Table(
    "backup_job_logs",
    metadata,
    parent("job_id", "backup_jobs.id", primary_key=True),
    Column("log_text", Text, nullable=False, server_default=""),
    created_at(),
    updated_at(),
)

backup_job_manifests = Table(
    "backup_job_manifests",
    metadata,
    parent("job_id", "backup_jobs.id", primary_key=True),
    Column("manifest", JSONB, nullable=False, server_default="{}"),
    created_at(),
    updated_at(),
)

backup_job_artifacts = Table(
    "backup_job_artifacts",
    metadata,
    uuid_key(),
    parent("backup_job_id", "backup_jobs.id"),
    Column("artifact_type", Text, nullable=False),
    Column("storage_location", Text, nullable=False),
    Column("size_bytes", BigInteger),
    Column("checksum", Text),
    created_at(),
)

backup_restores = Table(
    "backup_restores",
    metadata,
    uuid_key(),
    parent("backup_job_id", "backup_jobs.id"),
    user_link("requested_by"),
    time_of("requested_at"),
    Column("status", backup_status, nullable=False),
    Column("notes", Text),
    created_at(),
    updated_at(),
)

storage_connections = Table(
    "storage_connections",
    metadata,
    uuid_key(),
    organization(),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("config", JSONB, nullable=False, server_default="{}", info=secret()),
    Column("secrets", JSONB, nullable=False, server_default="{}", info=secret()),
    Column("meta", JSONB, nullable=False, server_default="{}"),
    Column("capabilities", JSONB, nullable=False, server_default="{}"),
    Column("health", JSONB, nullable=False, server_default="{}"),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "name"),
    one_of("kind", "s3", "nextcloud", "gdrive", "sftp"),
    info=not_written(),
)
