"""Connections to the two databases, every statement through one place.

Belongs here: opening psycopg and ADBC connections with the session settings that extracts and loads rely on, and the
observer that sees each statement before it is sent. Does not belong here: SQL of the engine (see sql/ and its callers).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import quote

import psycopg
import pyarrow as pa
from adbc_driver_manager import AdbcConnection
from adbc_driver_manager import Error as AdbcError
from adbc_driver_postgresql import dbapi
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import set_json_dumps, set_json_loads

from remoteiq_etl.config.urls import libpq_url, redact_url
from remoteiq_etl.errors import ConnectionFailed
from remoteiq_etl.frames import json_text

Observer = Callable[[str], None]


_Row = TypeVar("_Row")

# Text forms that row hashes and casts depend on; the server's own settings must not change them.
SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    # The exporter of a snapshot idles while its readers work, and a large table takes longer than a web request.
    "idle_in_transaction_session_timeout": "0",
    "statement_timeout": "0",
    # The rows of a batch are sorted before they are inserted; with PostgreSQL's own 4 MB that goes through a file.
    "work_mem": "64MB",
    "application_name": "remoteiq-etl",
}


@dataclass(frozen=True)
class Database:
    """One of the two databases and the schema in it that holds its tables."""

    url: str
    schema: str
    read_only: bool = False
    observer: Observer | None = None
    # Settings of every session, given at the start of the connection: a server's statement log does not show them.
    session: Mapping[str, str] = field(default_factory=dict, repr=False)

    def observe(self, statement: str) -> None:
        """Let the observer see a statement that is about to be sent."""
        if self.observer is not None:
            self.observer(statement)

    @property
    def conninfo(self) -> str:
        """The libpq URL with our session settings added to those that it brings."""
        settings = {**SETTINGS, "search_path": f'"{self.schema.replace(chr(34), chr(34) * 2)}", public', **self.session}
        if self.read_only:
            settings |= {"default_transaction_isolation": "repeatable read", "default_transaction_read_only": "on"}
        given = conninfo_to_dict(libpq_url(self.url)).get("options") or ""
        options = " ".join(
            f"-c {name}={_escaped(value)}" for name, value in settings.items() if name != "application_name"
        )
        url = libpq_url(self.url)
        return f"{url}{'&' if '?' in url else '?'}options={quote(f'{given} {options}'.strip())}&application_name=remoteiq-etl"

    def connect(self) -> "Session":
        """A psycopg session in autocommit mode. Raises ConnectionFailed."""
        try:
            connection = psycopg.connect(self.conninfo, autocommit=True)
        except psycopg.OperationalError as error:
            raise ConnectionFailed(
                f"cannot connect to {redact_url(self.url)}: {redact_url(str(error).strip())}. Check that the server runs, and the URL."
            ) from None
        set_json_dumps(json_text.dumps, connection)
        set_json_loads(json_text.parse, connection)
        return Session(self, connection)

    def connect_arrow(self, *, autocommit: bool = True) -> "ArrowSession":
        """An ADBC session, for reading and writing whole batches. Raises ConnectionFailed."""
        with self._explained():
            return ArrowSession(self, dbapi.connect(self.conninfo, autocommit=autocommit))

    def connect_beside(self, first: "ArrowSession") -> "ArrowSession":
        """Another ADBC session of the same database, in autocommit mode. Raises ConnectionFailed.

        The driver reads all columns and types of the catalogue when a database is opened (35 ms of CPU with 7,000 columns);
        the second session shares what it found. Both end on their own.
        """
        shared = first.connection._db
        with self._explained():
            # As Connection.adbc_clone() does it, which knows no autocommit mode.
            return ArrowSession(self, dbapi.Connection(shared, AdbcConnection(shared._db), autocommit=True))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except AdbcError as error:
            raise ConnectionFailed(
                f"cannot connect to {redact_url(self.url)}: {redact_url(str(error).strip())}. Check that the server runs, and the URL."
            ) from None

    def with_settings(self, settings: Mapping[str, str]) -> "Database":
        """The same database with further settings of every session."""
        return replace(self, session={**self.session, **settings})

    def table(self, name: str) -> sql.Identifier:
        """A table of this database's schema, quoted."""
        return sql.Identifier(self.schema, name)


class Session:
    """A psycopg connection whose statements are observed."""

    def __init__(self, database: Database, connection: psycopg.Connection[TupleRow]) -> None:
        self.database = database
        self.connection = connection

    def execute(
        self, statement: str | sql.Composable, parameters: Sequence[Any] | dict[str, Any] | None = None
    ) -> psycopg.Cursor[TupleRow]:
        """Run one statement."""
        text = self._text(statement, parameters is not None)
        self.database.observe(text)
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
        with self.connection.cursor(row_factory=class_row(row_type)) as cursor:
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
        with self.connection.cursor() as cursor:
            cursor.executemany(text, rows)

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
        with self.connection.transaction():
            yield
            self.database.observe("COMMIT")

    def close(self) -> None:
        """End the session."""
        self.connection.close()


class ArrowSession:
    """An ADBC connection: whole result sets out, whole batches in."""

    def __init__(self, database: Database, connection: dbapi.Connection) -> None:
        self.database = database
        self.connection = connection

    def execute(self, statement: str) -> None:
        """Run a statement without a result."""
        self.database.observe(statement)
        with self.connection.cursor() as cursor:
            cursor.executescript(statement)

    def batches(self, statement: str) -> Iterator[pa.RecordBatch]:
        """The record batches of a query, as they arrive."""
        self.database.observe(statement)
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            yield from cursor.fetch_record_batch()

    def table(self, statement: str) -> pa.Table:
        """The whole result of a query that is known to be small."""
        self.database.observe(statement)
        with self.connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetch_arrow_table()

    def append(self, schema: str, table: str, rows: pa.RecordBatch | pa.Table) -> None:
        """COPY rows into an existing table whose columns fit in binary form; a transaction of its own in autocommit."""
        self.database.observe(f"COPY {schema}.{table} FROM STDIN")
        with self.connection.cursor() as cursor:
            cursor.adbc_ingest(table, rows, mode="append", db_schema_name=schema)

    def close(self) -> None:
        """End the session; a transaction in it is rolled back."""
        self.connection.close()


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
