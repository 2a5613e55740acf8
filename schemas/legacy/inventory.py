"""Legacy devices, their agents, and the software that the agents found.

An agent names its device by a text of its own making; no foreign key ties the two.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from schemas.columns import TIMESTAMPTZ, created_at, one_of, secret, time_of, updated_at
from schemas.legacy.base import metadata

devices = Table(
    "devices",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("hostname", Text, nullable=False),
    Column("os", Text, nullable=False),
    Column("arch", Text),
    Column("last_seen", TIMESTAMPTZ),
    Column("status", Text, nullable=False),
    Column("client", Text),
    Column("site", Text),
    Column("user", Text),
    Column("agent_uuid", UUID),
    one_of("status", "online", "offline"),
    Index("idx_devices_client", "client"),
    Index("idx_devices_site", "site"),
)

agents = Table(
    "agents",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("device_id", Text, nullable=False),
    Column("hostname", Text, nullable=False),
    Column("os", Text, nullable=False),
    Column("arch", Text, nullable=False),
    Column("version", Text, nullable=False),
    time_of("last_seen_at"),
    created_at(),
    updated_at(),
    Column("token_hash", Text, info=secret()),
    Column("client", Text),
    Column("site", Text),
    Column("primary_ip", Text),
    Column("logged_in_user", Text),
    Column("facts", JSONB, nullable=False, server_default="{}"),
    Column("agent_uuid", UUID, nullable=False, server_default=func.gen_random_uuid()),
    UniqueConstraint("agent_uuid"),
    one_of("arch", "x64", "arm64", "x86"),
    one_of("os", "windows", "linux", "macos"),
    # The running database has these unique indexes twice and three times over.
    Index("uq_agents_agent_uuid_2", "agent_uuid", unique=True),
    Index("uq_agents_device_id", "device_id", unique=True),
    Index("uq_agents_device_id_2", "device_id", unique=True),
    Index("uq_agents_device_id_3", "device_id", unique=True),
    Index("idx_agents_last_seen_at", text("last_seen_at DESC")),
    Index("idx_agents_token_hash", "token_hash"),
    Index("idx_agents_client", "client"),
    Index("idx_agents_site", "site"),
)

agent_software = Table(
    "agent_software",
    metadata,
    Column("agent_id", Integer, ForeignKey("agents.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Text),
    Column("publisher", Text),
    Column("install_date", Text),
    updated_at(),
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Index("idx_agent_software_agent_id", "agent_id"),
    Index(
        "uq_agent_software_name_version_publisher_install_date",
        "agent_id",
        text("lower(name)"),
        text("COALESCE(version, ''::text)"),
        text("COALESCE(publisher, ''::text)"),
        text("COALESCE(install_date, ''::text)"),
        unique=True,
    ),
    Index("idx_agent_software_lower_name", text("lower(name)")),
    Index("idx_agent_software_agent_id_2", "agent_id"),
    Index(
        "uq_agent_software_name_version",
        "agent_id",
        text("lower(name)"),
        text("COALESCE(version, ''::text)"),
        unique=True,
    ),
)
