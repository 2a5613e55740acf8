"""Mail channels, the state of their mailbox readers, messages, and DKIM domains with keys."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, UniqueConstraint, false, text, true
from sqlalchemy.dialects.postgresql import ARRAY, ENUM, JSONB

from schemas.columns import TIMESTAMPTZ, created_at, link, one_of, organization, parent, secret, updated_at, uuid_key
from schemas.target.base import metadata

email_channel_purpose = ENUM(
    "alerts", "support", "marketing", "system", name="email_channel_purpose", metadata=metadata
)

email_channels = Table(
    "email_channels",
    metadata,
    uuid_key(),
    organization(),
    Column("name", Text, nullable=False),
    Column("purpose", email_channel_purpose, nullable=False),
    Column("is_inbound_enabled", Boolean, nullable=False, server_default=false()),
    Column("is_outbound_enabled", Boolean, nullable=False, server_default=true()),
    Column("smtp_settings", JSONB, nullable=False, server_default="{}", info=secret()),
    Column("imap_settings", JSONB, nullable=False, server_default="{}", info=secret()),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "name"),
)

email_ingest_state = Table(
    "email_ingest_state",
    metadata,
    parent("channel_id", "email_channels.id", primary_key=True),
    Column("last_uid", BigInteger),
    Column("last_synced_at", TIMESTAMPTZ),
    created_at(),
    updated_at(),
)

email_messages = Table(
    "email_messages",
    metadata,
    uuid_key(),
    parent("channel_id", "email_channels.id"),
    link("ticket_id", "tickets.id"),
    Column("direction", Text, nullable=False),
    Column("message_id", Text),
    Column("subject", Text),
    Column("from_address", Text),
    Column("to_addresses", ARRAY(Text)),
    Column("cc_addresses", ARRAY(Text)),
    Column("bcc_addresses", ARRAY(Text)),
    Column("sent_at", TIMESTAMPTZ),
    Column("received_at", TIMESTAMPTZ),
    Column("payload", JSONB, nullable=False, info=secret()),
    created_at(),
    one_of("direction", "inbound", "outbound"),
    Index("idx_email_messages_channel_id_received_at", "channel_id", text("received_at DESC")),
)

dkim_domains = Table(
    "dkim_domains",
    metadata,
    uuid_key(),
    organization(),
    Column("domain", Text, nullable=False),
    created_at(),
    updated_at(),
    UniqueConstraint("organization_id", "domain"),
)

dkim_keys = Table(
    "dkim_keys",
    metadata,
    uuid_key(),
    parent("dkim_domain_id", "dkim_domains.id"),
    Column("selector", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("private_key", Text, nullable=False, info=secret()),
    created_at(),
    Column("rotated_at", TIMESTAMPTZ),
    UniqueConstraint("dkim_domain_id", "selector"),
)
