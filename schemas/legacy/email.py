"""Legacy mail settings, the state of the mailbox reader, what it took in, and DKIM keys.

Only `email_settings.purpose` is an enum; elsewhere a purpose is free text.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ENUM

from schemas.columns import created_at, secret, updated_at
from schemas.legacy.base import metadata

email_purpose = ENUM("alerts", "invites", "password_resets", "reports", name="email_purpose", metadata=metadata)

email_settings = Table(
    "email_settings",
    metadata,
    Column("purpose", email_purpose, primary_key=True),
    Column("enabled", Boolean, nullable=False, server_default=true()),
    Column("smtp_host", Text, nullable=False, server_default=""),
    Column("smtp_port", Integer),
    Column("smtp_username", Text, nullable=False, server_default=""),
    Column("smtp_password", Text, info=secret()),
    Column("smtp_use_tls", Boolean, nullable=False, server_default=true()),
    Column("smtp_use_ssl", Boolean, nullable=False, server_default=false()),
    Column("smtp_from_address", Text, nullable=False, server_default=""),
    Column("imap_host", Text, nullable=False, server_default=""),
    Column("imap_port", Integer),
    Column("imap_username", Text, nullable=False, server_default=""),
    Column("imap_password", Text, info=secret()),
    Column("imap_use_ssl", Boolean, nullable=False, server_default=true()),
    Column("pop_host", Text, nullable=False, server_default=""),
    Column("pop_port", Integer),
    Column("pop_username", Text, nullable=False, server_default=""),
    Column("pop_password", Text, info=secret()),
    Column("pop_use_ssl", Boolean, nullable=False, server_default=true()),
    updated_at(),
)

imap_state = Table(
    "imap_state",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("last_uid", BigInteger, nullable=False, server_default=text("0")),
    updated_at(),
)

imap_ingested = Table(
    "imap_ingested",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("purpose", Text, nullable=False),
    Column("uid", BigInteger, nullable=False),
    Column("from_addr", Text),
    Column("subject", Text),
    Column("size_bytes", Integer),
    Column("headers_snippet", Text, info=secret()),
    Column("is_bounce", Boolean, nullable=False, server_default=false()),
    Column("bounce_recipient", Text),
    Column("bounce_status", Text),
    Column("bounce_action", Text),
    Column("bounce_diagnostic", Text),
    created_at(),
    UniqueConstraint("purpose", "uid"),
)

email_inbound_events = Table(
    "email_inbound_events",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("purpose", Text, nullable=False),
    Column("from_addr", Text),
    Column("subject", Text),
    Column("kind", Text),
    Column("raw", LargeBinary, info=secret()),
    created_at(),
)

dkim_settings = Table(
    "dkim_settings",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False, server_default=text("1")),
    Column("domain", Text, nullable=False, server_default=""),
    Column("selector", Text, nullable=False, server_default=""),
    Column("private_key", Text, info=secret()),
    updated_at(),
)

dkim_keys = Table(
    "dkim_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("domain", Text, nullable=False),
    Column("selector", Text, nullable=False),
    Column("private_key", Text, nullable=False, info=secret()),
    created_at(),
    updated_at(),
    UniqueConstraint("domain", "selector"),
)
