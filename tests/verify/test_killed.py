"""A verification whose process is killed, or told to stop, leaves whole verdicts and nothing else; the next one goes on from there."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import TableVerdict
from tests.support.migrating import Migration
from tests.support.verifying import order, past

TABLES = ("roles", "tickets", "contacts")
COMMAND = "import sys; from remoteiq_etl.cli import main; sys.exit(main(['verify', *sys.argv[1:]]))"
WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
HELD = (
    "INSERT INTO remoteiq_etl.verifications (source_id, table_name, verification_id, status, verified_at, confirmed_at, snapshot,"
    " seconds, rows_compared, bugs, counts, checks, findings, matrices)"
    " VALUES (1, 'tickets', 0, 'verified', now(), now(), '', 0, 0, 0, '{}', '[]', '[]', '{}')"
)
TEMPORARY = "SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind IN ('r', 'v')"
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
LOCKS = "SELECT FROM pg_locks WHERE locktype = 'advisory'"


def start(migration: Migration, home: Path) -> subprocess.Popen[str]:
    urls = {"REMOTEIQ_LEGACY_URL": migration.legacy.url, "REMOTEIQ_TARGET_URL": migration.target.url}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", COMMAND, *TABLES],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **urls, "REMOTEIQ_HOME": str(home), "PYTHONPATH": str(Path.cwd()), "COLUMNS": "200"},
    )


def until(what: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.02)


def end_in_the_middle(migration: Migration, home: Path, signal_: signal.Signals) -> tuple[int, str]:
    """Send a signal to a verification while it writes the verdict of its second table; gives its exit code and what it said."""
    # The lock goes first when something fails, or the process would be waited for in vain.
    with start(migration, home) as process, migration.target.connect(autocommit=False) as holder:
        holder.execute(HELD)
        until(lambda: bool(migration.query(WAITING)), process)
        process.send_signal(signal_)
        if signal_ is signal.SIGKILL:
            process.wait()
            holder.rollback()  # only then can the server notice that nobody waits for its answer
        said = process.communicate(timeout=60)[1]
        holder.rollback()
    return process.returncode, said


def found(tables: tuple[TableVerdict, ...]) -> list[tuple[str, str, dict[str, dict[str, int]]]]:
    return [(one.table, one.status, {name: dict(counts) for name, counts in one.counts.items()}) for one in tables]


@pytest.mark.parametrize("signal_", [signal.SIGKILL, signal.SIGINT], ids=lambda one: one.name)
def test_a_verification_that_is_ended_in_the_middle_is_taken_up_where_it_was(
    copy: Migration, tmp_path: Path, signal_: signal.Signals
) -> None:
    code, said = end_in_the_middle(copy, tmp_path, signal_)
    if signal_ is signal.SIGKILL:
        assert (code, past(copy)) == (-signal.SIGKILL, [("running", ["roles"], [], None)])
    else:
        assert (code, "the next remoteiq-etl verify goes on from there" in " ".join(said.split())) == (130, True), said
        assert past(copy) == [("interrupted", ["roles"], [], "KeyboardInterrupt")]
    until(lambda: not copy.query(SESSIONS))
    assert (copy.query(TEMPORARY), copy.query(LOCKS)) == ([], [])
    assert copy.query("SELECT table_name, status FROM remoteiq_etl.verifications") == [("roles", "verified")]
    again = verify(copy.plan, TABLES)
    assert [one[:3] for one in past(copy)] == [
        ("interrupted", ["roles"], []),
        ("passed", ["contacts", "tickets"], ["roles"]),
    ]
    assert found(again.tables) == found(verify(copy.plan, TABLES, full=True).tables)


def test_the_command_ends_with_1_when_it_is_stopped_and_says_how_to_go_on(copy: Migration, tmp_path: Path) -> None:
    with copy.target.connect(autocommit=False) as holder, start(copy, tmp_path) as process:
        holder.execute(HELD)
        until(lambda: bool(copy.query(WAITING)), process)
        order(copy, lambda control: control.stop("a release"))
        holder.rollback()
        said = " ".join(process.communicate(timeout=60)[1].split())
    assert process.returncode == 1
    assert "stopped by" in said
    assert "a release" in said
    assert "the next remoteiq-etl verify goes on from there" in said
    assert [one[:3] for one in past(copy)] == [("stopped", ["roles", "tickets"], [])]
