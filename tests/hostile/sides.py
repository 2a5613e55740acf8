"""A legacy database with its target, and the runs of it: once disturbed by its surroundings, once not.

Belongs here: making the databases of a cell and running them. Does not belong here: judging what came of it (see outcome).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import RemoteIQError
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import VerificationVerdict
from schemas import legacy
from tests.conftest import with_legacy_schema
from tests.hostile.surroundings import CHANGES, HIDDEN, NO_TEXT, TABLES, TRIGGERS, Cell
from tests.support import small_installation
from tests.support.hostile import make_hostile
from tests.support.limits import put
from tests.support.migrating import foreign_target, lasting_columns, specs
from tests.support.server import Database, Server

READER, READS_ALL, WRITER, CLERK = "hostile_reader", "hostile_reads_all", "hostile_writer", "hostile_clerk"
_ROLES = {READER: "", READS_ALL: "BYPASSRLS", WRITER: "SUPERUSER", CLERK: ""}
_MORE = """
INSERT INTO backup_jobs (id, started_at, status, note)
    SELECT ('c0000012-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, '2024-01-01', 'success', 'note ' || n FROM generate_series(1, 8) n;
INSERT INTO backup_job_logs SELECT id, 'done' FROM backup_jobs;
CREATE TABLE older (LIKE permissions INCLUDING ALL);
INSERT INTO older (id, key, label, group_key, group_label) VALUES
    ('c0000013-0000-4000-8000-000000000001', 'older.key', 'Older', 'g', 'G');
ANALYZE
"""
_BAD = "UPDATE backup_jobs SET note = {bad} WHERE id = (SELECT max(id::text)::uuid FROM backup_jobs WHERE id::text < 'c0000013')"

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Attempt:
    """How a run ended: with a sentence that refuses all of it, or with tables that were not loaded, each with its reason."""

    refusal: str | None = None
    blocked: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Side:
    """One legacy database and its target. `reader`, `writer`: the roles that a migration has there."""

    legacy: Database
    target: Database
    reader: str
    writer: str

    @property
    def migration(self) -> Migration:
        legacy, target = self.legacy.url_as(self.reader), self.target.url_as(self.writer)
        given = Settings(legacy_url=legacy, target_url=target)
        reading = EngineDatabase(legacy, given.legacy_schema, read_only=True)
        return Migration(given, reading, EngineDatabase(target, given.target_schema), specs())

    def run(self, mode: Mode) -> Attempt:
        """One run of all tables."""
        try:
            with self.migration.run(accept_drift=("older",), mode=mode) as run:
                reports = run.load_all(TABLES)
        except RemoteIQError as error:
            return Attempt(refusal=str(error))
        return Attempt(blocked={name: report.blocked for name, report in reports.items() if report.blocked})

    def verify(self) -> VerificationVerdict | str:
        """The verdict, or the sentence that refuses one."""
        try:
            names = sorted({specs()[asset].name for asset in TABLES})
            return verify(self.migration.plan(), names, confirmed=names)
        except RemoteIQError as error:
            return str(error)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with self.target.connect() as connection:
            return connection.execute(statement.encode()).fetchall()

    def rows(self, table: str) -> Rows:
        """The rows of a table of the target by their key, without what only says when they were written."""
        key = [column.name for column in specs()[table].target.primary_key.columns]
        with psycopg.connect(self.target.url, row_factory=dict_row) as connection:
            # As text: psycopg has no times beyond the year 9999.
            connection.execute("SET timezone = 'UTC'")
            texts = [sql.SQL("{0}::text AS {0}").format(sql.Identifier(name)) for name in lasting_columns(table)]
            names = sql.SQL(", ").join(texts)
            found = connection.execute(sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(table))).fetchall()
        return {"/".join(str(row[name]) for name in key): row for row in found}

    def drop(self) -> None:
        self.legacy.drop()
        self.target.drop()


class Ground:
    """A server with the templates that the cells are copied from."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._templates: dict[str, Database] = {}
        for role, rights in _ROLES.items():
            server.admin(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
            server.admin(sql.SQL("CREATE ROLE {} LOGIN " + rights).format(sql.Identifier(role)))

    @contextmanager
    def sides(self, cell: Cell) -> Iterator[tuple[Side, Side]]:
        """The disturbed side of a cell and the one that is not, with the same rows but for bytes that are no text."""
        disturbed = Side(
            self._legacy(cell.encoding),
            foreign_target(self.server),
            READS_ALL if cell.hidden == "from others" else READER,
            CLERK if cell.hidden == "of the writer" else WRITER,
        )
        plain = Side(self._legacy("UTF8"), foreign_target(self.server), READS_ALL, WRITER)
        try:
            self._fill(cell, disturbed, plain)
            _disturb(cell, disturbed)
            yield disturbed, plain
        finally:
            disturbed.drop()
            plain.drop()

    def _legacy(self, encoding: str) -> Database:
        if encoding not in self._templates:
            template = self.server.create_database(encoding=encoding)
            with_legacy_schema(template)
            small_installation.fill(template)
            template.execute(_MORE + _timeless())
            template.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}, {READS_ALL}")
            self._templates[encoding] = template
        return self.server.create_database(template=self._templates[encoding].name)

    def _fill(self, cell: Cell, disturbed: Side, plain: Side) -> None:
        """Put the values in; what the encoding has no characters for is no case."""
        with disturbed.legacy.connect() as one, plain.legacy.connect() as other:
            for connection in (one, other):
                connection.execute("SET client_encoding = 'UTF8'; SET timezone = 'UTC'")
            for number, case in enumerate(cell.values):
                if put(one, case, number):
                    put(other, case, number)

    def drop(self) -> None:
        for template in self._templates.values():
            template.drop()


def _timeless() -> str:
    """Statements that give every template the same times: what was made now would differ between two of them."""
    found = [
        (table.name, column.name)
        for table in legacy.metadata.sorted_tables
        for column in table.columns
        if column.server_default is not None and "now()" in str(getattr(column.server_default, "arg", ""))
    ]
    return "".join(f"; UPDATE {table} SET {column} = '2024-05-05 05:05:05+00'" for table, column in found)


def _disturb(cell: Cell, side: Side) -> None:
    in_legacy, in_target = HIDDEN[cell.hidden]
    for database, statement in ((side.legacy, in_legacy), (side.target, in_target + ";" + TRIGGERS[cell.trigger])):
        if statement.strip(";"):
            database.execute(statement)
    if cell.encoding in NO_TEXT:
        with side.legacy.connect() as connection:
            connection.execute(f"SET client_encoding = '{cell.encoding}'".encode())
            connection.execute(_BAD.format(bad=f"E'{NO_TEXT[cell.encoding]}'").encode())
    if side.writer == CLERK:
        side.target.execute(
            f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {CLERK}; GRANT ALL ON SCHEMA public TO {CLERK}"
        )
        side.target.execute(f"GRANT CREATE ON DATABASE {side.target.name} TO {CLERK}")
    if cell.settings == "hostile":
        # Not all encodings can be converted to one another.
        make_hostile(
            side.legacy, role=side.reader, but=() if cell.encoding in ("UTF8", "LATIN1") else ["client_encoding"]
        )
        make_hostile(side.target, role=side.writer)


def change(cell: Cell, disturbed: Side, plain: Side) -> None:
    """What happens between the two runs: to both legacy databases, and to the disturbed target."""
    happening = CHANGES[cell.change]
    for database in (disturbed.legacy, plain.legacy):
        database.execute(happening.legacy)
    if happening.target:
        disturbed.target.execute(happening.target)
