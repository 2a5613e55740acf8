"""Users, roles and permissions of the redesign, with sessions, tokens and second factors."""

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text, UniqueConstraint, false
from sqlalchemy.dialects.postgresql import ARRAY, CITEXT, ENUM, INET, UUID

from schemas.columns import (
    TIMESTAMPTZ,
    created_at,
    organization,
    parent,
    secret,
    time_of,
    updated_at,
    user_link,
    uuid_key,
)
from schemas.target.base import metadata

role_scope = ENUM("system", "organization", name="role_scope", metadata=metadata)
user_status = ENUM("active", "invited", "disabled", name="user_status", metadata=metadata)

permissions = Table(
    "permissions",
    metadata,
    Column("permission_key", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("group_label", Text, nullable=False),
    Column("description", Text),
    created_at(),
    updated_at(),
)

roles = Table(
    "roles",
    metadata,
    uuid_key(),
    Column("organization_id", UUID, ForeignKey("organizations.id", ondelete="CASCADE")),
    Column("scope", role_scope, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "name"),
)

users = Table(
    "users",
    metadata,
    uuid_key(),
    organization(),
    Column("email", CITEXT, nullable=False),
    Column("password_hash", Text, nullable=False, info=secret()),
    Column("first_name", Text),
    Column("last_name", Text),
    Column("status", user_status, nullable=False, server_default="active"),
    Column("last_seen_at", TIMESTAMPTZ),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "email"),
)

user_security = Table(
    "user_security",
    metadata,
    parent("user_id", "users.id", primary_key=True),
    Column("two_factor_enabled", Boolean, nullable=False, server_default=false()),
    Column("totp_secret", Text, info=secret()),
    Column("recovery_codes", ARRAY(Text), info=secret()),
    Column("password_changed_at", TIMESTAMPTZ),
    created_at(),
    updated_at(),
)

role_permissions = Table(
    "role_permissions",
    metadata,
    parent("role_id", "roles.id", primary_key=True),
    Column("permission_key", Text, ForeignKey("permissions.permission_key", ondelete="CASCADE"), primary_key=True),
    user_link("granted_by"),
    time_of("granted_at"),
)

user_roles = Table(
    "user_roles",
    metadata,
    parent("user_id", "users.id", primary_key=True),
    parent("role_id", "roles.id", primary_key=True),
    time_of("assigned_at"),
    user_link("assigned_by"),
)

sessions = Table(
    "sessions",
    metadata,
    uuid_key(),
    parent("user_id", "users.id"),
    Column("refresh_token", Text, nullable=False, info=secret()),
    Column("user_agent", Text),
    Column("ip_address", INET),
    Column("trusted", Boolean, nullable=False, server_default=false()),
    created_at(),
    time_of("last_seen_at"),
    Column("revoked_at", TIMESTAMPTZ),
)

trusted_devices = Table(
    "trusted_devices",
    metadata,
    uuid_key(),
    parent("user_id", "users.id"),
    Column("device_fingerprint", Text, nullable=False, info=secret()),
    time_of("last_seen_at"),
    created_at(),
)

personal_access_tokens = Table(
    "personal_access_tokens",
    metadata,
    uuid_key(),
    parent("user_id", "users.id"),
    Column("token_hash", Text, nullable=False, info=secret()),
    Column("description", Text),
    Column("expires_at", TIMESTAMPTZ),
    created_at(),
    Column("last_used_at", TIMESTAMPTZ),
    Column("revoked_at", TIMESTAMPTZ),
)

login_challenges = Table(
    "login_challenges",
    metadata,
    uuid_key(),
    parent("user_id", "users.id"),
    Column("challenge", Text, nullable=False, info=secret()),
    Column("expires_at", TIMESTAMPTZ, nullable=False),
    Column("consumed_at", TIMESTAMPTZ),
    created_at(),
)
