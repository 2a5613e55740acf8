"""How many legacy rows have changed since each table was last completed, told by the xmin of each row.

Belongs here: counting, for people. Does not belong here: deciding what a run reads (`remoteiq_etl.backfill.change_capture.capture`).
"""

from collections.abc import Mapping

from psycopg import sql

from remoteiq_etl.backfill.source.selection import OLDEST_HORIZON, is_newer
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state.schema import State

SeenUpTo = Mapping[str, Mapping[str, int]]
"""By asset: the legacy tables that it reads, each with the horizon up to which it was read."""


def read_passes(session: Session, state: State, source_id: int) -> SeenUpTo:
    """Up to where each asset of a source has read."""
    query = sql.SQL("SELECT table_name, legacy_table, horizon FROM {} WHERE source_id = %s")
    found: dict[str, dict[str, int]] = {}
    for asset, table, horizon in session.rows(query.format(state.name("passes")), [source_id]):
        found.setdefault(asset, {})[table] = horizon
    return found


def count_changed(legacy: Session, passes: SeenUpTo) -> dict[str, int | None]:
    """Rows per asset that were written in its legacy tables since it was completed; deleted rows leave no trace.

    None where that cannot be told: a table is gone or may not be read, or the horizon is of another database. Each table is
    read once per horizon, a third of a second for a million rows.
    """
    newest = int(legacy.value("SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())"))
    readable = _readable(legacy)
    counted: dict[tuple[str, int], int | None] = {}
    for table, horizon in sorted({one for tables in passes.values() for one in tables.items()}):
        tellable = table in readable and 0 <= newest - horizon <= OLDEST_HORIZON
        counted[table, horizon] = _count(legacy, table, horizon) if tellable else None
    return {asset: _sum([counted[one] for one in tables.items()]) for asset, tables in passes.items()}


def _count(legacy: Session, table: str, horizon: int) -> int:
    query = sql.SQL("SELECT count(*) FROM {} AS l WHERE {}")
    return int(legacy.value(query.format(legacy.database.table(table), is_newer(sql.SQL("l.xmin"), horizon))))


def _readable(legacy: Session) -> set[str]:
    query = (
        "SELECT c.relname FROM pg_catalog.pg_class AS c WHERE c.relnamespace = pg_catalog.to_regnamespace(%s)"
        " AND pg_catalog.has_table_privilege(c.oid, 'SELECT')"
    )
    return {name for (name,) in legacy.rows(query, [sql.Identifier(legacy.database.schema).as_string(None)])}


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
