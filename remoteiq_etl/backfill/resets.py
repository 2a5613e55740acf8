"""Resets as a run sees them: what was forgotten on demand and is to be read again, until a run has done so.

Belongs here: reading and closing them. Does not belong here: forgetting (remoteiq_etl.lifecycle.reset).
"""

from typing import TYPE_CHECKING

from psycopg import sql

from remoteiq_etl.backfill.spec import TableSpec

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run

#: Stands where the fingerprint of a completed asset would: nothing that it read before counts.
FORGOTTEN = ""


def forgotten_rows(run: "Run", spec: TableSpec) -> list[tuple[str, str]]:
    """Legacy table and key of each row that is to be read again."""
    query = sql.SQL(
        "SELECT legacy_table, legacy_key FROM {} WHERE source_id = %s AND table_name = %s AND run_id IS NULL"
        " AND legacy_key IS NOT NULL"
    )
    rows = run.session.rows(query.format(run.state.name("resets")), [run.registered.id, spec.asset])
    return [(str(table), str(key)) for table, key in rows]


def close_resets(run: "Run", spec: TableSpec) -> None:
    """Note that this run has read again what was forgotten of an asset."""
    update = sql.SQL("UPDATE {} SET run_id = %s WHERE source_id = %s AND table_name = %s AND run_id IS NULL")
    run.session.execute(update.format(run.state.name("resets")), [run.id, run.registered.id, spec.asset])
