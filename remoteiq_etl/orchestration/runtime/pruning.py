"""Pruning: Dagster's records of old runs are deleted, and the room is given back.

What the UI shows of an asset hangs on runs: its last materialization, its last run, and the last verdict of each check. Dagster
deletes a run with these, too, and then shows an asset whose events lead nowhere. So such runs stay, however old they are, and
so do those that are not finished, and the last one. What Dagster forgets to delete is deleted with them: the verdicts of a run's
checks, and its file.

Belongs here: which runs go, deleting them, compacting SQLite files. Does not belong here: how long they stay (config.retention),
ticks, which Dagster's own retention deletes (see instance), the runs of our own state.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as Verdicts
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from sqlalchemy import Connection, delete, func, select

from remoteiq_etl.config.retention import Retention
from remoteiq_etl.orchestration.runtime.home import bytes_in

#: Names the code location in a tag that Dagster, and the command line, give each run. A DAGSTER_HOME may have other people's.
_LOCATION_TAG = ".dagster/repository"
_LOCATION = "@remoteiq_etl"
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
#: Seconds to wait for a process that writes to a file which is to be compacted.
_PATIENCE = 30.0
#: A file is compacted when at least this part of it is empty: that writes all of it anew.
_WORTH_IT = 0.2


@dataclass(frozen=True)
class Pruned:
    """What a pruning did. `runs` were deleted; `held` were old enough and stay, because an asset's state hangs on them.

    `before` and `after`: bytes of DAGSTER_HOME. `busy`: files that other processes held, compacted another time.
    """

    runs: int
    held: int
    before: int
    after: int
    busy: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For a person."""
        freed = f"{self.before / 1e6:,.1f} MB before, {self.after / 1e6:,.1f} MB now"
        held = f"; {self.held:,} stay because the last state of an asset hangs on them" if self.held else ""
        busy = f" In use, and compacted another time: {', '.join(self.busy)}." if self.busy else ""
        return f"{self.runs:,} runs deleted{held}; {freed}.{busy}"


def prune(instance: dg.DagsterInstance, retention: Retention, now: datetime | None = None) -> Pruned:
    """Delete the runs of ours that are older than is to be kept, and compact what is in SQLite. It may be repeated any time."""
    home = Path(instance.root_directory)
    before = bytes_in(home)
    old = _old_runs(instance, retention, now or datetime.now(UTC))
    holders = _holders(instance)
    gone = [run_id for run_id in old if run_id not in holders]
    for run_id in gone:
        _delete(instance, run_id)
    busy = [path.name for path in _files(instance) if not _compacted(path)]
    return Pruned(len(gone), len(old) - len(gone), before, bytes_in(home), tuple(busy))


def _old_runs(instance: dg.DagsterInstance, retention: Retention, now: datetime) -> list[str]:
    """The finished runs of ours beyond the days or the number that are kept, the latest of all never."""
    records = [one for one in instance.get_run_records() if _is_ours(one.dagster_run)]
    until = now - timedelta(days=retention.dagster_days)
    most = retention.dagster_runs or len(records)
    return [
        one.dagster_run.run_id
        for number, one in enumerate(records)
        if number > 0
        and one.dagster_run.status in _FINISHED
        and (number >= most or one.create_timestamp.astimezone(UTC) < until)
    ]


def _is_ours(run: dg.DagsterRun) -> bool:
    return run.tags.get(_LOCATION_TAG, "").endswith(_LOCATION)


def _holders(instance: dg.DagsterInstance) -> set[str]:
    """The runs on which the state of an asset or check hangs."""
    entries = [record.asset_entry for record in instance.get_asset_records()]
    held = {entry.last_run_id for entry in entries if entry.last_run_id}
    held |= {last.run_id for entry in entries for last in (entry.last_materialization, entry.last_observation) if last}
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        with storage.index_connection() as index:
            held |= set(_last_verdicts(index))
    return held


def _last_verdicts(index: Connection) -> Iterator[str]:
    """The runs that made the last verdict of a check, or asked for it last."""
    is_made = Verdicts.c.execution_status.in_(["SUCCEEDED", "FAILED"])
    latest = select(func.max(Verdicts.c.id)).group_by(Verdicts.c.asset_key, Verdicts.c.check_name)
    for which in (latest, latest.where(is_made)):
        yield from index.scalars(select(Verdicts.c.run_id).where(Verdicts.c.id.in_(which)).distinct())


def _delete(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run with all that is recorded of it."""
    instance.delete_run(run_id)
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):
        with storage.index_connection() as index:
            index.execute(delete(Verdicts).where(Verdicts.c.run_id == run_id))
    if isinstance(storage, SqliteEventLogStorage):
        file = storage.path_for_shard(run_id)
        for path in (file, f"{file}-wal", f"{file}-shm"):
            Path(path).unlink(missing_ok=True)


def _files(instance: dg.DagsterInstance) -> Iterator[Path]:
    """The SQLite files that all runs share."""
    if isinstance(instance.run_storage, SqliteRunStorage):
        with instance.run_storage.connect() as connection:
            yield _path(connection)
    if isinstance(instance.event_log_storage, SqliteEventLogStorage):
        with instance.event_log_storage.index_connection() as connection:
            yield _path(connection)
    if isinstance(instance.schedule_storage, SqliteScheduleStorage):
        with instance.schedule_storage.connect() as connection:
            yield _path(connection)


def _path(connection: Connection) -> Path:
    return Path(connection.exec_driver_sql("PRAGMA database_list").one()[2])


def _compacted(path: Path) -> bool:
    """Give the empty pages of a file back to the system. False where another process would not let go of it."""
    with contextlib.closing(sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)) as connection:
        (free,), (pages,) = (
            connection.execute(f"PRAGMA {what}").fetchone() for what in ("freelist_count", "page_count")
        )
        if free < pages * _WORTH_IT:
            return True
        try:
            connection.execute("VACUUM")
            # With a write-ahead log the file itself becomes smaller only now.
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
        return not busy
