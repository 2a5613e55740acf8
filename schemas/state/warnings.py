"""What decisions over several legacy rows warn of."""

from sqlalchemy import BigInteger, Column, ForeignKey, SmallInteger, Table, Text, func

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import LEGACY_KEY, LEGACY_TABLE, SOURCE, metadata

decision_warnings = Table(
    "decision_warnings",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("table_name", Text, primary_key=True, comment="asset that decides"),
    Column("rule", Text, primary_key=True, comment="what there is to know: hostname_renamed, spelling_would_change, …"),
    Column("legacy_table", Text, primary_key=True, comment=LEGACY_TABLE),
    Column("legacy_key", Text, primary_key=True, comment=LEGACY_KEY),
    Column("run_id", BigInteger, nullable=False, comment="run that found it first"),
    Column("found_at", TIMESTAMPTZ, nullable=False, server_default=func.now(), comment="when"),
    comment="Decisions that a person should know of, as long as they hold",
)
