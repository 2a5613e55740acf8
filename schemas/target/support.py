"""Contacts and tickets, with tags, updates and attachments."""

from sqlalchemy import BigInteger, Column, Index, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import CITEXT, ENUM, JSONB

from schemas.columns import (
    TIMESTAMPTZ,
    created_at,
    link,
    not_written,
    organization,
    parent,
    updated_at,
    user_link,
    uuid_key,
)
from schemas.target.base import metadata

ticket_status = ENUM("open", "pending", "resolved", "closed", name="ticket_status", metadata=metadata)
ticket_priority = ENUM("low", "normal", "high", "urgent", name="ticket_priority", metadata=metadata)

contacts = Table(
    "contacts",
    metadata,
    uuid_key(),
    organization(),
    Column("name", Text, nullable=False),
    Column("email", CITEXT),
    Column("phone", Text),
    Column("metadata", JSONB, nullable=False, server_default="{}"),
    created_at(),
    updated_at(),
)

tickets = Table(
    "tickets",
    metadata,
    uuid_key(),
    organization(),
    Column("ticket_number", BigInteger, nullable=False),
    link("requester_contact_id", "contacts.id"),
    link("device_id", "devices.id"),
    Column("subject", Text, nullable=False),
    Column("description", Text),
    Column("status", ticket_status, nullable=False, server_default="open"),
    Column("priority", ticket_priority, nullable=False, server_default="normal"),
    user_link("assignee_user_id"),
    created_at(),
    updated_at(),
    Column("closed_at", TIMESTAMPTZ),
    UniqueConstraint("organization_id", "ticket_number"),
)

ticket_tags = Table(
    "ticket_tags",
    metadata,
    parent("ticket_id", "tickets.id", primary_key=True),
    Column("tag", Text, primary_key=True),
    created_at(),
)

ticket_updates = Table(
    "ticket_updates",
    metadata,
    uuid_key(),
    parent("ticket_id", "tickets.id"),
    user_link("author_user_id"),
    Column("message", Text),
    Column("status", ticket_status),
    created_at(),
    Index("idx_ticket_updates_ticket_id_created_at", "ticket_id", text("created_at DESC")),
    info=not_written(),
)

ticket_attachments = Table(
    "ticket_attachments",
    metadata,
    uuid_key(),
    parent("ticket_id", "tickets.id"),
    Column("file_name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("storage_path", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    created_at(),
    info=not_written(),
)
