"""How many legacy rows have changed since each table was last completed, told by the xmin of each row and by the catalogue.

Belongs here: counting, for people and for what starts runs. Does not belong here: deciding what a run reads
(`remoteiq_etl.backfill.change_capture.capture`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from remoteiq_etl.backfill.source.ages import OLDEST_HORIZON, is_newer
from remoteiq_etl.backfill.source.relation_shape import RelationShape, altered, read_shapes
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state.schema import State
from schemas.legacy.base import metadata


@dataclass(frozen=True)
class Seen:
    """What an asset has seen of a legacy table: up to which horizon, how many rows, and what the table was like."""

    horizon: int
    rows: int
    shape: RelationShape | None


SeenUpTo = Mapping[str, Mapping[str, Seen]]
"""By asset: the legacy tables that it reads, each with what it has seen of it."""


def read_passes(session: Session, state: State, source_id: int) -> SeenUpTo:
    """Up to where each asset of a source has read."""
    query = sql.SQL("SELECT table_name, legacy_table, horizon, legacy_rows, shape FROM {} WHERE source_id = %s")
    found: dict[str, dict[str, Seen]] = {}
    for asset, table, *seen in session.rows(query.format(state.name("passes")), [source_id]):
        found.setdefault(asset, {})[table] = Seen(*seen)
    return found


def count_changed(legacy: Session, passes: SeenUpTo) -> dict[str, int | None]:
    """Rows per asset that were written in its legacy tables since it was completed; deleted rows leave no trace.

    Of a table that was altered since, so that its rows may read otherwise, all; of one that has more rows than were written
    (a partition was attached), as many as it has more. None where that cannot be told: a table is gone or may not be read, or
    the horizon is of another database. Each table is read once per horizon, a third of a second for a million rows.
    """
    counts = _Counts(legacy)
    return {asset: _sum([counts.changed(*one) for one in tables.items()]) for asset, tables in passes.items()}


def changed_assets(legacy: Session, passes: SeenUpTo) -> frozenset[str]:
    """The assets of which a legacy table is not as they have seen it: written, altered, with fewer rows, or nobody can tell."""
    counts = _Counts(legacy)
    return frozenset(
        asset for asset, tables in passes.items() if any(not counts.is_as_seen(*one) for one in tables.items())
    )


class _Counts:
    """The legacy tables as they are now, each counted once per horizon."""

    def __init__(self, legacy: Session) -> None:
        self.legacy = legacy
        self.newest = int(legacy.value("SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())"))
        self.readable = _readable(legacy)
        self.shapes = read_shapes(legacy, {table.name: table.columns.keys() for table in metadata.tables.values()})
        self._counted: dict[tuple[str, int], tuple[int, int]] = {}

    def changed(self, table: str, seen: Seen) -> int | None:
        """Rows that were written since; None where that cannot be told."""
        if table not in self.readable or not 0 <= self.newest - seen.horizon <= OLDEST_HORIZON:
            return None
        rows, newer = self._rows(table, seen.horizon)
        is_altered = seen.shape is not None and altered(seen.shape, self.shapes.get(table))
        return rows if is_altered else max(newer, rows - seen.rows)

    def is_as_seen(self, table: str, seen: Seen) -> bool:
        """Whether the table has the very rows that were seen."""
        return self.changed(table, seen) == 0 and self._rows(table, seen.horizon)[0] == seen.rows

    def _rows(self, table: str, horizon: int) -> tuple[int, int]:
        if (table, horizon) not in self._counted:
            self._counted[table, horizon] = _count(self.legacy, table, horizon)
        return self._counted[table, horizon]


def _count(legacy: Session, table: str, horizon: int) -> tuple[int, int]:
    """Rows of a table, and how many of them are newer than a horizon."""
    query = sql.SQL("SELECT count(*), count(*) FILTER (WHERE {}) FROM {} AS l")
    rows, newer = legacy.rows(query.format(is_newer(sql.SQL("l.xmin"), horizon), legacy.database.table(table)))[0]
    return int(rows), int(newer)


def _readable(legacy: Session) -> set[str]:
    query = (
        "SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.relnamespace = pg_catalog.to_regnamespace(%s)"
        " AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid)"
    )
    return {name for (name,) in legacy.rows(query, [sql.Identifier(legacy.database.schema).as_string(None)])}


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
