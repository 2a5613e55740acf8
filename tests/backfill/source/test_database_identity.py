"""Which database is read: a failover is told from the moment on at which it happened, on the new primary and on its standbys."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from remoteiq_etl.backfill.source.database_identity import UNREADABLE, read_identity
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.support import server as servers
from tests.support.server import SUPERUSER, Database, Server

TABLES = ["filled"]


@pytest.fixture(scope="module", params=servers.found_bin_dirs(), ids=lambda path: f"pg{servers.major_version(path)}")
def primary(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server with a table, and pages of it that the next checkpoint will take hours to write."""
    server = servers.start_primary(request.config.getoption("--pg-bindir") or request.param)
    yield server
    server.stop()


def follow(server: Server) -> Server:
    standby = servers.start_standby(server)
    wait_until(lambda: timeline(standby) != "", standby)
    return standby


def database(server: Server, role: str = SUPERUSER) -> Database:
    return Database(server, "postgres")


def identity(server: Server, role: str = SUPERUSER) -> str:
    with (
        closing(EngineDatabase(server.url("postgres", role), "public", read_only=True).connect()) as session,
        session.transaction(),
    ):
        return read_identity(session, TABLES)


def timeline(server: Server, role: str = SUPERUSER) -> str:
    return identity(server, role).split("/")[1]


def asked(server: Server, query: str) -> object:
    with database(server).connect() as connection:
        row = connection.execute(query.encode()).fetchone()
    return row and row[0]


def wait_until(condition: Callable[[], bool], server: Server) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, (server.directory / "log").read_text(encoding="utf-8")
        time.sleep(0.05)


def test_a_promoted_standby_is_another_database_at_once(primary: Server, tmp_path: Path) -> None:
    """Its control file still names the timeline of before. A standby that follows it is the same database as it."""
    database(primary).execute(
        "CREATE ROLE reader LOGIN; CREATE ROLE watcher LOGIN IN ROLE pg_read_all_stats; CREATE TABLE filled (n int, t text)"
    )
    first = follow(primary)
    second = follow(primary)
    try:
        database(primary).execute("INSERT INTO filled SELECT n, repeat('x', 500) FROM generate_series(1, 60000) n")
        wait_until(lambda: asked(first, "SELECT count(*) FROM filled") == 60000, first)
        assert {identity(server, role) for server in (primary, first) for role in (SUPERUSER, "reader", "watcher")} == {
            identity(primary)
        }
        assert asked(first, "SELECT pg_promote(true, 60)") is True
        assert asked(first, "SELECT timeline_id FROM pg_control_checkpoint()") == 1
        assert {timeline(first, role) for role in (SUPERUSER, "reader", "watcher")} == {"2"}
        assert identity(first).split("/")[2:] == identity(primary).split("/")[2:]
        assert timeline(primary) == "1"
        database(second).execute(f"ALTER SYSTEM SET primary_conninfo = 'host={first.directory} user={SUPERUSER}'")
        asked(second, "SELECT pg_reload_conf()")
        wait_until(lambda: timeline(second, "watcher") == "2", second)
        assert identity(second) == identity(first)
    finally:
        second.stop()
        first.stop()


@pytest.mark.every_postgres
def test_a_role_that_may_only_connect_knows_the_whole_identity(empty_db: Database) -> None:
    empty_db.execute("CREATE TABLE filled (n int)")
    role = empty_db.select_only_role()
    database = EngineDatabase(empty_db.url_as(role), "public", read_only=True)
    with closing(database.connect()) as session, session.transaction():
        assert UNREADABLE not in read_identity(session, TABLES).split("/")


def test_what_a_role_may_not_know_is_left_out(empty_db: Database) -> None:
    """A provider may have revoked it all."""
    role = empty_db.select_only_role()
    functions = ("pg_control_system()", "pg_walfile_name(pg_lsn)", "pg_control_checkpoint()")
    for function in functions:
        empty_db.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC")
    database = EngineDatabase(empty_db.url_as(role), "public", read_only=True)
    with closing(database.connect()) as session, session.transaction():
        assert read_identity(session, TABLES).split("/")[:2] == [UNREADABLE, UNREADABLE]
