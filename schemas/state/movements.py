"""What came and went of the rows that are ours: the book that says how many there must be now."""

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, SmallInteger, Table, Text, func

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import SOURCE, metadata

CAUSES = (
    "opening: what was there when this book was begun; inserted, recreated, adopted: by a run; found again: the row of a key"
    " that led to none of its own is there again; deleted in target: noted by a run; merged away: the key leads to the row of"
    " another one now; gone from legacy, withdrawn, replaced: deleted by a run; undone, restored: by an undo;"
    " carried back: by a fall-back, in legacy"
)

movements = Table(
    "movements",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order in which they were written"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("table_name", Text, nullable=False, comment="target table"),
    Column(
        "run_id",
        BigInteger,
        comment="run that did it; of the opening the last one before; null: an undo or a fall-back did",
    ),
    Column("undo_id", BigInteger, comment="undo that did it; null: a run or a fall-back did"),
    Column("cause", Text, nullable=False, comment=CAUSES),
    Column("rows", BigInteger, nullable=False, comment="rows, or keys, that this happened to"),
    Column(
        "change", BigInteger, nullable=False, comment="of the number of live keys; the sum of all is how many there are"
    ),
    Column(
        "moved_at",
        TIMESTAMPTZ,
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="when it was written, in the transaction that did it",
    ),
    Index("idx_movements_source_id_table_name", "source_id", "table_name"),
    comment="Changes of the number of rows that are ours, each written in the transaction that made it",
)
