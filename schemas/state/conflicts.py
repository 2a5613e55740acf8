"""The conflict list: what the legacy database would change and a run did not, and what was decided about it."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import LEGACY_KEY, LEGACY_TABLE, SOURCE, metadata

#: What names an open conflict: one target row of one legacy row, for one reason.
CONFLICT_KEY = ("source_id", "table_name", "legacy_table", "legacy_key", "new_key", "reason")

conflicts = Table(
    "conflicts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order in which they were found"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("table_name", Text, nullable=False, comment="target table"),
    Column("new_key", Text, nullable=False, comment="key of the target row"),
    Column("legacy_table", Text, nullable=False, comment=LEGACY_TABLE),
    Column("legacy_key", Text, nullable=False, comment=LEGACY_KEY),
    Column("columns", ARRAY(Text), nullable=False, comment="columns in which current and incoming differ"),
    Column("last_written", JSONB, comment="what we wrote last; null for log-like tables; secrets are left out"),
    Column("current", JSONB, nullable=False, comment="what the target holds; secrets are left out"),
    Column("incoming", JSONB, nullable=False, comment="what legacy would make of it; secrets are left out"),
    Column(
        "incoming_hash", LargeBinary, comment="HMAC of what legacy gives: a decision is about this and nothing else"
    ),
    Column("current_hash", LargeBinary, comment="HMAC of the target row that was listed"),
    Column("reason", Text, nullable=False, comment="edited in target, adopted, one-way door"),
    Column("first_run", BigInteger, nullable=False, comment="first run that found it"),
    Column("last_run", BigInteger, nullable=False, comment="last run that did"),
    Column("found_at", TIMESTAMPTZ, nullable=False, server_default=func.now(), comment="when it was found first"),
    Column("decision", Text, comment="keep or take: what an operator chose; the next run carries it out"),
    Column("decision_reason", Text, comment="why, in the operator's words"),
    Column("decided_at", TIMESTAMPTZ, comment="when the operator decided"),
    Column(
        "resolved_run", BigInteger, comment="run that carried the decision out or found nothing to decide; null: open"
    ),
    Column("resolution", Text, comment="keep, take, take_legacy (by policy), agreed, deleted in target"),
    Index("uq_conflicts_open", *CONFLICT_KEY, unique=True, postgresql_where=text("resolved_run IS NULL")),
    comment="Target rows edited since our last write that the legacy database would change, and changes that are refused",
)
