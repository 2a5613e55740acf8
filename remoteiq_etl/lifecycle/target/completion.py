"""What a finished target has besides keys and indexes: columns that are not null, sequences beyond what is there, statistics.

Belongs here: finding what is missing in the catalogue, and making it. Does not belong here: what is recorded of a part (see
ownership), reporting views.
"""

from collections.abc import Collection

from psycopg import sql
from sqlalchemy import Table

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from schemas import target

SQL = statements(__file__)


def set_not_null(session: Session, schema: str, tables: Collection[str], lock_timeout: str) -> tuple[str, ...]:
    """Set the columns not null that should be, of these tables; returns them as table.column.

    By a check that is validated first, without a lock that writers wait for: SET NOT NULL then takes the server's word for it.
    """
    wanted = [
        f"{table.name}.{column.name}" for table in _known(tables) for column in table.columns if not column.nullable
    ]
    found = session.rows(SQL["nullable"], {"schema": schema, "columns": wanted})
    for table, column in found:
        places = {
            "table": sql.Identifier(schema, table),
            "column": sql.Identifier(column),
            "check": sql.Identifier(f"remoteiq_etl_{column}"[:63]),
        }
        steps = (
            "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {check},"
            " ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID",
            "ALTER TABLE {table} VALIDATE CONSTRAINT {check}",
            "ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL, DROP CONSTRAINT {check}",
        )
        for step in steps:
            with session.transaction():
                session.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(lock_timeout))
                session.execute(sql.SQL(step).format(**places))
    return tuple(f"{table}.{column}" for table, column in found)


def advance_sequences(session: Session, schema: str) -> tuple[str, ...]:
    """Set the sequences that would give a value that is there beyond the highest one; returns their names. None is set back."""
    behind = []
    for sequence, table, column, ascends in session.rows(SQL["sequences"], {"schema": schema}):
        places = {
            "sequence": sql.Identifier(schema, sequence),
            "table": sql.Identifier(schema, table),
            "column": sql.Identifier(column),
        }
        highest = session.value(SQL["behind"].format(**places)) if ascends else None
        if highest is not None:
            name = sql.Literal(sql.Identifier(schema, sequence).as_string(None))
            session.execute(sql.SQL("SELECT pg_catalog.setval({}, {})").format(name, sql.Literal(highest)))
            behind.append(sequence)
    return tuple(behind)


def analyze(session: Session, schema: str, tables: Collection[str]) -> None:
    """Let the server look at these tables: what was loaded in bulk has no statistics. Those of others it leaves out."""
    for table in _known(tables):
        session.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, table.name)))


def analyze_state(session: Session, schema: str) -> tuple[str, ...]:
    """Let the server look at tables of our own that have grown since it did; returns which. Undo and verification join them."""
    grown = [name for (name,) in session.rows(SQL["grown"], {"schema": schema})]
    for name in grown:
        session.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(schema, name)))
    return tuple(grown)


def _known(tables: Collection[str]) -> list[Table]:
    return [table for table in target.metadata.sorted_tables if table.name in tables]
