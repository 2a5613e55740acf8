"""What people have told the runs of a source to do."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, SmallInteger, Table, Text, func

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import SOURCE, metadata

orders = Table(
    "orders",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order in which they were given"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("action", Text, nullable=False, comment="pause, resume or stop"),
    Column("actor", Text, nullable=False, comment="user and host that gave it"),
    Column("reason", Text, comment="why, in the words of who gave it"),
    Column(
        "fence", BigInteger, nullable=False, comment="fencing token of the last run then; a stop is meant for that run"
    ),
    Column("given_at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when it was given"),
    Index("idx_orders_source_id_id", "source_id", "id"),
    comment="Orders to the runs of a source, in their order; the last pause or resume stands",
)
