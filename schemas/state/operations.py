"""What people have told the runs of a source to do."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, SmallInteger, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import LEGACY_KEY, LEGACY_TABLE, SOURCE, metadata

accepted_drift = Table(
    "accepted_drift",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("name", Text, primary_key=True, comment="table, table.column, or enum type.label"),
    Column("kind", Text, nullable=False, comment="what sort of difference it was when it was accepted"),
    Column("found", Text, comment="what the legacy database had then"),
    Column("run_id", BigInteger, nullable=False, comment="the first run that went on because of it"),
    Column("accepted_at", TIMESTAMPTZ, nullable=False, server_default=func.now(), comment="when it was accepted"),
    comment="Differences of the legacy schema that an operator accepted: later runs go on without asking",
)

resets = Table(
    "resets",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order in which they were asked for"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("table_name", Text, nullable=False, comment="asset that reads the rows"),
    Column("legacy_table", Text, comment=f"{LEGACY_TABLE}; null: all that the asset reads"),
    Column("legacy_key", Text, comment=f"{LEGACY_KEY}; null: all rows"),
    Column("take_legacy", Boolean, nullable=False, comment="rows edited in the target were to be overwritten"),
    Column("recreate", Boolean, nullable=False, comment="rows deleted in the target were to be made again"),
    Column("figures", JSONB, nullable=False, comment="what was found when it was asked for, in rows"),
    Column("actor", Text, nullable=False, comment="user and host that asked for it"),
    Column("asked_at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when"),
    Column("run_id", BigInteger, comment="run that read the rows again; null: the next one of the table does"),
    Index("idx_resets_open", "source_id", "table_name", postgresql_where=text("run_id IS NULL")),
    comment="Rows and tables that were forgotten on demand and migrated again under the same keys",
)

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
