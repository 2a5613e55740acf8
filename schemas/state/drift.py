"""What an operator has accepted of a legacy database that differs from our definition of it."""

from sqlalchemy import BigInteger, Column, ForeignKey, SmallInteger, Table, Text, func

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import SOURCE, metadata

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
