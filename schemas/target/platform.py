"""The organization that owns everything, its settings and their audit trail, and support channels."""

from sqlalchemy import Column, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from schemas.columns import created_at, organization, parent, updated_at, user_link, uuid_key
from schemas.target.base import metadata

organizations = Table(
    "organizations",
    metadata,
    uuid_key(),
    Column("name", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    created_at(),
    updated_at(),
    UniqueConstraint("slug"),
)

organization_settings = Table(
    "organization_settings",
    metadata,
    parent("organization_id", "organizations.id", primary_key=True),
    Column("branding", JSONB, nullable=False, server_default="{}"),
    Column("localization", JSONB, nullable=False, server_default="{}"),
    Column("support", JSONB, nullable=False, server_default="{}"),
    Column("notifications", JSONB, nullable=False, server_default="{}"),
    created_at(),
    updated_at(),
)

organization_setting_audits = Table(
    "organization_setting_audits",
    metadata,
    uuid_key(),
    organization(),
    Column("settings_type", Text, nullable=False),
    Column("previous", JSONB),
    Column("next", JSONB),
    user_link("changed_by"),
    created_at(),
)

support_channels = Table(
    "support_channels",
    metadata,
    uuid_key(),
    organization(),
    Column("channel_key", Text, nullable=False),
    Column("channel_type", Text, nullable=False),
    Column("configuration", JSONB, nullable=False, server_default="{}"),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "channel_key"),
)
