"""Cut-overs, how far each came and what must be given back, and the archives that were made before a cleanup."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

from schemas.columns import TIMESTAMPTZ
from schemas.state.base import SOURCE, metadata

cutovers = Table(
    "cutovers",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order in which they were begun"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("phase", Text, nullable=False, comment="begun, fenced, switching, done, failed, going back, taken back"),
    Column("actor", Text, nullable=False, comment="user and host that began it"),
    Column("begun_at", TIMESTAMPTZ, nullable=False, server_default=func.clock_timestamp(), comment="when it was begun"),
    Column(
        "fence",
        JSONB,
        comment="what keeps the old application from writing, and what was there before; written before it is taken; null:"
        " nothing is taken",
    ),
    Column(
        "fenced_at",
        TIMESTAMPTZ,
        comment="when the fence stood, by the clock of the legacy server; runs from then on are those of the cut-over",
    ),
    Column("switched_at", TIMESTAMPTZ, comment="when the new application was let in"),
    Column("ended_at", TIMESTAMPTZ, comment="when it was done, had failed, or was taken back"),
    Column("schemas", JSONB, comment="of one database: oids and names of both schemas before and after; null: of two"),
    Column("marks", JSONB, comment="horizons and rows of both sides, by which later writes are told"),
    Column("seconds", JSONB, comment="how long each step took"),
    Column("error", Text, comment="class and text of what ended it, without values"),
    Index("idx_cutovers_source_id_id", "source_id", "id"),
    comment="Attempts to cut over; of a source the last one counts",
)

state_archives = Table(
    "state_archives",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True, comment="in the order in which they were made"),
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), nullable=False, comment=SOURCE),
    Column("directory", Text, nullable=False, comment="where its files lie"),
    Column("digest", Text, nullable=False, comment="sha256 of its manifest, which has that of every file"),
    Column("files", Integer, nullable=False, comment="files besides the manifest"),
    Column("rows", BigInteger, nullable=False, comment="rows in them"),
    Column("sealed", Boolean, nullable=False, comment="whether they are encrypted with the sealing key"),
    Column("actor", Text, nullable=False, comment="user and host that made it"),
    Column(
        "checked_at",
        TIMESTAMPTZ,
        nullable=False,
        server_default=func.clock_timestamp(),
        comment="when it was read back and found whole",
    ),
    comment="Archives of this schema that were made before the legacy tables were dropped",
)
