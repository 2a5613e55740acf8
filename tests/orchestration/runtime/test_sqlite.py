"""SQLite files stay open between the connections of a block, and not beyond it; their engines are made once."""

import sqlite3
from pathlib import Path

import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text

from remoteiq_etl.orchestration.runtime.sqlite import engines_reused, kept_open


def write(path: Path) -> None:
    """As Dagster does: an engine and a connection for each event, closed at once."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("PRAGMA journal_mode = WAL"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS events (n int)"))
        connection.execute(text("INSERT INTO events VALUES (1)"))
    engine.dispose()


def test_the_write_ahead_log_stays_until_the_end(tmp_path: Path) -> None:
    path, log = tmp_path / "events.db", tmp_path / "events.db-wal"
    with kept_open():
        write(path)
        assert log.exists()
        write(path)
    assert not log.exists()
    write(path)
    assert not log.exists()


def test_it_holds_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with kept_open():
        write(path)
        other = sqlite3.connect(path, timeout=0)
        other.execute("BEGIN EXCLUSIVE")
        other.execute("INSERT INTO events VALUES (2)")
        other.commit()
        assert (2,) in other.execute("SELECT * FROM events").fetchall()
        other.close()


def test_it_ends_with_an_error_too(tmp_path: Path) -> None:
    def fail() -> None:
        with kept_open():
            write(tmp_path / "events.db")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert not (tmp_path / "events.db-wal").exists()


def test_a_database_in_memory_is_left_alone() -> None:
    with kept_open(), create_engine("sqlite://").connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_no_commit_waits_for_the_disk(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'events.db'}", poolclass=NullPool)
    with kept_open(), engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def engines_of(storages: Path) -> set[Engine]:
    """The engines by which Dagster's storages connect, each of them three times."""
    found: set[Engine] = set()

    def note(connection: Connection) -> None:
        found.add(connection.engine)

    events, kept = SqliteEventLogStorage(str(storages)), SqliteRunStorage.from_local(str(storages))
    event.listen(Engine, "engine_connect", note)
    try:
        for _ in range(3):
            assert list(events.get_logs_for_run("one")) == []
            assert kept.get_runs_count() == 0
    finally:
        event.remove(Engine, "engine_connect", note)
    return found


def test_dagster_makes_one_engine_for_a_file(tmp_path: Path) -> None:
    """Else each of its statements would be compiled anew. Beyond the block it does as it always did."""
    with engines_reused():
        assert len(engines_of(tmp_path)) == 2
    assert len(engines_of(tmp_path)) == 6


def test_a_file_that_was_removed_is_made_again(tmp_path: Path) -> None:
    """As when somebody deletes the runs of an instance while it is open."""
    with engines_reused():
        for _ in range(2):
            events = SqliteEventLogStorage(str(tmp_path))
            assert events.has_table("event_logs")
            assert list(events.get_logs_for_run("one")) == []
            for path in tmp_path.glob("*.db*"):
                path.unlink()
