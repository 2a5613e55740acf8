"""Clients, their sites, the devices there, the agents on them, and installed software."""

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ENUM, JSONB, UUID

from schemas.columns import TIMESTAMPTZ, accepted, created_at, link, organization, parent, updated_at, uuid_key
from schemas.target.base import metadata

device_status = ENUM("online", "offline", "retired", "decommissioned", name="device_status", metadata=metadata)

clients = Table(
    "clients",
    metadata,
    uuid_key(),
    organization(),
    Column("name", Text, nullable=False),
    Column("external_ref", Text),
    Column("contact", JSONB, nullable=False, server_default="{}"),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "name"),
)

sites = Table(
    "sites",
    metadata,
    uuid_key(),
    parent("client_id", "clients.id"),
    Column("name", Text, nullable=False),
    Column("address", JSONB, nullable=False, server_default="{}"),
    created_at(),
    updated_at(),
    UniqueConstraint("client_id", "name"),
)

devices = Table(
    "devices",
    metadata,
    uuid_key(),
    link("site_id", "sites.id"),
    Column("hostname", Text, nullable=False),
    Column("serial_number", Text),
    Column("operating_system", Text),
    Column("architecture", Text),
    Column("status", device_status, nullable=False, server_default="online"),
    Column("primary_user", Text),
    Column("last_seen_at", TIMESTAMPTZ),
    created_at(),
    updated_at(),
    UniqueConstraint("site_id", "hostname"),
)

agents = Table(
    "agents",
    metadata,
    uuid_key(),
    parent("device_id", "devices.id"),
    Column("agent_uuid", UUID, nullable=False, info=accepted("text")),
    Column("version", Text, nullable=False),
    Column("last_check_in_at", TIMESTAMPTZ),
    Column("facts", JSONB, nullable=False, server_default="{}"),
    created_at(),
    updated_at(),
    UniqueConstraint("agent_uuid"),
    UniqueConstraint("device_id"),
)

agent_software = Table(
    "agent_software",
    metadata,
    uuid_key(),
    parent("agent_id", "agents.id"),
    Column("name", Text, nullable=False),
    Column("publisher", Text),
    Column("version", Text),
    Column("install_location", Text),
    Column("install_date", TIMESTAMPTZ),
    Column("uninstall_command", Text),
    created_at(),
    updated_at(),
    Index("idx_agent_software_agent_id", "agent_id"),
    Index("idx_agent_software_name", "name"),
)
