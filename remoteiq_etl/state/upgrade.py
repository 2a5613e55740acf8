"""Brings an older state schema up to what this program knows: missing tables, columns and indexes are added, no row goes.

A new column of an existing table is nullable or has a default, so that what is there stays as it is; a primary key of
other columns than before is replaced. Belongs here: the difference and the statements. Does not belong here: the
version and who may raise it (see state).
"""

from collections.abc import Iterable

from psycopg import sql
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.schema import CreateColumn

from remoteiq_etl.postgres.database import Session
from schemas import ddl
from schemas.state.maps import MAP_PATTERN, map_table

_DIALECT = pg.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


def upgrade(session: Session, schema: str, tables: Iterable[Table]) -> list[str]:
    """Add what the schema lacks of these tables and of every map in it. Returns what was added, as table or table.column."""
    found, tables = _columns(session, schema), list(tables)
    fixed = {table.name for table in tables}
    added: list[str] = []
    for table in tables:
        if table.name in found:
            added += _add_columns(session, schema, table.name, table, found[table.name])
            _replace_key(session, schema, table)
            _add_indexes(session, schema, table)
        else:
            session.execute(";\n".join(ddl.table_ddl(table, schema, foreign_keys=True, indexes=True)))
            added.append(table.name)
    like_any = map_table("any")
    for name in sorted(name for name in found if MAP_PATTERN.fullmatch(name) and name not in fixed):
        added += _add_columns(session, schema, name, like_any, found[name])
    return added


def _add_columns(session: Session, schema: str, name: str, table: Table, found: set[str]) -> list[str]:
    missing = [column for column in table.columns if column.name not in found]
    for column in missing:
        definition = str(CreateColumn(column).compile(dialect=_DIALECT))
        statement = sql.SQL("ALTER TABLE {} ADD COLUMN {}").format(
            sql.Identifier(schema, name), sql.SQL(definition.replace("{", "{{").replace("}", "}}")).format()
        )
        session.execute(statement)
    return [f"{name}.{column.name}" for column in missing]


def _replace_key(session: Session, schema: str, table: Table) -> None:
    wanted = [column.name for column in table.primary_key.columns]
    query = (
        "SELECT k.conname, array_agg(a.attname::text ORDER BY n.position) FROM pg_constraint AS k"
        " CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS n (number, position)"
        " JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = n.number"
        " WHERE k.contype = 'p' AND k.conrelid = %s::regclass GROUP BY k.conname"
    )
    name = sql.Identifier(schema, table.name)
    for constraint, columns in session.rows(query, [name.as_string(None)]):
        if columns != wanted:
            replace = sql.SQL("ALTER TABLE {table} DROP CONSTRAINT {key}, ADD CONSTRAINT {key} PRIMARY KEY ({columns})")
            listed = sql.SQL(", ").join(map(sql.Identifier, wanted))
            session.execute(replace.format(table=name, key=sql.Identifier(constraint), columns=listed))


def _add_indexes(session: Session, schema: str, table: Table) -> None:
    query = "SELECT indexname FROM pg_indexes WHERE schemaname = %s AND tablename = %s"
    present = {row[0] for row in session.rows(query, [schema, table.name])}
    names = sorted(str(index.name) for index in table.indexes)
    for name, statement in zip(names, ddl.index_ddl(table, schema), strict=True):
        if name not in present:
            session.execute(statement)


def _columns(session: Session, schema: str) -> dict[str, set[str]]:
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s"
    tables: dict[str, set[str]] = {}
    for table, column in session.rows(query, [schema]):
        tables.setdefault(table, set()).add(column)
    return tables
