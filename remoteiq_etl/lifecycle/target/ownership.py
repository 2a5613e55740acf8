"""What prepare and finalize tell each other: whose a target table is, what it still lacks, and their lock.

Belongs here: reading and writing `removed`, `schema_owner` and `replaced_functions` of the state schema. Does not
belong here: changing the target.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import sql
from psycopg.pq import TransactionStatus
from sqlalchemy import Table

from remoteiq_etl.errors import PrepareError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from schemas import ddl

SQL = statements(__file__)

#: One lock per database, not per schema: extensions belong to the database.
LOCK_NAME = "remoteiq_etl.prepare"

LOCK_WAIT = 60.0


"""Seconds. A prepare takes one or two; whatever holds the lock longer is a finalize, which may take an hour."""

_LOCK_PAUSE = 0.1


@dataclass(frozen=True)
class LatePart:
    """A foreign key or index that a table of ours lacks until finalize. `validate` is None for an index."""

    name: str
    table: str
    ddl: str
    validate: str | None
    state: str = "pending"


def late_parts(table: Table, schema: str) -> list[LatePart]:
    """Return what prepare leaves out of one table: all of its foreign keys and indexes."""
    return [*late_foreign_keys(table, schema), *_late_indexes(table, schema)]


def late_foreign_keys(table: Table, schema: str) -> list[LatePart]:
    """Return the foreign keys of one table, by name."""
    names = [str(constraint.name) for constraint in ddl.foreign_keys_of(table)]
    adding = ddl.foreign_key_ddl(table, schema, not_valid=True)
    validating = ddl.validate_ddl(table, schema)
    return [
        LatePart(name, table.name, add, validate) for name, add, validate in zip(names, adding, validating, strict=True)
    ]


def _late_indexes(table: Table, schema: str) -> list[LatePart]:
    names = sorted(str(index.name) for index in table.indexes)
    return [
        LatePart(name, table.name, create, None)
        for name, create in zip(names, ddl.index_ddl(table, schema), strict=True)
    ]


def record_left_out(session: Session, state: State, schema: str, parts: Iterable[LatePart]) -> None:
    """Record the intent to make the parts later; parts that were made before are to be made again."""
    statement = SQL["record_left_out"].format(removed=state.name("removed"))
    session.execute_many(statement, [(schema, part.name, part.table, part.ddl, part.validate) for part in parts])


def left_out(session: Session, state: State, schema: str) -> list[LatePart]:
    """Return what is still to be made or validated, foreign keys first; nothing before the first prepare."""
    if not state.exists(session):
        return []
    rows = session.rows(SQL["left_out"].format(removed=state.name("removed")), [schema])
    return [LatePart(*row) for row in rows]


def mark(session: Session, state: State, schema: str, part: LatePart, reached: str) -> None:
    """Record how far a part has come: created or valid."""
    statement = sql.SQL("UPDATE {} SET state = %s WHERE schema_name = %s AND name = %s").format(state.name("removed"))
    session.execute(statement, [reached, schema, part.name])


def record_created(session: Session, state: State, schema: str, tables: Iterable[str]) -> None:
    """Record that the tables are ours and lack something."""
    statement = SQL["record_owner"].format(schema_owner=state.name("schema_owner"))
    session.execute_many(statement, [(schema, table) for table in tables])


def record_found(session: Session, state: State, schema: str, tables: Iterable[str]) -> None:
    """Record that the tables are there; those that an earlier run created stay ours."""
    statement = SQL["record_found"].format(schema_owner=state.name("schema_owner"))
    session.execute_many(statement, [(schema, table) for table in tables])


def created_by_us(session: Session, state: State, schema: str) -> frozenset[str]:
    """Return the tables of the schema that prepare created; none before the first prepare."""
    if not state.exists(session):
        return frozenset()
    statement = sql.SQL("SELECT table_name FROM {} WHERE schema_name = %s AND created_by_us")
    return frozenset(row[0] for row in session.rows(statement.format(state.name("schema_owner")), [schema]))


def unfinished(session: Session, state: State, schema: str) -> frozenset[str]:
    """Return the tables of ours that finalize has not completed."""
    statement = sql.SQL("SELECT table_name FROM {} WHERE schema_name = %s AND created_by_us AND NOT finalized")
    return frozenset(row[0] for row in session.rows(statement.format(state.name("schema_owner")), [schema]))


def mark_finalized(session: Session, state: State, schema: str, tables: Iterable[str]) -> None:
    """Record that the tables lack nothing any more."""
    statement = sql.SQL("UPDATE {} SET finalized = true WHERE schema_name = %s AND table_name = ANY (%s)")
    session.execute(statement.format(state.name("schema_owner")), [schema, sorted(tables)])


def record_function(session: Session, state: State, schema: str, definition: str | None) -> None:
    """Keep what `set_updated_at` was before us, so that an undo can put it back; None: it was not there."""
    statement = SQL["record_function"].format(replaced_functions=state.name("replaced_functions"))
    session.execute(statement, [schema, "set_updated_at", definition])


def forget(session: Session, state: State, schema: str) -> None:
    """Forget what was made in a schema, after it was dropped."""
    for table in ("removed", "schema_owner", "replaced_functions"):
        session.execute(sql.SQL("DELETE FROM {} WHERE schema_name = %s").format(state.name(table)), [schema])


def lock_transaction(session: Session) -> None:
    """Keep every other prepare and finalize of this database out until the transaction ends. Raises PrepareError."""
    _acquire(session, "SELECT pg_try_advisory_xact_lock(hashtext(%s))")


@contextmanager
def locked(session: Session) -> Iterator[None]:
    """Keep every other prepare and finalize of this database out for several transactions. Raises PrepareError."""
    _acquire(session, "SELECT pg_try_advisory_lock(hashtext(%s))")
    try:
        yield
    finally:
        # Neither on a lost connection nor in a failed transaction; closing the session frees the lock as well.
        if session.connection.info.transaction_status in (TransactionStatus.IDLE, TransactionStatus.INTRANS):
            session.connection.execute("SELECT pg_advisory_unlock(hashtext(%s))", [LOCK_NAME])


def _acquire(session: Session, statement: str) -> None:
    """Ask again and again: who waits inside a statement holds a snapshot, and concurrent index builds wait for that."""
    deadline = time.monotonic() + LOCK_WAIT
    while not session.value(statement, [LOCK_NAME]):
        if time.monotonic() > deadline:
            raise PrepareError(
                f"another prepare or finalize has been changing this database for more than {LOCK_WAIT:.0f} s;"
                " wait until it has ended, then repeat. Nothing was changed."
            )
        time.sleep(_LOCK_PAUSE)
