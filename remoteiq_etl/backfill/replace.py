"""Rows that exist only as long as something else says so: what a complete read no longer yields is removed.

Removed is only what is ours, as we wrote it, and referred to by nothing. Belongs here: rows of an owner (links, tags) and
derived rows declared so. Does not belong here: rows gone from legacy, whose policy is the operator's.
"""

from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.backfill.database import load_sql
from remoteiq_etl.backfill.spec import Derived, TableSpec
from remoteiq_etl.backfill.state import map_of

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run


def removing_sources(spec: TableSpec) -> list[str]:
    """The sources whose rows are removed when they are no longer yielded."""
    if spec.replaces:
        return [source.name for source in spec.sources]
    return [source.name for source in spec.sources if isinstance(source, Derived) and source.removes]


def remove_replaced(run: "Run", spec: TableSpec, seen: set[tuple[str, str]], waiting_owners: set[str]) -> int:
    """Remove what was not seen in a complete read; rows that wait, or whose owner does, stay. Returns rows removed."""
    names = _names(run, spec)
    query = load_sql("removable").format(**names, unreferenced=_unreferenced(run, spec))
    mapped = run.session.rows(query, [removing_sources(spec)])
    gone = [(table, key) for table, key, owner in mapped if (table, key) not in seen and owner not in waiting_owners]
    for table, key in gone:
        for statement in ("removed_image", "remove", "forget"):
            run.session.execute(load_sql(statement).format(**names), {"table": table, "key": key})
    return len(gone)


def key_join(spec: TableSpec) -> sql.Composable:
    """The condition under which a map row (m) names a target row (t)."""
    if len(spec.primary_key) == 1:
        return sql.SQL("t.{} = m.new_key").format(sql.Identifier(spec.primary_key[0]))
    parts = [
        sql.SQL("t.{}::text = (m.new_key::jsonb ->> {})").format(sql.Identifier(column), sql.Literal(position))
        for position, column in enumerate(spec.primary_key)
    ]
    return sql.SQL(" AND ").join(parts)


def _names(run: "Run", spec: TableSpec) -> dict[str, sql.Composable]:
    return {
        "map": run.state.name(map_of(spec).name),
        "target": run.target_name(spec.name),
        "before_images": run.state.name("before_images"),
        "redacted": run.state.name("redacted"),
        "source_id": sql.Literal(run.registered.id),
        "run_id": sql.Literal(run.id),
        "table_name": sql.Literal(spec.name),
        "key_join": key_join(spec),
    }


def _unreferenced(run: "Run", spec: TableSpec) -> sql.Composable:
    """Conditions that no row of another table refers to the row: a cascade must never take a row that is not ours."""
    conditions = [
        sql.SQL("AND NOT EXISTS (SELECT FROM {} AS c WHERE c.{} = t.{})").format(
            run.target_name(child.name), sql.Identifier(column), sql.Identifier(parent)
        )
        for child, column, parent in _references(run.spec(spec.name).target)
        if run.has_target(child.name)
    ]
    return sql.SQL("\n    ").join(conditions)


def _references(table: Table) -> list[tuple[Table, str, str]]:
    """(child table, its column, our column) for every foreign key that refers to a table."""
    return [
        (child, key.parent.name, key.column.name)
        for child in table.metadata.sorted_tables
        for key in child.foreign_keys
        if key.column.table is table
    ]
