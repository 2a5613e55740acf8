"""The harness itself: what every other test relies on."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

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


def test_the_edge_cases_are_loaded(edge_db: Database) -> None:
    with edge_db.connect() as connection:
        assert connection.execute("SELECT count(*) > 0 FROM agents").fetchone() == (True,)


@pytest.mark.every_postgres
def test_every_version_found_runs(server: Server, target_db: Database) -> None:
    with target_db.connect() as connection:
        assert connection.info.server_version // 10000 == server.major
        assert connection.execute("SELECT 'A'::citext = 'a'").fetchone() == (True,)


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
