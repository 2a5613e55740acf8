"""What people have told the runs of a source to do."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, SmallInteger, Table, Text, func

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import metadata

orders = Table(
    "orders",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False),
    Column("action", Text, nullable=False, comment="pause, resume or stop"),
    Column("actor", Text, nullable=False, comment="user and host that gave it"),
    Column("reason", Text),
    Column(
        "fence", BigInteger, nullable=False, comment="fencing token of the last run then; a stop is meant for that run"
    ),
    Column("given_at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp()),
    Index("idx_orders_source_id_id", "source_id", "id"),
    comment="Orders to the runs of a source, in their order; the last pause or resume stands",
)
