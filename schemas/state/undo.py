"""Undos: their plans, what they still have to do, and what the target held besides when they began."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    false,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import LEGACY_KEY, LEGACY_TABLE, SOURCE, metadata

undos = Table(
    "undos",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="number of the undo"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("digest", Text, nullable=False, comment="of what the plan was computed from"),
    Column("plan", JSONB, nullable=False, comment="the plan as it was shown"),
    Column("status", Text, nullable=False, comment="planned, executing, done, given up"),
    Column("actor", Text, nullable=False, comment="user and host that planned or executed it"),
    Column(
        "planned_at",
        TIMESTAMPTZ,
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="when the plan was kept",
    ),
    Column("begun_at", TIMESTAMPTZ, comment="when its execution began"),
    Column("finished_at", TIMESTAMPTZ, comment="when its execution ended"),
    Column("last_run", BigInteger, comment="last run when it began: a later one ends it"),
    Column("proof", JSONB, comment="per table, rows and checksum of what the undo leaves alone, at its beginning"),
    Index("idx_undos_source_id_digest", "source_id", "digest"),
    comment="Plans that take back what runs did, and how far each was executed",
)

undo_rows = Table(
    "undo_rows",
    metadata,
    Column("undo_id", BigInteger, ForeignKey("state.undos.id"), primary_key=True, comment="undos.id"),
    Column("table_name", Text, primary_key=True, comment="target table"),
    Column("new_key", Text, primary_key=True, comment="key of the target row"),
    Column("action", Text, nullable=False, comment="delete, restore, insert; keep: the user's edit stays"),
    Column("done", Boolean, nullable=False, server_default=false(), comment="committed"),
    Column("deferred", Boolean, nullable=False, server_default=false(), comment="its unique value is not free yet"),
    Column("legacy_table", Text, comment=LEGACY_TABLE),
    Column("legacy_key", Text, comment=LEGACY_KEY),
    Column("first_image", BigInteger, comment="before image that it gets back"),
    Column("last_image", BigInteger, comment="last before image of the writes that are taken back"),
    Column("row_hash", LargeBinary, comment="HMAC of the row when the undo began"),
    Column("lost", ARRAY(Text), nullable=False, comment="columns whose former value nobody has"),
    comment="The rows of an undo in work; emptied when it is done",
)
