"""ADBC sessions: whole result sets out, whole batches in, as Arrow.

Belongs here: opening such a session on a Database, and what it does. Does not belong here: single rows and statements
(see database): a command that asks a server a few questions does not wait for Arrow.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import adbc_driver_postgresql
import psycopg
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement, AdbcStatusCode
from adbc_driver_manager import Error as AdbcError
from adbc_driver_postgresql import dbapi

from remoteiq_etl.config.urls import redact_url
from remoteiq_etl.errors import ConnectionFailed
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.postgres.session_settings import UNQUOTED
from remoteiq_etl.postgres.sockets import ServerSocket, open_sockets, opened_since

#: The SQLSTATE of a session that is not there any more, which the driver leaves out.
_CONNECTION_FAILURE = "08006"


class ArrowSession:
    """An ADBC connection: whole result sets out, whole batches in."""

    def __init__(self, database: Database, connection: dbapi.Connection, socket: ServerSocket | None = None) -> None:
        self.database = database
        self.connection = connection
        self._socket = socket

    def execute(self, statement: str) -> None:
        """Run one statement for what it does; prepared, because the driver survives the end of its session in such a one alone."""
        self.table(statement)

    def batches(self, statement: str) -> Iterator[pa.RecordBatch]:
        """The record batches of a query, as they arrive."""
        with self._begun(statement) as cursor:
            cursor.execute(statement)
            yield from cursor.fetch_record_batch()

    def table(self, statement: str) -> pa.Table:
        """The whole result of a statement, which is known to be small."""
        with self._begun(statement) as cursor:
            cursor.execute(statement)
            return cursor.fetch_arrow_table()

    def append(self, schema: str, table: str, rows: pa.RecordBatch | pa.Table) -> None:
        """COPY rows into an existing table whose columns fit in binary form; a transaction of its own in autocommit."""
        statement = f"COPY {schema}.{table} FROM STDIN"
        with self._begun(statement) as cursor:
            cursor.adbc_ingest(table, rows, mode="append", db_schema_name=schema)

    def rollback(self) -> None:
        """End the transaction and begin another one; only without autocommit."""
        self.database.observe("ROLLBACK")
        self.connection.rollback()

    @contextmanager
    def _begun(self, statement: str) -> Iterator[dbapi.Cursor]:
        """A cursor for one statement. Where the server has ended the session, the driver is not asked: see sockets."""
        self.database.observe(statement)
        with self.database.explaining(statement), self.connection.cursor() as cursor:
            if self._socket is not None and self._socket.is_closed():
                text = "the server has closed the connection"
                raise dbapi.OperationalError(text, status_code=AdbcStatusCode.IO, sqlstate=_CONNECTION_FAILURE)
            yield cursor

    def close(self) -> None:
        """End the session; a transaction in it is rolled back."""
        self.connection.close()


def connect_arrow(database: Database, *, autocommit: bool = True) -> ArrowSession:
    """An ADBC session, for reading and writing whole batches. Raises ConnectionFailed."""
    with database.explained(), ExitStack() as begins:
        opened = database.opened(adbc_driver_postgresql.connect)
        begins.callback(opened.close)
        connection, socket = _connected(database, opened)
        begins.pop_all()
        return ArrowSession(database, dbapi.Connection(opened, connection, autocommit=autocommit), socket)


def connect_beside(database: Database, first: ArrowSession) -> ArrowSession:
    """Another ADBC session of the same database, in autocommit mode. Raises ConnectionFailed.

    The driver reads all columns and types of the catalogue when a database is opened (35 ms of CPU with 7,000 columns);
    the second session shares what it found. Both end on their own.
    """
    shared = first.connection._db
    with database.explained():
        # As Connection.adbc_clone() does it, which knows no autocommit mode.
        connection, socket = _connected(database, shared._db)
        return ArrowSession(database, dbapi.Connection(shared, connection, autocommit=True), socket)


def _connected(database: Database, opened: AdbcDatabase) -> tuple[AdbcConnection, ServerSocket | None]:
    """A connection with its settings made, and its socket; the transaction of a caller begins later."""
    with ExitStack() as begins:
        before = open_sockets()
        connection = AdbcConnection(opened)
        socket = opened_since(before)
        begins.callback(connection.close)
        _refuse_quoted(database, connection)
        database.settle(partial(_execute, connection))
        begins.pop_all()
        return connection, socket


def _refuse_quoted(database: Database, connection: AdbcConnection) -> None:
    """The driver reads the types when it connects, before any statement of ours; a pooler may have let nothing through."""
    try:
        _execute(connection, UNQUOTED)
    except AdbcError as error:
        if error.sqlstate != psycopg.errors.InvalidTextRepresentation.sqlstate:
            raise
        raise ConnectionFailed(
            f"sessions of {redact_url(database.url)} begin with quote_all_identifiers = on, and a pooler keeps ours from it."
            " Say ALTER ROLE … SET quote_all_identifiers = off (or ALTER DATABASE), or connect without the pooler."
        ) from error


def _execute(connection: AdbcConnection, statements: str) -> None:
    with AdbcStatement(connection) as statement:
        statement.set_sql_query(statements)
        statement.execute_update()
