"""Where the migration of each source stands, how it came there, and which command is in work on that."""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, SmallInteger, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import SOURCE, metadata

STAGES = "prepared, loading, in step, verified, finalized, cut over, cleaned up"


def _entry() -> list[Column[Any]]:
    """What is known of one move. Made for each table: a column belongs to one."""
    return [
        Column("at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when"),
        Column("actor", Text, comment="user and host that did it"),
        Column("role", Text, nullable=False, server_default=text("session_user"), comment="role of the session"),
        Column("reason", Text, comment="why, in words"),
        Column("run_id", BigInteger, comment="run that did it; null: no run"),
        Column("details", JSONB, comment="what else is to be known of it; no value of any row"),
    ]


stages = Table(
    "stages",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("stage", Text, comment=f"{STAGES}; null: nothing has been prepared"),
    Column("came_from", Text, comment="the stage before it"),
    *_entry(),
    comment="Where the migration of each source stands",
)

stage_history = Table(
    "stage_history",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order of the moves"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("came_from", Text, comment="the stage before it; null: nothing had been prepared"),
    Column("stage", Text, comment=f"{STAGES}; null: what was prepared has been taken away"),
    *_entry(),
    Index("idx_stage_history_source_id_id", "source_id", "id"),
    comment="Every move of a source from one stage to another; rows are added and never changed",
)

stage_claims = Table(
    "stage_claims",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("command", Text, nullable=False, comment="what is in work"),
    Column("actor", Text, nullable=False, comment="user and host that began it"),
    Column("role", Text, nullable=False, server_default=text("session_user"), comment="role of the session"),
    Column("at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when it began"),
    comment="The command that works on a stage; it is in work as long as its session holds the lock",
)
