"""What the legacy-shaped views need to know beyond maps and archive: the numbers of rows that legacy never had."""

from sqlalchemy import BigInteger, Column, ForeignKey, SmallInteger, Table, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import UUID

from schemas.state.base import SOURCE, metadata

legacy_numbers = Table(
    "legacy_numbers",
    metadata,
    Column("source_id", SmallInteger, ForeignKey("state.sources.id"), primary_key=True, comment=SOURCE),
    Column("legacy_table", Text, primary_key=True, comment="legacy table whose keys are numbers"),
    Column("new_key", UUID, primary_key=True, comment="primary key of the target row, which the new application wrote"),
    Column("legacy_key", BigInteger, nullable=False, comment="number under which the legacy-shaped view shows it"),
    UniqueConstraint("source_id", "legacy_table", "legacy_key"),
    comment="Legacy keys of rows that only the new application wrote, above those of the legacy database",
)
