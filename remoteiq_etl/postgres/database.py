"""Connections to the two databases, every statement through one place.

Belongs here: opening psycopg connections with the session settings that extracts and loads rely on, and the observer that
sees each statement before it is sent. Does not belong here: whole batches of rows (see arrow), SQL of the engine.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

import psycopg
from adbc_driver_manager import Error as AdbcError
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import set_json_dumps, set_json_loads

from remoteiq_etl.config.urls import connection_parameters, libpq_url, redact_url, without_secrets
from remoteiq_etl.errors import ConnectionFailed, RemoteIQError
from remoteiq_etl.frames import json_values
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
from remoteiq_etl.postgres.session_settings import LOCK_TIMEOUT, at_start, key_statements, keys, pinning

Observer = Callable[[str], None]

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
        with self.explained(), ExitStack() as begins:
            connection = self.opened(partial(psycopg.connect, autocommit=True))
            begins.callback(connection.close)
            self.settle(lambda statements: connection.execute(statements.encode()))
            # What libpq knows of it is a number of the pooler's own where one is between.
            backend = connection.execute("SELECT pg_catalog.pg_backend_pid()").fetchone()
            begins.pop_all()
        set_json_dumps(json_values.dumps, connection)
        set_json_loads(json_values.parse, connection)
        encoding = connection.info.parameter_status("server_encoding") or ""
        return Session(replace(self, unreadable=unreadable_in(encoding)), connection, backend[0] if backend else 0)

    def opened(self, connect: Callable[[str], _Opened]) -> _Opened:
        """What connects, with our settings from the start; without them where a pooler refuses such."""
        try:
            return connect(self.conninfo)
        except (psycopg.OperationalError, AdbcError) as error:
            # PgBouncer says "unsupported startup parameter", in English; its SQLSTATE means other things, too.
            if "startup parameter" not in str(error):
                raise
            return connect(self._conninfo())

    def settle(self, execute: Callable[[str], object]) -> None:
        """Make the settings of a new connection."""
        statements = pinning(self.schema, self.session, read_only=self.read_only)
        try:
            execute(statements)
        except (psycopg.errors.UndefinedObject, AdbcError) as error:
            if error.sqlstate != psycopg.errors.UndefinedObject.sqlstate or not keys(self.session):
                raise
            execute(f"{key_statements(self.session)}; {statements}")

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Say of an error at connecting what it means, without a secret. Raises ConnectionFailed."""
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


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
