"""Connections to the two databases, every statement through one place.

Belongs here: opening psycopg and ADBC connections with the session settings that extracts and loads rely on, and the
observer that sees each statement before it is sent. Does not belong here: SQL of the engine (see sql/ and its callers).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import adbc_driver_postgresql
import psycopg
import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcDatabase, AdbcStatement, AdbcStatusCode
from adbc_driver_manager import Error as AdbcError
from adbc_driver_postgresql import dbapi
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import set_json_dumps, set_json_loads

from remoteiq_etl.config.urls import connection_parameters, libpq_url, redact_url, without_secrets
from remoteiq_etl.errors import ConnectionFailed, RemoteIQError
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.shown_text import visible
from remoteiq_etl.postgres.encodings import Unreadable, unreadable_in
from remoteiq_etl.postgres.errors.failures import (
    DATABASE_ERRORS,
    brief,
    fault_of,
    has_place,
    note_place,
    primary_text,
    sqlstate_of,
)
from remoteiq_etl.postgres.errors.lock_waits import LockWaitEnded, blocking_sentence
from remoteiq_etl.postgres.errors.rights import RightRefused, missing_right
from remoteiq_etl.postgres.session_settings import LOCK_TIMEOUT, UNQUOTED, at_start, key_statements, keys, pinning
from remoteiq_etl.postgres.sockets import ServerSocket, open_sockets, opened_since

Observer = Callable[[str], None]

#: The SQLSTATE of a session that is not there any more, which the driver leaves out.
_CONNECTION_FAILURE = "08006"
#: By which the server tells our sessions from those of others.
APPLICATION = "remoteiq-etl"


_Row = TypeVar("_Row")
_Opened = TypeVar("_Opened")


@dataclass(frozen=True)
class Database:
    """One of the two databases and the schema in it that holds its tables."""

    url: str
    schema: str
    read_only: bool = False
    observer: Observer | None = None
    # Settings of every session, given at the start of the connection: a server's statement log does not show them.
    session: Mapping[str, str] = field(default_factory=dict, repr=False)
    # Whether a statement that fails is asked about in a session of its own: who was in the way, which right is lacking.
    explains: bool = True
    # Texts that cannot be sent as UTF-8, where the encoding has such: known to the database of an open session.
    unreadable: Unreadable | None = field(default=None, compare=False)

    def observe(self, statement: str) -> None:
        """Let the observer see a statement that is about to be sent."""
        if self.observer is not None:
            self.observer(statement)

    @property
    def conninfo(self) -> str:
        """What libpq connects by: the URL with our session settings added to those that it brings."""
        given = connection_parameters(self.url).get("options", "")
        settings = at_start(self.schema, self.session, read_only=self.read_only)
        options = " ".join(f"-c {name}={_escaped(value)}" for name, value in settings)
        return self._conninfo(options=f"{given} {options}".strip())

    def _conninfo(self, **further: str) -> str:
        """The URL with what every pooler takes, and `further` parameters."""
        own = {"client_encoding": "UTF8", "application_name": APPLICATION}
        return make_conninfo(libpq_url(self.url), **own, **further)

    def connect(self) -> "Session":
        """A psycopg session in autocommit mode. Raises ConnectionFailed."""
        with self._explained(), ExitStack() as begins:
            connection = self._opened(partial(psycopg.connect, autocommit=True))
            begins.callback(connection.close)
            self._settle(lambda statements: connection.execute(statements.encode()))
            # What libpq knows of it is a number of the pooler's own where one is between.
            backend = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
            begins.pop_all()
        set_json_dumps(json_text.dumps, connection)
        set_json_loads(json_text.parse, connection)
        encoding = connection.info.parameter_status("server_encoding") or ""
        return Session(replace(self, unreadable=unreadable_in(encoding)), connection, backend[0] if backend else 0)

    def connect_arrow(self, *, autocommit: bool = True) -> "ArrowSession":
        """An ADBC session, for reading and writing whole batches. Raises ConnectionFailed."""
        with self._explained(), ExitStack() as begins:
            database = self._opened(adbc_driver_postgresql.connect)
            begins.callback(database.close)
            connection, socket = self._arrow(database)
            begins.pop_all()
            return ArrowSession(self, dbapi.Connection(database, connection, autocommit=autocommit), socket)

    def connect_beside(self, first: "ArrowSession") -> "ArrowSession":
        """Another ADBC session of the same database, in autocommit mode. Raises ConnectionFailed.

        The driver reads all columns and types of the catalogue when a database is opened (35 ms of CPU with 7,000 columns);
        the second session shares what it found. Both end on their own.
        """
        shared = first.connection._db
        with self._explained():
            # As Connection.adbc_clone() does it, which knows no autocommit mode.
            connection, socket = self._arrow(shared._db)
            return ArrowSession(self, dbapi.Connection(shared, connection, autocommit=True), socket)

    def _arrow(self, database: AdbcDatabase) -> tuple[AdbcConnection, ServerSocket | None]:
        """A connection with its settings made, and its socket; the transaction of a caller begins later."""
        with ExitStack() as begins:
            before = open_sockets()
            connection = AdbcConnection(database)
            socket = opened_since(before)
            begins.callback(connection.close)
            self._refuse_quoted(connection)
            self._settle(partial(_execute, connection))
            begins.pop_all()
            return connection, socket

    def _refuse_quoted(self, connection: AdbcConnection) -> None:
        """The driver reads the types when it connects, before any statement of ours; a pooler may have let nothing through."""
        try:
            _execute(connection, UNQUOTED)
        except AdbcError as error:
            if error.sqlstate != psycopg.errors.InvalidTextRepresentation.sqlstate:
                raise
            raise ConnectionFailed(
                f"sessions of {redact_url(self.url)} begin with quote_all_identifiers = on, and a pooler keeps ours from it."
                " Say ALTER ROLE … SET quote_all_identifiers = off (or ALTER DATABASE), or connect without the pooler."
            ) from error

    def _opened(self, connect: Callable[[str], _Opened]) -> _Opened:
        """What connects, with our settings from the start; without them where a pooler refuses such."""
        try:
            return connect(self.conninfo)
        except (psycopg.OperationalError, AdbcError) as error:
            # PgBouncer says "unsupported startup parameter", in English; its SQLSTATE means other things, too.
            if "startup parameter" not in str(error):
                raise
            return connect(self._conninfo())

    def _settle(self, execute: Callable[[str], object]) -> None:
        """Make the settings of a new connection."""
        statements = pinning(self.schema, self.session, read_only=self.read_only)
        try:
            execute(statements)
        except (psycopg.errors.UndefinedObject, AdbcError) as error:
            if error.sqlstate != psycopg.errors.UndefinedObject.sqlstate or not keys(self.session):
                raise
            execute(f"{key_statements(self.session)}; {statements}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DATABASE_ERRORS as error:
            fault = fault_of(error)
            said = brief(error) if sqlstate_of(error) else f"{fault.sentence} ({' '.join(str(error).split())})"
            shown = without_secrets(visible(said), self.url)
            raise ConnectionFailed(f"cannot connect to {redact_url(self.url)}: {shown}. {fault.advice}") from None

    @contextmanager
    def explaining(self, statement: str, own: Sequence[int] = ()) -> Iterator[None]:
        """Say what a session alone can say of an error: who was in the way, which right is lacking, on which database.

        Raises LockTimeout where a statement waits for a lock in vain, RightMissing where the role may not do it.
        """
        try:
            yield
        except DATABASE_ERRORS as error:
            if isinstance(error, RemoteIQError) or has_place(error):
                raise
            place = f"{redact_url(self.url)}, schema {self.schema}"
            if self.explains and error.sqlstate == psycopg.errors.LockNotAvailable.sqlstate:
                raise self._waited(statement, own, place) from error
            if self.explains and error.sqlstate == psycopg.errors.InsufficientPrivilege.sqlstate:
                self._refuse(error, place)
            note_place(error, place)
            raise

    def _waited(self, statement: str, own: Sequence[int], place: str) -> LockWaitEnded:
        waited = self.session.get("lock_timeout", LOCK_TIMEOUT)
        who = blocking_sentence(self._conninfo(), statement, own, writes=not self.read_only)
        return LockWaitEnded(
            f"a lock in {place}, was not to be had within the lock_timeout"
            f" ({waited} unless the statement has its own). {who}"
        )

    def _refuse(self, error: BaseException, place: str) -> None:
        """Raise RightMissing where the right can be named."""
        right = missing_right(self._conninfo(), primary_text(error), writes=not self.read_only)
        if right is not None:
            raise RightRefused(f"in {place}: {right} ({brief(error)})") from error

    def with_settings(self, settings: Mapping[str, str]) -> "Database":
        """The same database with further settings of every session."""
        return replace(self, session={**self.session, **settings})

    def table(self, name: str) -> sql.Identifier:
        """A table of this database's schema, quoted."""
        return sql.Identifier(self.schema, name)


class Session:
    """A psycopg connection whose statements are observed. `pid`: the number of its process at the server."""

    def __init__(self, database: Database, connection: psycopg.Connection[TupleRow], pid: int) -> None:
        self.database = database
        self.connection = connection
        self.pid = pid

    def execute(
        self, statement: str | sql.Composable, parameters: Sequence[Any] | dict[str, Any] | None = None
    ) -> psycopg.Cursor[TupleRow]:
        """Run one statement."""
        text = self._text(statement, parameters is not None)
        self.database.observe(text)
        with self._explaining(text):
            return self.connection.execute(text, parameters)

    def rows(
        self, statement: str | sql.Composable, parameters: Sequence[Any] | dict[str, Any] | None = None
    ) -> list[TupleRow]:
        """All rows of one statement."""
        return self.execute(statement, parameters).fetchall()

    def objects(
        self,
        row_type: type[_Row],
        statement: str | sql.Composable,
        parameters: Sequence[Any] | dict[str, Any] | None = None,
    ) -> list[_Row]:
        """All rows of one statement as objects, made of the columns by name."""
        text = self._text(statement, parameters is not None)
        self.database.observe(text)
        with self._explaining(text), self.connection.cursor(row_factory=class_row(row_type)) as cursor:
            return cursor.execute(text, parameters).fetchall()

    def value(self, statement: str | sql.Composable, parameters: Sequence[Any] | dict[str, Any] | None = None) -> Any:
        """The first column of the first row; None without rows."""
        row = self.execute(statement, parameters).fetchone()
        return None if row is None else row[0]

    def execute_many(self, statement: str | sql.Composable, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each row of parameters, pipelined."""
        if not rows:
            return
        text = self._text(statement, True)
        self.database.observe(text)
        with self._explaining(text), self.connection.cursor() as cursor:
            cursor.executemany(text, rows)

    def _explaining(self, text: str) -> AbstractContextManager[None]:
        return self.database.explaining(text, [self.pid])

    def _text(self, statement: str | sql.Composable, has_parameters: bool) -> str:
        """A percent sign in a name or a literal is no placeholder; beside parameters psycopg wants it doubled."""
        if isinstance(statement, str):
            return statement
        if isinstance(statement, sql.Composed):
            return "".join(self._text(part, has_parameters) for part in statement)
        text = statement.as_string(self.connection)
        return text.replace("%", "%%") if has_parameters and not isinstance(statement, sql.SQL) else text

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction; nested: a savepoint."""
        self.database.observe("BEGIN")
        with self._explaining("COMMIT"), self.connection.transaction():
            yield
            self.database.observe("COMMIT")

    def close(self) -> None:
        """End the session."""
        self.connection.close()


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


def _execute(connection: AdbcConnection, statements: str) -> None:
    with AdbcStatement(connection) as statement:
        statement.set_sql_query(statements)
        statement.execute_update()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
