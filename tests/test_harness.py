"""The harness itself: what every other test relies on."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.support.order import spread
from tests.support.server import Database, Server

ROOT = Path(__file__).parents[1]
_STARTS_A_SERVER = """
import time
from tests.support import server
started = server.start(server.bundled_bin_dir(), place=server.memory())
print(started.directory, flush=True)
time.sleep(60)
"""


def test_legacy_tables_are_there_and_a_reader_may_only_read(legacy_db: Database) -> None:
    role = legacy_db.select_only_role()
    with legacy_db.connect(role=role) as connection:
        assert connection.execute("SELECT count(*) FROM agents").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM agents")


def test_a_clone_does_not_see_another_ones_rows(server: Server) -> None:
    def build(database: Database) -> None:
        database.execute("CREATE TABLE t (n integer)")

    first, second = server.clone("harness", build), server.clone("harness", build)
    first.execute("INSERT INTO t VALUES (1)")
    with second.connect() as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    first.drop()
    second.drop()


def test_a_template_that_could_not_be_built_is_built_by_whoever_asks_next(server: Server) -> None:
    statements = iter(["CREATE TABLE t (n nothing)", "CREATE TABLE t (n integer)"])

    def build(database: Database) -> None:
        database.execute(next(statements))

    with pytest.raises(psycopg.errors.UndefinedObject):
        server.clone("mended", build)
    clone = server.clone("mended", build)
    with clone.connect() as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    clone.drop()


def test_the_edge_cases_are_loaded(edge_db: Database) -> None:
    with edge_db.connect() as connection:
        assert connection.execute("SELECT count(*) > 0 FROM agents").fetchone() == (True,)


@pytest.mark.every_postgres
def test_every_version_found_runs(server: Server, target_db: Database) -> None:
    with target_db.connect() as connection:
        assert connection.info.server_version // 10000 == server.major
        assert connection.execute("SELECT 'A'::citext = 'a'").fetchone() == (True,)


@dataclass(frozen=True)
class Item:
    """As much of a collected test as its place in the order depends on."""

    nodeid: str
    fixturenames: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return self.nodeid.partition("::")[0]


def test_each_worker_begins_with_whole_modules_and_ends_with_short_tests() -> None:
    sizes = {"cli/a": 6, "cli/b": 2, "cli/c": 3, "assets/d": 30, "assets/e": 9}
    items = [Item(f"tests/{path}::{n}") for path, size in sizes.items() for n in range(size)]
    items.append(Item("tests/assets/f::0", ("server",)))
    found = "".join(item.path[-1] for item in spread(items, 2))  # type: ignore[arg-type]  # what it looks at is there
    assert found == "a" * 6 + "d" * 19 + "bbcccf" + "d" * 11 + "e" * 9
    for workers in (1, 2, 3, 60):
        assert set(spread(items, workers)) == set(items)  # type: ignore[arg-type]


@pytest.mark.slow("starts a server of its own")
def test_a_server_ends_with_the_process_that_started_it() -> None:
    """And leaves no file behind: a killed session of the tests fills no disk."""
    with subprocess.Popen(
        [sys.executable, "-c", _STARTS_A_SERVER], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as starting:
        assert starting.stdout is not None
        directory = Path(starting.stdout.readline().strip())
        server = int((directory / "data" / "postmaster.pid").read_text().split()[0])
        starting.send_signal(signal.SIGKILL)
    program = Path(f"/proc/{server}/exe")  # of a process that is over but not yet waited for, there is none
    until = time.monotonic() + 20
    while (directory.exists() or program.exists()) and time.monotonic() < until:
        time.sleep(0.05)
    assert (directory.exists(), program.exists()) == (False, False)
