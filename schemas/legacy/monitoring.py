"""Legacy checks, their assignments to devices, and the runs.

No foreign key ties the three together: an assignment names its check by type and name.
"""

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, UniqueConstraint, func, text, true
from sqlalchemy.dialects.postgresql import JSONB, UUID

from schemas.columns import TIMESTAMPTZ, between, created_at, one_of, updated_at, uuid_key
from schemas.legacy.base import metadata

checks = Table(
    "checks",
    metadata,
    uuid_key(),
    Column("scope", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("category", Text),
    Column("config", JSONB),
    Column("threshold", JSONB),
    Column("severity_default", Text, nullable=False),
    Column("interval_sec", Integer, nullable=False),
    Column("timeout_sec", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    Column("created_by", UUID),
    Column("updated_by", UUID),
    created_at(),
    updated_at(),
    UniqueConstraint("type", "name"),
    between("interval_sec", 15, 86400),
    one_of("scope", "DEVICE", "SITE", "CLIENT", "GLOBAL"),
    one_of("severity_default", "WARN", "CRIT"),
    between("timeout_sec", 1, 600),
    one_of(
        "type",
        "PING",
        "CPU",
        "MEMORY",
        "DISK",
        "SERVICE",
        "PROCESS",
        "PORT",
        "WINEVENT",
        "SOFTWARE",
        "SECURITY",
        "SCRIPT",
        "PATCH",
        "CERT",
        "SMART",
        "RDP",
        "SMB",
        "FIREWALL",
    ),
    Index("uq_checks_lower_type_lower_name", text("lower(type)"), text("lower(name)"), unique=True),
    Index("idx_checks_enabled", "enabled"),
    Index("idx_checks_type", "type"),
    Index("idx_checks_type_name", "type", "name"),
)

check_assignments = Table(
    "check_assignments",
    metadata,
    uuid_key(),
    Column("device_id", Text, nullable=False),
    Column("dedupe_key", Text),
    Column("check_type", Text),
    Column("check_name", Text),
    Column("created_at", TIMESTAMPTZ, server_default=func.now()),
    Column("updated_at", TIMESTAMPTZ, server_default=func.now()),
    Index("idx_check_assignments_device_id", "device_id"),
    Index(
        "uq_check_assignments_device_id_dedupe_key",
        "device_id",
        text(
            "COALESCE(NULLIF(dedupe_key, ''::text),"
            " lower(COALESCE(check_type, ''::text)) || '|'::text || lower(COALESCE(check_name, ''::text)))"
        ),
        unique=True,
    ),
)

check_runs = Table(
    "check_runs",
    metadata,
    uuid_key(),
    Column("assignment_id", UUID),
    Column("device_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("severity", Text),
    Column("metrics", JSONB),
    Column("output", Text),
    Column("started_at", TIMESTAMPTZ),
    Column("finished_at", TIMESTAMPTZ),
    Column("created_at", TIMESTAMPTZ, server_default=func.now()),
    Index("idx_check_runs_assignment_id", "assignment_id"),
    Index("idx_check_runs_created_at", "created_at"),
    Index("idx_check_runs_device_id", "device_id"),
)
