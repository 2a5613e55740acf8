"""Checks, the profiles that bundle them, assignments to a target of any kind, and runs."""

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ENUM, JSONB, UUID

from schemas.columns import TIMESTAMPTZ, created_at, organization, parent, time_of, updated_at, user_link, uuid_key
from schemas.target.base import metadata

check_type = ENUM("ping", "service", "process", "metric", "script", name="check_type", metadata=metadata)
check_target_type = ENUM("organization", "client", "site", "device", name="check_target_type", metadata=metadata)
check_status = ENUM("passed", "warning", "failed", "muted", name="check_status", metadata=metadata)
check_severity = ENUM("info", "low", "medium", "high", "critical", name="check_severity", metadata=metadata)

checks = Table(
    "checks",
    metadata,
    uuid_key(),
    organization(),
    Column("name", Text, nullable=False),
    Column("type", check_type, nullable=False),
    Column("category", Text),
    Column("description", Text),
    Column("schedule", Text, nullable=False),
    Column("config", JSONB, nullable=False),
    user_link("created_by"),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "name"),
)

check_profiles = Table(
    "check_profiles",
    metadata,
    uuid_key(),
    organization(),
    Column("name", Text, nullable=False),
    Column("description", Text),
    user_link("created_by"),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "name"),
)

check_profile_members = Table(
    "check_profile_members",
    metadata,
    parent("profile_id", "check_profiles.id", primary_key=True),
    parent("check_id", "checks.id", primary_key=True),
    created_at(),
)

check_assignments = Table(
    "check_assignments",
    metadata,
    uuid_key(),
    parent("check_id", "checks.id"),
    Column("target_type", check_target_type, nullable=False),
    Column("target_id", UUID, nullable=False),
    user_link("created_by"),
    created_at(),
    updated_at(),
    Index("idx_check_assignments_target_type_target_id", "target_type", "target_id"),
)

check_runs = Table(
    "check_runs",
    metadata,
    uuid_key(),
    parent("assignment_id", "check_assignments.id"),
    Column("status", check_status, nullable=False),
    Column("severity", check_severity, nullable=False),
    time_of("started_at"),
    Column("finished_at", TIMESTAMPTZ),
    Column("metrics", JSONB),
    Column("output", Text),
    created_at(),
    Index("idx_check_runs_assignment_id_started_at", "assignment_id", text("started_at DESC")),
)
