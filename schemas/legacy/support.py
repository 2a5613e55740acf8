"""Legacy tickets. Client, site and requester are text in the ticket itself."""

from sqlalchemy import BigInteger, Column, Identity, Index, Table, Text, text
from sqlalchemy.dialects.postgresql import UUID

from schemas.columns import created_at, updated_at, user_link, uuid_key
from schemas.legacy.base import metadata

tickets = Table(
    "tickets",
    metadata,
    uuid_key(),
    Column("number", BigInteger, Identity(), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("status", Text, nullable=False, server_default="open"),
    Column("priority", Text, nullable=False, server_default="normal"),
    Column("requester_name", Text),
    Column("requester_email", Text),
    Column("assignee_id", UUID),
    Column("client", Text),
    Column("site", Text),
    Column("device_id", Text),
    created_at(),
    updated_at(),
    Column("customer_id", Text),
    Column("customer_uuid", UUID),
    user_link("assignee_user_id"),
    Index("idx_tickets_assignee_id", "assignee_id"),
    Index("idx_tickets_assignee_user_id", "assignee_user_id"),
    Index("idx_tickets_created_at", text("created_at DESC")),
    Index("idx_tickets_customer_id", "customer_id"),
    Index("idx_tickets_device_id", "device_id"),
    Index("idx_tickets_priority", "priority"),
    Index("idx_tickets_requester_email_requester_name", text("COALESCE(requester_email, requester_name)")),
    Index("idx_tickets_status", "status"),
)
