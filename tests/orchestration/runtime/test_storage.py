"""Errors of Dagster's own storage name its home and what to do."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.load_table import TableLoad
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import StorageFailed
from remoteiq_etl.orchestration.runtime.instance import instance
from remoteiq_etl.orchestration.runtime.storage import STORAGE_FAULTS, explained
from tests.support.calling import calling
from tests.support.server import Database


@contextmanager
def each_connection(statement: str) -> Iterator[list[bool]]:
    """Let every connection of SQLAlchemy to SQLite execute a statement first, as long as the list is not empty."""
    active = [True]

    def execute(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection) and active:
            connection.execute(statement)

    event.listen(Engine, "connect", execute)
    try:
        yield active
    finally:
        event.remove(Engine, "connect", execute)


@dg.op
def nothing() -> None:
    """Do nothing."""


@dg.job
def some_job() -> None:
    nothing()


def files(home: Path) -> Iterator[Path]:
    return (file for file in home.rglob("*.db") if file.is_file())


def another_version(home: Path) -> None:
    with closing(sqlite3.connect(next(home.rglob("runs.db")))) as connection:
        connection.execute("ALTER TABLE runs RENAME COLUMN run_body TO body")


def damage(home: Path) -> None:
    for file in files(home):
        file.write_bytes(b"no database " * 1000)


def replace_by_directories(home: Path) -> None:
    for file in list(files(home)):
        file.unlink()
        file.mkdir()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return Settings(home=tmp_path / "home")


def failed_run(settings: Settings) -> str:
    with pytest.raises(StorageFailed) as failed, instance(settings) as opened:
        some_job.execute_in_process(instance=opened)
    said = str(failed.value)
    assert said.startswith(f"Dagster cannot keep its records in {settings.home / 'dagster'} (DAGSTER_HOME): ")
    assert "INSERT" not in said
    assert "SELECT" not in said
    return said


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (damage, "its database is damaged"),
        (another_version, "its tables are those of another version of Dagster"),
        (replace_by_directories, "it cannot be written"),
    ],
)
def test_files_that_are_spoilt(settings: Settings, spoil: Callable[[Path], None], expected: str) -> None:
    with instance(settings) as opened:
        some_job.execute_in_process(instance=opened)
    spoil(settings.home / "dagster")
    assert expected in failed_run(settings)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [("PRAGMA query_only = ON", "it cannot be written"), ("PRAGMA max_page_count = 1", "its disk has no room left")],
)
def test_a_disk_that_takes_nothing(settings: Settings, statement: str, expected: str) -> None:
    with instance(settings):
        pass
    with each_connection(statement):
        assert expected in failed_run(settings)


def test_a_database_that_another_process_holds(settings: Settings) -> None:
    with instance(settings) as opened:
        some_job.execute_in_process(instance=opened)
    holders = [sqlite3.connect(file, isolation_level=None) for file in files(settings.home / "dagster")]
    try:
        for holder in holders:
            holder.execute("BEGIN IMMEDIATE")
        with each_connection("PRAGMA busy_timeout = 0"):
            assert "another process holds its database" in failed_run(settings)
    finally:
        for holder in holders:
            holder.close()


def test_what_is_in_a_statement_of_it_is_not_shown() -> None:
    """SQLAlchemy quotes statement and parameters."""
    error = OperationalError("INSERT INTO runs", {"body": "hunter2"}, sqlite3.OperationalError("disk I/O error"))
    said = str(explained(error, "/home/dagster"))
    assert "its disk cannot be read or written (disk I/O error)" in said
    assert "hunter2" not in said
    other = ValueError("of something else")
    assert explained(other, "/home/dagster") is other


def test_a_run_of_the_command_line_says_so_and_records_its_end(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    edge_db: Database,
    target_db: Database,
) -> None:
    """In the middle of a run, and before it."""
    with calling(monkeypatch, capsys, tmp_path / "home") as cli, each_connection("PRAGMA query_only = ON") as active:
        active.clear()
        original = TableLoad.execute

        def execute(load: TableLoad) -> TableReport:
            active.append(True)
            return original(load)

        monkeypatch.setattr(TableLoad, "execute", execute)
        for _ in ("in the middle", "before it begins"):
            ended = cli("run", "--table", "organizations", legacy=edge_db, target=target_db)
            assert ended.code == 1
            assert re.search(
                r"Dagster cannot keep its records in .*/home/dagster \(DAGSTER_HOME\): it cannot", ended.err
            )
            assert "Traceback" not in ended.err
    with target_db.connect() as connection:
        found = connection.execute("SELECT status, error FROM remoteiq_etl.runs").fetchall()
    assert [(status, error.partition(" in ")[0]) for status, error in found] == [
        ("failed", "StorageFailed: Dagster cannot keep its records")
    ]


def test_the_guide_has_them() -> None:
    page = (Path(__file__).parents[3] / "docs" / "guide" / "errors.md").read_text(encoding="utf-8")
    for fault in STORAGE_FAULTS:
        assert f"| {', '.join(fault.words)} | {fault.sentence} | {fault.advice}. |" in page
