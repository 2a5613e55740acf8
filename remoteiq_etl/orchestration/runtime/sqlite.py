"""Dagster's SQLite files, kept open while we run a job, by one engine each, and written without waiting for the disk.

Dagster opens a connection per event and closes it. The last one to close a file moves its write-ahead log into the
database and removes it, so that every event pays for that: a backfill of the edge cases records 650 events, and took 44 s
of which 19 were ours; with the files kept open 37 s (two busy cores; 12.3 and 10.4 s of processor time).
With commits that do not wait for the disk, and definitions built once instead of four times, a re-sync of the same without a
change took 45 to 49 s in place of 65 to 69 s (two cores under the load of five others; 11.5 and 13.0 s of processor time).

It makes an engine for each of them, too, and a new engine compiles every statement anew: with one engine for each file a
backfill of the edge cases took 6.6 to 7.4 s of processor time in place of 9.2 to 9.7, and a re-sync 5.2 to 6.0 in place of
7.4 to 8.3 (the same load). Measured again with Dagster 1.13.27, in turns, under the load of eleven others: a re-sync takes 13.7 and
14.3 s of processor time with one engine for each file, 15.0 and 17.9 without; a run of everything 15.3 and 16.0, and 19.3 without.
So a run costs 2 s or more without, and the patch of two private modules stays. It can go when `SqliteEventLogStorage._connect` and
`SqliteRunStorage.connect` (dagster/_core/storage/event_log/sqlite and runs/sqlite) keep the engine that they call `create_engine` for
at each connection now.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Engine

#: The modules of Dagster that make an engine for each statement, by this name of theirs.
_MAKERS = (sqlite_event_log, sqlite_run_storage)
_MAKER = "create_engine"


@contextlib.contextmanager
def kept_open() -> Iterator[None]:
    """Keep a second connection to every SQLite file that SQLAlchemy connects to within the block. It holds no lock."""
    kept: dict[str, sqlite3.Connection] = {}

    def keep(connection: object, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection) and (path := _path(connection)):
            if path not in kept:
                kept[path] = sqlite3.connect(path, check_same_thread=False)
            # With a write-ahead log this is safe, but for the last events when the power fails: what a run did is recorded in
            # the target. The default waits for the disk at each of two thousand commits.
            connection.execute("PRAGMA synchronous=NORMAL")
            # A read, because a connection notices only then that the file has a write-ahead log by now.
            kept[path].execute("PRAGMA schema_version").fetchall()

    event.listen(Engine, "connect", keep)
    try:
        yield
    finally:
        event.remove(Engine, "connect", keep)
        for connection in kept.values():
            connection.close()


@contextlib.contextmanager
def engines_reused() -> Iterator[None]:
    """Let Dagster's SQLite storages take the engine that they made for the same file within the block.

    They have no pool: a connection is opened anew each time, so that a file may be removed and made again.
    """
    made: dict[tuple[str, str], Engine] = {}

    def engine(url: str, **options: Any) -> Engine:
        key = url, repr(sorted(options.items()))
        if key not in made:
            made[key] = create_engine(url, **options)
        return made[key]

    before = [getattr(module, _MAKER) for module in _MAKERS]
    for module in _MAKERS:
        setattr(module, _MAKER, engine)
    try:
        yield
    finally:
        for module, maker in zip(_MAKERS, before, strict=True):
            setattr(module, _MAKER, maker)


def _path(connection: sqlite3.Connection) -> str:
    """The file of a connection; empty for a database in memory."""
    return str(connection.execute("PRAGMA database_list").fetchone()[2])
