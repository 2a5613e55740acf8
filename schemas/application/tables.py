"""Tables that the new application reads and writes beside those of the redesign. Nothing is migrated to them.

They refer to rows of the redesign without foreign keys: the application deletes in an order of its own. Belongs here: their
columns. Does not belong here: tables that the application makes by itself.
"""

from typing import Any

from sqlalchemy import Boolean, Column, Integer, MetaData, PrimaryKeyConstraint, Table, Text, false, func, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from schemas.columns import NAMES, TIMESTAMPTZ, created_at, secret, updated_at, uuid_key

metadata = MetaData(schema="application", naming_convention=NAMES)
"""`application` is a token, not a schema: `schema_translate_map` replaces it by the target's."""


def _ids(*names: str) -> list[Column[Any]]:
    return [Column(name, UUID) for name in names]


def _times(*names: str) -> list[Column[Any]]:
    return [Column(name, TIMESTAMPTZ) for name in names]


def _destinations(table: str, owner: str) -> Table:
    """The destinations of a policy or job of backups."""
    return Table(
        table,
        metadata,
        Column(owner, UUID),
        Column("destination_id", UUID),
        Column("is_primary", Boolean, nullable=False, server_default=false()),
        Column("priority", Integer, nullable=False, server_default=text("0")),
        created_at(),
        PrimaryKeyConstraint(owner, "destination_id"),
    )


backup_policy_destinations = _destinations("backup_policy_destinations", "policy_id")
backup_job_destinations = _destinations("backup_job_destinations", "job_id")

jobs = Table(
    "jobs",
    metadata,
    uuid_key(),
    *_ids("agent_id"),
    Column("type", Text),
    Column("payload", JSONB, info=secret()),
    Column("status", Text),
    Column("created_at", TIMESTAMPTZ, server_default=func.now()),
    *_times("dispatched_at", "started_at", "finished_at"),
)

job_results = Table(
    "job_results",
    metadata,
    Column("job_id", UUID, primary_key=True),
    Column("exit_code", Integer),
    Column("stdout", Text, info=secret()),
    Column("stderr", Text, info=secret()),
    Column("duration_ms", Integer),
)

agent_jobs = Table(
    "agent_jobs",
    metadata,
    uuid_key(),
    *_ids("agent_id"),
    Column("kind", Text),
    Column("payload", JSONB, info=secret()),
)

endpoint_enrollments = Table(
    "endpoint_enrollments",
    metadata,
    *_ids("client_id", "site_id", "device_id"),
    Column("os", Text),
    Column("alias", Text),
    Column("token_hash", Text, info=secret()),
    *_times("expires_at", "used_at"),
    created_at(),
    updated_at(),
)

site_enrollment_keys = Table(
    "site_enrollment_keys",
    metadata,
    uuid_key(),
    *_ids("client_id", "site_id"),
    Column("name", Text),
    Column("token_hash", Text, info=secret()),
    *_times("expires_at", "revoked_at", "last_used_at"),
    *_ids("created_by_user_id"),
    created_at(),
    updated_at(),
)

device_enrollment_tokens = Table(
    "device_enrollment_tokens",
    metadata,
    *_ids("device_id", "client_id", "site_id"),
    Column("os", Text),
    Column("alias", Text),
    Column("secret", Text, info=secret()),
    *_times("expires_at"),
)
