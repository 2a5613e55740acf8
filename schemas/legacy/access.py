"""Legacy users, roles, permissions, sessions, devices that are trusted, and tokens.

A role's grants are kept twice, as rows of `role_permissions` and as words in `role_meta.permissions`.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, INET, UUID

from schemas.columns import TIMESTAMPTZ, created_at, one_of, parent, secret, time_of, updated_at, uuid_key
from schemas.legacy.base import metadata

permissions = Table(
    "permissions",
    metadata,
    uuid_key(),
    Column("key", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("group_label", Text, nullable=False),
    created_at(),
    UniqueConstraint("key"),
)

roles = Table(
    "roles",
    metadata,
    uuid_key(),
    Column("name", Text, nullable=False),
    created_at(),
    Column("description", Text),
    UniqueConstraint("name"),
)

role_meta = Table(
    "role_meta",
    metadata,
    Column("role_name", Text, ForeignKey("roles.name", ondelete="CASCADE"), primary_key=True),
    Column("description", Text),
    Column("permissions", ARRAY(Text), nullable=False, server_default="{}"),
    updated_at(),
    Index("idx_role_meta_lower_role_name", text("lower(role_name)")),
)

role_permissions = Table(
    "role_permissions",
    metadata,
    parent("role_id", "roles.id", primary_key=True),
    parent("permission_id", "permissions.id", primary_key=True),
)

users = Table(
    "users",
    metadata,
    uuid_key(),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("role", Text, nullable=False, server_default="User"),
    Column("two_factor_enabled", Boolean, nullable=False, server_default=false()),
    Column("suspended", Boolean, nullable=False, server_default=false()),
    Column("status", Text, nullable=False, server_default="active"),
    Column("last_seen", TIMESTAMPTZ),
    created_at(),
    updated_at(),
    Column("password_hash", Text, info=secret()),
    Column("password_updated_at", TIMESTAMPTZ),
    Column("phone", Text),
    Column("address1", Text),
    Column("address2", Text),
    Column("city", Text),
    Column("state", Text),
    Column("postal", Text),
    Column("country", Text),
    Column("timezone", Text),
    Column("locale", Text),
    Column("avatar_url", Text),
    Column("avatar_thumb_url", Text),
    Column("totp_secret", Text, info=secret()),
    Column("two_factor_recovery_codes", ARRAY(Text), nullable=False, server_default="{}", info=secret()),
    Column("two_factor_secret", Text, info=secret()),
    UniqueConstraint("email"),
    CheckConstraint(
        "two_factor_enabled IS NOT TRUE"
        " OR (two_factor_secret IS NOT NULL AND length(TRIM(BOTH FROM two_factor_secret)) > 0)",
        name="2fa_requires_secret",
    ),
    one_of("status", "active", "invited", "suspended"),
    Index("idx_users_email", "email"),
    Index("idx_users_lower_email", text("lower(email)")),
    Index("idx_users_lower_name", text("lower(name)")),
    Index("idx_users_role", "role"),
    Index("idx_users_status", "status"),
)

sessions = Table(
    "sessions",
    metadata,
    uuid_key(),
    parent("user_id", "users.id"),
    Column("jti", Text, nullable=False, info=secret()),
    Column("user_agent", Text),
    Column("ip", INET),
    Column("created_at", TIMESTAMPTZ, server_default=func.now()),
    Column("last_seen", TIMESTAMPTZ, server_default=func.now()),
    Column("revoked_at", TIMESTAMPTZ),
    time_of("last_seen_at"),
    Column("trusted", Boolean, nullable=False, server_default=false()),
    Index("idx_sessions_user_id", "user_id"),
    Index("idx_sessions_user_id_active", "user_id", postgresql_where=text("revoked_at IS NULL")),
    Index("idx_sessions_user_id_last_seen_at", "user_id", text("last_seen_at DESC")),
    Index("idx_sessions_user_id_revoked_at", "user_id", "revoked_at"),
    Index("uq_sessions_jti", "jti", unique=True),
)

trusted_devices = Table(
    "trusted_devices",
    metadata,
    uuid_key(),
    parent("user_id", "users.id"),
    Column("device_fingerprint", Text, nullable=False, info=secret()),
    created_at(),
    Column("expires_at", TIMESTAMPTZ, nullable=False),
    UniqueConstraint("user_id", "device_fingerprint"),
)

personal_tokens = Table(
    "personal_tokens",
    metadata,
    uuid_key(),
    parent("user_id", "users.id"),
    Column("name", Text, nullable=False),
    Column("token_hash", Text, nullable=False, info=secret()),
    Column("created_at", TIMESTAMPTZ, server_default=func.now()),
    Column("last_used_at", TIMESTAMPTZ),
    Column("revoked_at", TIMESTAMPTZ),
    Index("idx_personal_tokens_user_id", "user_id"),
)

login_challenges = Table(
    "login_challenges",
    metadata,
    Column("id", UUID, primary_key=True),
    parent("user_id", "users.id"),
    created_at(),
)
