"""Brings an older state schema up to what this program knows: missing tables and columns are added, nothing is taken away.

A new column of an existing table is nullable or has a default, so that what is there stays as it is. Belongs here: the
difference and the statements. Does not belong here: the version and who may raise it (see state).
"""

from collections.abc import Iterable

from psycopg import sql
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.schema import CreateColumn

from remoteiq_etl.backfill.database import Session
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


def _columns(session: Session, schema: str) -> dict[str, set[str]]:
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s"
    tables: dict[str, set[str]] = {}
    for table, column in session.rows(query, [schema]):
        tables.setdefault(table, set()).add(column)
    return tables
