"""What is in reach of a piece of the engine that works on the target alone: an open run has it, and so has an undo.

Belongs here: that list, and the names that it gives to statements. Does not belong here: how it is opened (see run, source_lock).
"""

from typing import Protocol

from psycopg import sql

from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.maps import key_join, map_of
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import SourceRecord


class TargetAccess(Protocol):
    """A session on the target, and what is known of the source and of the tables."""

    @property
    def session(self) -> Session:
        """The session on the target."""

    @property
    def state(self) -> State:
        """The state schema."""

    @property
    def source_record(self) -> SourceRecord:
        """The source."""

    @property
    def target(self) -> Database:
        """The target database."""

    def spec(self, entity: str) -> TableSpec:
        """The declaration of an asset."""

    def has_target(self, table: str) -> bool:
        """Whether the target has this table."""


def statement_names(
    access: TargetAccess, spec: TableSpec, legacy_table: str | None = None
) -> dict[str, sql.Composable]:
    """What a statement about one target table (and one legacy table) may name: {placeholder} → its text.

    All of the state schema, the map (m) and the target table (t) with what joins them, and the source.
    """
    found = map_of(spec)
    legacy = {} if legacy_table is None else {"legacy_table": sql.Literal(legacy_table)}
    return {
        **access.state.names,
        "map": access.state.name(found.name),
        "map_key": sql.SQL(", ").join(sql.Identifier(column.name) for column in found.primary_key.columns),
        "key_join": key_join(spec),
        "target": access.target.table(spec.name),
        "source_id": sql.Literal(access.source_record.id),
        "table_name": sql.Literal(spec.name),
        **legacy,
    }
