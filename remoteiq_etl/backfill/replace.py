"""Rows that belong to an owner: what the owner no longer has is removed, if it is ours and unchanged."""

from typing import TYPE_CHECKING

from psycopg import sql

from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.backfill.state import map_of

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run


def remove_replaced(run: "Run", spec: TableSpec, seen: set[tuple[str, str]], waiting_owners: set[str]) -> int:
    """Remove the rows of a complete read that were not seen in it; rows of owners in quarantine stay. Returns rows removed."""
    name = run.state.name(map_of(spec).name)
    query = sql.SQL(
        "SELECT legacy_table, legacy_key, owner_key FROM {} WHERE source_id = %s AND state = 'live' AND NOT adopted AND legacy_table = ANY (%s)"
    )
    tables = [source.name for source in spec.sources]
    mapped = run.session.rows(query.format(name), [run.registered.id, tables])
    gone = [(table, key) for table, key, owner in mapped if (table, key) not in seen and owner not in waiting_owners]
    removed = 0
    for table, key in gone:
        removed += _remove(run, spec, table, key)
    return removed


def _remove(run: "Run", spec: TableSpec, legacy_table: str, legacy_key: str) -> int:
    target, name = run.target_name(spec.name), run.state.name(map_of(spec).name)
    parameters = {"source": run.registered.id, "table": legacy_table, "key": legacy_key, "run": run.id}
    delete = sql.SQL(
        "DELETE FROM {target} AS t USING {map} AS m WHERE m.source_id = %(source)s AND m.legacy_table = %(table)s AND m.legacy_key = %(key)s AND {join}"
    )
    deleted = run.session.execute(delete.format(target=target, map=name, join=key_join(spec)), parameters).rowcount
    forget = sql.SQL(
        "UPDATE {map} SET state = 'gone', written_hash = NULL, last_run = %(run)s WHERE source_id = %(source)s AND legacy_table = %(table)s AND legacy_key = %(key)s"
    )
    run.session.execute(forget.format(map=name), parameters)
    return max(deleted, 1)


def key_join(spec: TableSpec) -> sql.Composable:
    """The condition under which a map row (m) names a target row (t)."""
    if len(spec.primary_key) == 1:
        return sql.SQL("t.{} = m.new_key").format(sql.Identifier(spec.primary_key[0]))
    parts = [
        sql.SQL("t.{}::text = (m.new_key::jsonb ->> {})").format(sql.Identifier(column), sql.Literal(position))
        for position, column in enumerate(spec.primary_key)
    ]
    return sql.SQL(" AND ").join(parts)
