"""A legacy and a target database, the commands of an operator on them, and what is in the target afterwards.

Belongs here: short ways to call and to look. Does not belong here: what must come of it, which each test says itself.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from remoteiq_etl.cli.exit_codes import Exit
from tests.support.calling import Cli, Ended
from tests.support.migrating import Migration, target_tables
from tests.support.server import Database, Server

Counts = Mapping[str, Any]
READER, WRITER = "etl_reader", "etl_writer"


@dataclass(frozen=True)
class Run:
    """A run that came to its end: its exit code, the counts by table, and what it warned of."""

    code: int
    tables: Mapping[str, Counts]
    warnings: list[str]

    def total(self, outcome: str) -> int:
        return sum(counts[outcome] for counts in self.tables.values())


@dataclass(frozen=True)
class Installation:
    """One legacy and one target database. Commands read as a role with SELECT alone, and write as the target's owner."""

    cli: Cli
    legacy: Database
    target: Database

    @classmethod
    def of(cls, cli: Cli, legacy: Database, target: Database) -> "Installation":
        _make_role(legacy.server, READER)
        _make_role(target.server, WRITER)
        legacy.execute(
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER};"
            f" ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {READER};"
            " REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        )
        target.execute(f'ALTER DATABASE "{target.name}" OWNER TO {WRITER}')
        return cls(cli, legacy, target)

    @property
    def migration(self) -> Migration:
        return Migration.of(self.legacy, self.target)

    def call(self, *arguments: str) -> Ended:
        return self.cli(*arguments, legacy=self.legacy.url_as(READER), target=self.target.url_as(WRITER))

    def run(self, *tables: str, accept: Sequence[str] = (), full: bool = False) -> Run:
        """Run these tables (none: all). It must come to its end; rows may wait."""
        options = [*_options("--table", tables), *_options("--accept-drift", accept), *(["--full"] if full else [])]
        ended = self.call("run", "--json", *options)
        said = json.loads(ended.out)
        assert (said["success"], said["errors"]) == (True, {}), ended.err
        assert ended.code in (Exit.DONE, Exit.ATTENTION), ended.err
        return Run(ended.code, said["tables"], said["warnings"])

    def refused(self, *tables: str, accept: Sequence[str] = ()) -> str:
        """Run these tables, which must be refused before anything of them is written, and give the sentences."""
        before = self.migration.versions()
        ended = self.call("run", *_options("--table", tables), *_options("--accept-drift", accept))
        assert ended.code == Exit.FAILED, ended.out
        assert self.migration.versions() == before
        return " ".join((ended.out + ended.err).split())

    def verified(self, *tables: str) -> Counts:
        """Compare every row of these tables (none: all); nothing may be left unexplained, or excused by a later change."""
        ended = self.call("verify", "--full", "--json", *tables)
        verdict: Counts = json.loads(ended.out)
        told = [one for one in verdict["differences"] if one["label"] in ("BUG", "changed_in_legacy_since")]
        assert told == []
        assert (ended.code, verdict["bugs"]) == (Exit.DONE, 0), ended.err
        assert verdict["verdict"] in ("verified", "explained")
        return verdict

    def gone(self, table: str) -> int:
        """How many rows of a table are listed as gone from legacy, after a look."""
        ended = self.call("deletes", "list", "--json")
        assert ended.code in (Exit.DONE, Exit.ATTENTION), ended.err
        return int(json.loads(ended.out)["tables"][table]["gone"])

    def undone(self, plan: Path, *scope: str) -> None:
        """Plan the undo of this scope and execute the plan; it must be proven."""
        planned = self.call("undo", *scope, "--out", str(plan))
        assert planned.code == Exit.DONE, planned.out + planned.err
        executed = self.call("undo", "--execute", str(plan))
        assert (executed.code, "Proven by checksum" in executed.out) == (Exit.DONE, True), executed.out + executed.err

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.migration.query(statement, *parameters)

    def ask_legacy(self, statement: str) -> list[tuple[Any, ...]]:
        with self.legacy.connect() as connection:
            return connection.execute(statement.encode()).fetchall()

    def rows(self) -> dict[str, int]:
        """How many rows each table of the target has that has any."""
        counted = {table: int(self.query(f"SELECT count(*) FROM {table}")[0][0]) for table in target_tables()}
        return {table: count for table, count in counted.items() if count}


def _make_role(server: Server, name: str) -> None:
    """Roles belong to a server, not to a database: the second test finds it."""
    with suppress(psycopg.errors.DuplicateObject):
        server.admin(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))


def _options(name: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (name, value)]
