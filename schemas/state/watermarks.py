"""What each table was last read up to: where the next extract begins."""

from sqlalchemy import BigInteger, Column, ForeignKey, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import SOURCE, metadata

#: Stands where the fingerprint of a completed asset would: nothing that it read before counts.
FORGOTTEN = ""
#: The same of an asset that was loaded although a table that it refers to had failed in that run.
UNSETTLED = "unsettled"

passes = Table(
    "passes",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("table_name", Text, primary_key=True, comment="asset"),
    Column("legacy_table", Text, primary_key=True, comment="legacy table that the asset reads, as source or otherwise"),
    Column("run_id", BigInteger, nullable=False, comment="run whose snapshot it was read in"),
    Column(
        "horizon", BigInteger, nullable=False, comment="xmin of that snapshot: rows of older transactions were seen"
    ),
    Column("legacy_rows", BigInteger, nullable=False, comment="rows of the legacy table in that snapshot"),
    Column(
        "shape", JSONB, comment="of the legacy table's catalogue, by part: columns, labels, children; null: not noted"
    ),
    Column("passed_at", TIMESTAMPTZ, nullable=False, comment="when the table was completed"),
    comment="High-water mark of each legacy table for each asset that reads it",
)

assets = Table(
    "assets",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("table_name", Text, primary_key=True, comment="asset"),
    Column("run_id", BigInteger, nullable=False, comment="last run that completed it"),
    Column("full_run", BigInteger, nullable=False, comment="last run that read all of its legacy rows"),
    Column("changed_run", BigInteger, nullable=False, comment="last run that changed which key leads where"),
    Column("database", Text, nullable=False, comment="cluster, timeline and database that was read"),
    Column("fingerprint", Text, nullable=False, comment="of the transform, its words and its options"),
    Column(
        "digests", JSONB, nullable=False, server_default="{}", comment="of what it read of other legacy tables, by name"
    ),
    Column("swept_at", TIMESTAMPTZ, comment="when a sweep last compared every legacy row of it with what is known"),
    Column("found_late", BigInteger, comment="rows that differed then although nothing had told so: must be 0"),
    comment="How each asset was last completed: by which program, from which database",
)
