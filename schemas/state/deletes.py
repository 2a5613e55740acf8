"""Rows gone from legacy, and what is needed to tell whether a target row is still as it was written."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, SmallInteger, Table, Text, func
from sqlalchemy.dialects.postgresql import ARRAY

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import LEGACY_KEY, LEGACY_TABLE, SOURCE, metadata

gone = Table(
    "gone",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("table_name", Text, primary_key=True, comment="target table"),
    Column("legacy_table", Text, primary_key=True, comment=LEGACY_TABLE),
    Column("legacy_key", Text, primary_key=True, comment=LEGACY_KEY),
    Column("new_key", Text, comment="the target row that it became; null where it became none"),
    Column("unit", Text, nullable=False, comment="rows of one legacy row go together: what they have in common"),
    Column(
        "outcome",
        Text,
        nullable=False,
        server_default="listed",
        comment="listed, deleted, withdrawn (see the table's declaration), lives on, was deleted in target, became no row",
    ),
    Column("reason", Text, comment="why it is listed and not deleted"),
    Column("holder", Text, comment="the row that refers to it: table and key"),
    Column("first_run", BigInteger, nullable=False, comment="run that found it gone"),
    Column("last_run", BigInteger, nullable=False, comment="last run that did"),
    Column("judged_run", BigInteger, comment="last run that looked whether it can be deleted"),
    Column("done_run", BigInteger, comment="run that deleted or withdrew it"),
    Column("found_at", TIMESTAMPTZ, nullable=False, server_default=func.now(), comment="when it was found gone first"),
    Column("returned_run", BigInteger, comment="run that found it back in legacy; null: it is gone"),
    Index("idx_gone_new_key", "source_id", "table_name", "new_key"),
    comment="Legacy rows that a complete read did not contain any more",
)

written_columns = Table(
    "written_columns",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("table_name", Text, primary_key=True, comment="target table"),
    Column("legacy_table", Text, primary_key=True, comment=LEGACY_TABLE),
    Column("columns", ARRAY(Text), nullable=False, comment="in the order in which they are hashed"),
    comment="The columns that the hash of what was last written covers",
)
