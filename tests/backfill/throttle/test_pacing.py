"""A run that is told to pause or to stop, or that must wait or let go, while it works. In another thread, on real servers."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest

from remoteiq_etl.backfill.context.progress import Notice, Silent, TableProgress
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.config.throttle import Signal, Threshold, ThrottleLimits
from remoteiq_etl.errors import RemoteIQError, SnapshotTooOld, SourcePaused, SourceWaits, StopRequested
from remoteiq_etl.state.orders import Control
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import register
from tests.support.migrating import Migration

TABLES = ("organizations", "users")
NOTHING = ThrottleLimits({}, 0.02)
WAITING = "SELECT FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
#: Every snapshot is past it. Given to a run while it works, so that it does not matter how long that took to begin.
LOWER_LIMIT = {Signal.SNAPSHOT_SECONDS: Threshold(low=0.001)}


@dataclass
class Watched(Silent):
    """A listener that calls back after the first batch of `table`, and keeps what it hears."""

    table: str
    after_first_batch: Callable[[], None]
    notices: list[Notice] = field(default_factory=list)
    _called: bool = False

    def progressed(self, progress: TableProgress) -> None:
        if progress.done and progress.table == self.table and not self._called:
            self._called = True
            self.after_first_batch()

    def noticed(self, notice: Notice) -> None:
        self.notices.append(notice)


@dataclass
class Running:
    """A run of TABLES in a thread."""

    migration: Migration
    listener: Watched
    limits: ThrottleLimits = NOTHING
    reports: dict[str, TableReport] = field(default_factory=dict)
    error: RemoteIQError | None = None

    def start(self) -> "Running":
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        return self

    def end(self) -> "Running":
        self.thread.join(timeout=60)
        assert not self.thread.is_alive()
        return self

    def _run(self) -> None:
        try:
            with open_run(replace(self.migration.plan, limits=self.limits, batch_rows=5), self.listener) as run:
                self.reports = run.load_all(TABLES)
        except RemoteIQError as error:
            self.error = error


def running(migration: Migration, at_batch: Callable[[], None], limits: ThrottleLimits = NOTHING) -> Running:
    return Running(migration, Watched("users", at_batch), limits).start()


def order(migration: Migration, give: Callable[[Control], object]) -> object:
    """Give an order on a session of its own."""
    plan = migration.plan
    state = State(plan.target, plan.state_schema)
    with closing(plan.target.connect()) as session:
        state.ensure(session)
        return give(Control(session, state, register(session, state, plan.source, plan.organization_slug).id))


def wait_for_notice(run: Running, text: str) -> None:
    deadline = time.monotonic() + 30
    while not any(text in notice.text for notice in run.listener.notices):
        assert time.monotonic() < deadline, run.listener.notices
        assert run.thread.is_alive(), run.error
        time.sleep(0.01)


def batches(migration: Migration) -> int:
    return int(migration.query("SELECT count(*) FROM remoteiq_etl.ledger WHERE table_name = 'users'")[0][0])


def statuses(migration: Migration) -> list[str]:
    return [row[0] for row in migration.query("SELECT status FROM remoteiq_etl.runs ORDER BY id")]


def test_a_pause_takes_effect_within_one_batch_and_resume_lets_the_run_go_on(migration: Migration) -> None:
    run = running(migration, lambda: order(migration, lambda control: control.pause("backup window")))
    wait_for_notice(run, "paused by")
    assert "backup window" in run.listener.notices[0].text
    assert batches(migration) == 1
    time.sleep(0.3)
    assert (batches(migration), statuses(migration)) == (1, ["running"])
    assert order(migration, lambda control: control.resume()) is True
    run.end()
    assert (run.error, statuses(migration)) == (None, ["succeeded"])
    assert batches(migration) > 2
    assert run.reports["users"].waited["paused"] >= 0.3
    assert run.listener.notices[-1].text.startswith("goes on after")


def test_a_paused_source_refuses_new_runs_until_it_is_resumed(migration: Migration) -> None:
    order(migration, lambda control: control.pause("incident 4711"))
    with pytest.raises(SourcePaused, match=r"paused by .* incident 4711"):
        migration.run("organizations")
    assert statuses(migration) == []
    order(migration, lambda control: control.resume())
    migration.run("organizations")
    assert statuses(migration) == ["succeeded"]


def test_stop_ends_the_run_after_its_batch_and_the_next_run_goes_on(migration: Migration) -> None:
    run = running(migration, lambda: order(migration, lambda control: control.stop("too slow")))
    run.end()
    assert isinstance(run.error, StopRequested)
    assert "too slow" in str(run.error)
    assert (batches(migration), statuses(migration)) == (1, ["stopped"])
    written = len(migration.rows("users"))
    reports = migration.run(*TABLES)
    assert statuses(migration) == ["stopped", "succeeded"]
    assert reports["users"].counts()["unchanged"] == written > 0


def test_stop_without_a_run_stops_no_later_one(migration: Migration) -> None:
    assert order(migration, lambda control: control.stop()) is False
    migration.run("organizations")
    assert statuses(migration) == ["succeeded"]


def test_stop_reaches_a_run_that_is_paused(migration: Migration) -> None:
    run = running(migration, lambda: order(migration, lambda control: control.pause()))
    wait_for_notice(run, "paused by")
    assert order(migration, lambda control: control.stop()) is True
    run.end()
    assert isinstance(run.error, StopRequested)


def test_a_pause_does_not_let_the_snapshot_grow_older_than_its_limit(migration: Migration) -> None:
    thresholds: dict[Signal, Threshold] = {}
    began = time.monotonic()

    def pause() -> None:
        """The limit is a moment later than the pause, however long the run took to come so far."""
        order(migration, lambda control: control.pause())
        thresholds[Signal.SNAPSHOT_SECONDS] = Threshold(high=time.monotonic() - began + 0.3)

    run = running(migration, pause, ThrottleLimits(thresholds, 0.02)).end()
    assert isinstance(run.error, SnapshotTooOld)
    assert "snapshot_seconds of the source is " in str(run.error)
    assert "paused by" in run.listener.notices[0].text
    assert (batches(migration), statuses(migration)) == (1, ["stopped"])


def test_from_the_lower_limit_on_the_table_in_work_is_the_last(migration: Migration) -> None:
    thresholds: dict[Signal, Threshold] = {}
    listener = Watched("organizations", lambda: thresholds.update(LOWER_LIMIT))
    run = Running(migration, listener, ThrottleLimits(thresholds, 0.02)).start().end()
    assert isinstance(run.error, SnapshotTooOld)
    assert len(migration.rows("organizations")) == 1
    assert batches(migration) == 0


def test_a_run_waits_while_a_signal_is_over_its_limit_and_can_be_stopped_then(migration: Migration) -> None:
    limits = ThrottleLimits({Signal.CONNECTIONS: Threshold(high=0.01)}, 0.02)
    run = running(migration, lambda: time.sleep(0.2), limits)
    wait_for_notice(run, "waits, because connections of the")
    order(migration, lambda control: control.stop())
    run.end()
    assert isinstance(run.error, StopRequested)
    assert statuses(migration) == ["stopped"]


def test_a_run_over_the_lower_limit_is_slowed_down_and_says_so(migration: Migration) -> None:
    limits = ThrottleLimits({Signal.CONNECTIONS: Threshold(0.001, 1e9)}, 0.02)
    run = running(migration, lambda: time.sleep(0.2), limits).end()
    assert run.error is None
    assert run.reports["users"].waited["connections"] > 0
    assert [notice.text for notice in run.listener.notices if "is slowed down, because connections" in notice.text]


def test_a_run_lets_go_when_the_legacy_application_waits_for_its_locks(migration: Migration) -> None:
    """A schema change over there waits for our snapshot, and everything else for the schema change."""
    change = threading.Thread(target=migration.legacy.execute, args=["ALTER TABLE users ADD COLUMN nickname text"])

    def begin_change() -> None:
        change.start()
        while not migration.query(WAITING, migration.legacy.name):
            time.sleep(0.02)
        time.sleep(0.8)  # more than the limit, and several looks at it

    run = running(migration, begin_change, ThrottleLimits({Signal.SOURCE_LOCK_WAIT: Threshold(high=0.2)}, 0.05)).end()
    change.join(timeout=5)
    assert not change.is_alive()
    assert isinstance(run.error, SourceWaits)
    assert "source_lock_wait of the source" in str(run.error)
    assert statuses(migration) == ["stopped"]


def test_a_run_gives_way_to_who_waits_for_its_rows_in_the_target(migration: Migration) -> None:
    """The wait is seen while the batch is written; between batches nothing is held."""
    limits = ThrottleLimits({Signal.LOCK_WAIT: Threshold(high=0.0001)}, 0.02)
    asked = threading.Thread(
        target=migration.target.execute, args=["BEGIN; LOCK TABLE users IN EXCLUSIVE MODE; COMMIT"]
    )
    reading = threading.Event()

    def hold() -> None:
        """As a batch that takes long: our session holds a lock while another waits."""
        run_session = holder[0]
        with run_session.transaction():
            run_session.execute("LOCK TABLE users IN ROW EXCLUSIVE MODE")
            asked.start()
            time.sleep(0.4)
        reading.set()

    holder: list[object] = []
    listener = Watched("users", hold)
    with open_run(replace(migration.plan, limits=limits, batch_rows=5), listener) as run:
        holder.append(run.context.session)
        reports = run.load_all(TABLES)
    asked.join()
    assert reading.is_set()
    assert "waits, because lock_wait of the target" in "".join(notice.text for notice in listener.notices)
    assert reports["users"].waited["lock_wait"] > 0


def test_what_cannot_be_watched_is_said_once_and_stops_nobody(migration: Migration) -> None:
    role = migration.legacy.select_only_role()
    migration.legacy.execute("REVOKE EXECUTE ON FUNCTION pg_blocking_pids(integer) FROM PUBLIC")
    plan = migration.plan
    migration = replace(migration, plan=replace(plan, legacy=replace(plan.legacy, url=migration.legacy.url_as(role))))
    with migration.legacy.connect(autocommit=False) as holder, migration.legacy.connect(autocommit=False) as waiter:
        holder.execute("LOCK TABLE agents IN ACCESS EXCLUSIVE MODE")
        asked = threading.Thread(target=waiter.execute, args=["LOCK TABLE agents"])
        asked.start()
        run = running(migration, lambda: time.sleep(0.4), ThrottleLimits(probe_seconds=0.02)).end()
        holder.rollback()
        asked.join()
    assert run.error is None
    told = [notice.text for notice in run.listener.notices if "cannot be watched" in notice.text]
    assert told == [
        "source_lock_wait of the source cannot be watched fully: the role lacks a right (SQLSTATE 42501: permission denied for"
        " function pg_blocking_pids)"
    ]


def test_an_order_is_recorded_with_who_when_and_why(migration: Migration) -> None:
    order(migration, lambda control: control.pause("first"))
    order(migration, lambda control: control.pause("second"))
    order(migration, lambda control: control.resume())
    assert order(migration, lambda control: control.resume()) is False
    rows = migration.query(
        "SELECT action, reason, actor LIKE '%_@_%', given_at <= now() FROM remoteiq_etl.orders ORDER BY id"
    )
    assert rows == [("pause", "first", True, True), ("pause", "second", True, True), ("resume", None, True, True)]


def test_a_pause_holds_also_in_the_last_table_of_a_run(migration: Migration) -> None:
    """The snapshot is past its lower limit, so that the run ends after this table; until then it waits all the same."""
    thresholds: dict[Signal, Threshold] = {}

    def pause() -> None:
        order(migration, lambda control: control.pause())
        thresholds.update(LOWER_LIMIT)

    run = running(migration, pause, ThrottleLimits(thresholds, 0.02))
    wait_for_notice(run, "paused by")
    time.sleep(0.3)
    assert batches(migration) == 1
    assert next(notice.text.split(",")[0] for notice in run.listener.notices) == "is the last table of this run"
    order(migration, lambda control: control.resume())
    run.end()
    assert (run.error, statuses(migration)) == (None, ["succeeded"])
