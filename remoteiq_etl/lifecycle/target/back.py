"""The way back of prepare: the tables that it made are dropped as long as they are empty.

Belongs here: which objects of the target are ours to drop, and dropping them without CASCADE. Does not belong here: rows,
which an undo takes back; tables that somebody else made.
"""

import psycopg
from psycopg import sql

from remoteiq_etl.errors import PrepareError
from remoteiq_etl.lifecycle.target import ownership
from remoteiq_etl.lifecycle.target.prepare import LOCK_TIMEOUT
from remoteiq_etl.lifecycle.target.views import drop_views
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from schemas import ddl, target

SQL = statements(__file__)


def take_back(session: Session, *, target_schema: str, state: State) -> tuple[str, ...]:
    """Drop the tables of ours, their types and the function of theirs, in one transaction; returns the tables, by name.

    Raises PrepareError when one has rows, or something else depends on one.
    """
    with session.transaction():
        session.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
        ownership.lock_transaction(session)
        tables = sorted(ownership.created_by_us(session, state, target_schema))
        present = [name for name in tables if _is_there(session, target_schema, name)]
        _refuse_rows(session, target_schema, present)
        try:
            _drop(session, target_schema, present)
        except psycopg.errors.DependentObjectsStillExist as error:
            raise PrepareError(
                f"something of somebody else's depends on the tables of schema {target_schema!r}: {error.diag.message_detail}."
                " Nothing was dropped. Drop that first."
            ) from error
        _put_function_back(session, target_schema, state)
        ownership.forget(session, state, target_schema)
        return tuple(present)


def _is_there(session: Session, schema: str, name: str) -> bool:
    found = sql.Identifier(schema, name).as_string(None)
    return session.value("SELECT pg_catalog.to_regclass(%s) IS NOT NULL", [found]) is True


def _refuse_rows(session: Session, schema: str, tables: list[str]) -> None:
    query = sql.SQL("SELECT EXISTS (SELECT FROM {})")
    filled = [name for name in tables if session.value(query.format(sql.Identifier(schema, name)))]
    if filled:
        raise PrepareError(
            f"{len(filled)} tables that prepare made have rows: {', '.join(filled)}. Nothing was dropped. remoteiq-etl undo"
            " takes back what runs wrote; what somebody else wrote is not ours to drop."
        )


def _drop(session: Session, schema: str, tables: list[str]) -> None:
    """Views first, then all tables in one statement, as they refer to each other; then the types that nobody uses."""
    drop_views(session, schema)
    if tables:
        names = sql.SQL(", ").join(sql.Identifier(schema, name) for name in tables)
        session.execute(sql.SQL("DROP TABLE {}").format(names))
    enums = [str(enum.name) for enum in ddl.enums_of(target.metadata)] if tables else []
    for (name,) in session.rows(SQL["unused_types"], {"schema": schema, "names": enums}):
        session.execute(sql.SQL("DROP TYPE {}").format(sql.Identifier(schema, name)))


def _put_function_back(session: Session, schema: str, state: State) -> None:
    """What set_updated_at was before us; nothing where it was not there."""
    for (definition,) in session.rows(SQL["function"].format(**state.names), {"schema": schema}):
        drop = sql.SQL("DROP FUNCTION IF EXISTS {}()").format(sql.Identifier(schema, "set_updated_at"))
        session.execute(definition or drop)
