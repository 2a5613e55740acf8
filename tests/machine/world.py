"""The two databases of one example, the legacy transactions that are open, and what is looked at between the steps.

Belongs here: reaching and reading the databases. Does not belong here: what may happen (see the rules), or what must be
(see model).
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.conftest import with_legacy_schema
from tests.machine.model import Legacy, Model
from tests.machine.settled import Reached
from tests.machine.tables import MODELLED, Row
from tests.support.migrating import Migration, foreign_target
from tests.support.server import Database, Server

TABLES = tuple(MODELLED)
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
#: Our own transactions wait for each other only as long as nobody will move.
LOCK_TIMEOUT = "10ms"
_SETTINGS = f"-c timezone=UTC -c lock_timeout={LOCK_TIMEOUT}"
_FIRST_ROWS = """
INSERT INTO users (id, name, email, password_hash, created_at, updated_at)
    SELECT ('00000001-0000-4000-8000-00000000000' || n)::uuid, 'User ' || n, chr(96 + n) || '@example.com', 'hash',
        '2023-01-01'::timestamptz + n * interval '1 day', '2023-02-01' FROM generate_series(1, 5) n;
INSERT INTO personal_tokens (id, user_id, name, token_hash, created_at)
    SELECT ('00000002-0000-4000-8000-00000000000' || n)::uuid, ('00000001-0000-4000-8000-00000000000' || n)::uuid, 'ci', 'digest',
        '2023-01-01' FROM generate_series(1, 4) n;
INSERT INTO backup_jobs (id, started_at, status)
    SELECT ('00000003-0000-4000-8000-00000000000' || n)::uuid, '2023-01-01', 'success' FROM generate_series(1, 4) n;
INSERT INTO backup_job_logs SELECT id, 'done' FROM backup_jobs;
INSERT INTO tickets (id, number, title, created_at, updated_at) OVERRIDING SYSTEM VALUE
    SELECT ('00000004-0000-4000-8000-00000000000' || n)::uuid, n, 'Ticket ' || n,
        '2023-01-01'::timestamptz + n * interval '1 day', '2023-02-01' FROM generate_series(1, 4) n;
"""
_LOOKED_AT: Mapping[str, LiteralString] = {
    "quarantine": "SELECT table_name, legacy_key, rule FROM remoteiq_etl.quarantine WHERE released_run IS NULL",
    "held": "SELECT table_name, legacy_key, '' FROM remoteiq_etl.held WHERE released_run IS NULL",
    "left_out": "SELECT table_name, legacy_key, rule FROM remoteiq_etl.left_out",
    "conflicts": "SELECT table_name, legacy_key, reason FROM remoteiq_etl.conflicts WHERE resolved_run IS NULL",
}


class Pairs:
    """The databases that each example begins with: a few legacy rows, migrated once."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.legacy = server.clone("legacy", with_legacy_schema)
        self.legacy.execute(_FIRST_ROWS)
        self.target = foreign_target(server)
        Migration.of(self.legacy, self.target).run("organizations", *TABLES)

    def cloned(self) -> Migration:
        """A pair of an example's own."""
        copies = [self.server.create_database(template=one.name) for one in (self.legacy, self.target)]
        migration = Migration.of(*copies)
        migration.accept_copy()
        return migration

    def drop(self) -> None:
        self.legacy.drop()
        self.target.drop()


class World:
    """A pair, the sessions of those who use it, and the model of what its target holds."""

    def __init__(self, pairs: Pairs) -> None:
        self.migration = pairs.cloned()
        self.legacy, self.target = self.migration.legacy, self.migration.target
        self.sessions: dict[int, psycopg.Connection] = {}
        self.looker = _connected(self.legacy)
        self.application = _connected(self.target)
        self.number = 10
        self.organization = self.last_run()
        self.model = Model().after(self.legacy_rows(), TABLES, self.last_run())

    def close(self) -> None:
        for session in (*self.sessions.values(), self.looker, self.application):
            session.close()
        self.legacy.drop()
        self.target.drop()

    # --- the legacy application -------------------------------------------------------------------------------------

    def new_key(self) -> str:
        """A uuid that nobody has."""
        self.number += 1
        return f"0000000a-0000-4000-8000-{self.number:012}"

    def now(self) -> datetime:
        """A time later than all before."""
        self.number += 1
        return BEGIN + timedelta(minutes=self.number)

    def session(self, number: int) -> psycopg.Connection:
        """One of the sessions of the legacy application. Number 0 commits at once."""
        if number not in self.sessions:
            self.sessions[number] = _connected(self.legacy, autocommit=number == 0)
        return self.sessions[number]

    def write(self, number: int, nested: bool, statements: Sequence[tuple[LiteralString, Mapping[str, Any]]]) -> None:
        """Let a session write, in a savepoint or not. What the database refuses did not happen."""
        session = self.session(number)
        savepoint = session.transaction() if nested else contextlib.nullcontext()
        try:
            with savepoint:
                for statement, parameters in statements:
                    session.execute(statement, parameters)
        except (psycopg.errors.IntegrityError, psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if not nested:
                session.rollback()

    def end(self, number: int, *, commit: bool) -> None:
        """End the open transaction of a session, if it has one."""
        if number in self.sessions:
            (self.sessions[number].commit if commit else self.sessions[number].rollback)()

    # --- the new application ----------------------------------------------------------------------------------------

    def application_writes(self, statement: str, *values: Any) -> None:
        """Let the new application write. What the database refuses did not happen."""
        with contextlib.suppress(psycopg.errors.IntegrityError):
            self.application.execute(statement.encode(), values)
        self.look_again()

    # --- looking ----------------------------------------------------------------------------------------------------

    def legacy_rows(self) -> Legacy:
        """The rows that are committed now."""
        with self.looker.transaction():
            self.looker.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            return {
                table.legacy: self._keyed(self.looker, table.legacy, table.legacy_key, ())
                for table in MODELLED.values()
            }

    def before_run(self) -> Legacy:
        """The rows that are committed now, which the run that follows reads.

        The number of a ticket that was deleted in the target is taken as it is recorded: no row shows it, and whether it is decided
        again depends on whether the run has to read the tickets at all.
        """
        recorded, deleted = self._numbers(), self.model["tickets"].deleted
        self.model.numbers |= {key: number for key, number in recorded.items() if key in deleted}
        return self.legacy_rows()

    def keys(self, table: str) -> list[str]:
        """The legacy keys of a modelled table that are committed now, in their order."""
        modelled = MODELLED[table]
        return sorted(self._keyed(self.looker, modelled.legacy, modelled.legacy_key, (modelled.legacy_key,)))

    def target_rows(self, table: str) -> dict[str, Row]:
        """The rows of a modelled table of the target, of anyone."""
        modelled = MODELLED[table]
        return self._keyed(self.application, table, modelled.key, modelled.shown)

    def look_again(self) -> None:
        """Take the target as it is, after somebody else than a run has changed it."""
        for name in TABLES:
            self.model[name].target = self.target_rows(name)

    def looked_at(self, what: str) -> dict[str, dict[str, str]]:
        """Open entries of one of the state's lists: rule by table and legacy key."""
        found: dict[str, dict[str, str]] = {name: {} for name in TABLES}
        for table, key, rule in self.application.execute(_LOOKED_AT[what]).fetchall():
            found.get(table, {})[key] = rule
        return found

    def mapped(self, table: str) -> dict[str, tuple[str, str]]:
        """New key and state of every legacy key that the map of a table knows."""
        query = sql.SQL(
            "SELECT legacy_key::text, new_key::text, state FROM {} WHERE legacy_table = {} AND new_key IS NOT NULL"
        )
        rows = self.application.execute(query.format(_map(table), MODELLED[table].legacy)).fetchall()
        return {key: (new_key, state) for key, new_key, state in rows}

    def versions(self) -> dict[str, set[str]]:
        """The place and transaction of every row of the modelled tables: a row that was written again has others."""
        query = sql.SQL("SELECT ctid::text || xmin::text FROM {}")
        return {
            name: {row[0] for row in self.application.execute(query.format(sql.Identifier(name))).fetchall()}
            for name in TABLES
        }

    def last_run(self) -> int:
        return int(self._one("SELECT coalesce(max(id), 0) FROM remoteiq_etl.runs"))

    def runs(self) -> list[int]:
        """The runs that wrote, or might have written, something."""
        query = "SELECT id FROM remoteiq_etl.runs WHERE status <> 'plan' ORDER BY id"
        return [row[0] for row in self.application.execute(query).fetchall()]

    def reached(self, run: int) -> Reached:
        """What a run committed before it was killed."""
        keys = {name: self._touched(name, run) for name in TABLES}
        deleted = {
            name: {key for key, (_, state) in self.mapped(name).items() if state == "deleted" and table.notes_deleted}
            for name, table in MODELLED.items()
        }
        winners = self._decided("users", "users.email", "winner")
        return Reached(keys, deleted, winners, self._numbers())

    def _touched(self, table: str, run: int) -> set[str]:
        query = sql.SQL(
            "SELECT legacy_key::text FROM {map} WHERE legacy_table = {legacy} AND last_run = {run} AND new_key IS NOT NULL"
            " UNION SELECT legacy_key FROM remoteiq_etl.quarantine WHERE table_name = {name} AND last_run = {run}"
            " UNION SELECT legacy_key FROM remoteiq_etl.held WHERE table_name = {name} AND last_run = {run}"
            " UNION SELECT legacy_key FROM remoteiq_etl.left_out WHERE table_name = {name} AND run_id = {run}"
            " UNION SELECT legacy_key FROM remoteiq_etl.conflicts WHERE table_name = {name} AND {run} IN (last_run, resolved_run)"
        ).format(map=_map(table), legacy=MODELLED[table].legacy, run=run, name=table)
        return {row[0] for row in self.application.execute(query).fetchall()}

    def _numbers(self) -> dict[str, int]:
        return {key: int(number) for key, number in self._decided("tickets", "tickets", "ticket_number").items()}

    def _decided(self, table: str, kind: str, value: str) -> dict[str, str]:
        query = sql.SQL(
            "SELECT legacy_key::text, decision ->> {} FROM {} WHERE legacy_table = {} AND decision IS NOT NULL"
        )
        return dict(self.application.execute(query.format(value, _map(table), kind)).fetchall())

    def _one(self, statement: LiteralString) -> Any:
        row = self.application.execute(statement).fetchone()
        assert row is not None
        return row[0]

    @staticmethod
    def _keyed(session: psycopg.Connection, table: str, key: str, columns: tuple[str, ...]) -> dict[str, Row]:
        names = sql.SQL(", ").join(map(sql.Identifier, columns)) if columns else sql.SQL("*")
        query = sql.SQL("SELECT {} FROM {}").format(names, sql.Identifier(table))
        with session.cursor(row_factory=dict_row) as cursor:
            rows = [_plain(row) for row in cursor.execute(query).fetchall()]
        return {row[key]: row for row in rows}


def _plain(row: Row) -> Row:
    return {name: str(cell) if type(cell).__name__ == "UUID" else cell for name, cell in row.items()}


def _map(table: str) -> sql.Identifier:
    return sql.Identifier("remoteiq_etl", f"legacy_{table}_map")


def _connected(database: Database, *, autocommit: bool = True) -> psycopg.Connection:
    return psycopg.connect(database.url, autocommit=autocommit, options=_SETTINGS)


@contextlib.contextmanager
def pairs_on(server: Server) -> Iterator[Pairs]:
    pairs = Pairs(server)
    yield pairs
    pairs.drop()
