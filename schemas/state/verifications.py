"""Verifications: what each table was last found to be, and the history of the passes that found it."""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Identity, Index, SmallInteger, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import SOURCE, metadata

verification_runs = Table(
    "verification_runs",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="number of the verification"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("started_at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when it began"),
    Column("finished_at", TIMESTAMPTZ, comment="when it ended; null: it is in work, or was killed"),
    Column("status", Text, nullable=False, comment="running, passed, bug, incomplete, failed, stopped, interrupted"),
    Column("snapshot", Text, comment="pg_current_snapshot() of the legacy database when it began"),
    Column("actor", Text, nullable=False, comment="user and host that verified"),
    Column("program_version", Text, nullable=False, comment="program that verified"),
    Column(
        "tables",
        JSONB,
        nullable=False,
        server_default="{}",
        comment="per table: seconds, rows compared, differences per label, and whether it was read again",
    ),
    Column("error", Text, comment="class and text of what ended it, without values"),
    Index("idx_verification_runs_source_id", "source_id", "id"),
    comment="One row per verification",
)

verifications = Table(
    "verifications",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("table_name", Text, primary_key=True, comment="target table"),
    Column("verification_id", BigInteger, nullable=False, comment="verification_runs.id of the last that looked at it"),
    Column(
        "status",
        Text,
        nullable=False,
        comment="verified: every row was compared; incomplete: not all rows are there; failed: it could not be",
    ),
    Column("verified_at", TIMESTAMPTZ, nullable=False, comment="when its rows were last compared"),
    Column("confirmed_at", TIMESTAMPTZ, nullable=False, comment="when it was last known that nothing has moved since"),
    Column(
        "whole_at",
        TIMESTAMPTZ,
        comment="when every row was compared last, if only rows written since were at verified_at",
    ),
    Column("snapshot", Text, nullable=False, comment="pg_current_snapshot() of the legacy database that was compared"),
    Column("seconds", Float, nullable=False, comment="that the comparison took"),
    Column("rows_compared", BigInteger, nullable=False, comment="rows that the second opinion expects"),
    Column("bugs", BigInteger, nullable=False, comment="differences that nothing explains"),
    Column("counts", JSONB, nullable=False, comment="differences per check and label"),
    Column("checks", JSONB, nullable=False, comment="the checks with what they looked at and what they found"),
    Column("findings", JSONB, nullable=False, comment="the first differences, BUGs first: names and keys, no values"),
    Column("matrices", JSONB, nullable=False, comment="rows per legacy word and target label, by column"),
    Column("aggregates", JSONB, comment="rows, nulls, sum, minimum and maximum by column, on both sides"),
    Column("inputs", JSONB, comment="marks of all that was compared: while they stay, nothing has moved"),
    Column("error", Text, comment="why it could not be verified, without values"),
    comment="What the last verification of each table found",
)
