"""A verification that is told to stop, to pause, to wait or to let go while it works, on real servers."""

import threading
import time

import pytest

from remoteiq_etl.config.throttle import Signal, Threshold, ThrottleLimits
from remoteiq_etl.errors import SourcePaused, StopRequested
from remoteiq_etl.verify.engine import verify
from tests.support.migrating import Migration
from tests.support.verifying import Verifying, Watched, order, past, verifying

#: The first one has several ranges, the second is compared as a whole.
TABLES = ("tickets", "contacts", "roles")
#: A snapshot may live for so many transactions: many more than a verification of these tables begins by itself.
OLD = ThrottleLimits({Signal.SNAPSHOT_XIDS: Threshold(high=2000)}, 0.02)


def test_stop_keeps_the_verdicts_that_are_done_and_the_next_verification_goes_on(copy: Migration) -> None:
    listener = Watched("contacts", lambda: order(copy, lambda control: control.stop("a release")))
    ended = Verifying(copy, TABLES, listener).start().end()
    assert isinstance(ended.error, StopRequested)
    assert "a release" in str(ended.error)
    assert "the next remoteiq-etl verify goes on from there" in str(ended.error)
    [(status, done, _, error)] = past(copy)
    assert (status, done) == ("stopped", ["tickets"])
    assert str(error).startswith("StopRequested: stopped by")
    assert copy.query("SELECT table_name FROM remoteiq_etl.verifications") == [("tickets",)]
    assert verify(copy.plan, TABLES).passed
    assert past(copy)[1] == ("passed", ["contacts", "roles"], ["tickets"], None)


def test_stop_takes_effect_between_two_ranges_and_leaves_nothing_of_the_table(copy: Migration) -> None:
    ended = verifying(copy, TABLES, lambda: order(copy, lambda control: control.stop())).end()
    assert isinstance(ended.error, StopRequested)
    assert ended.listener.ranges == 1
    assert copy.query("SELECT table_name FROM remoteiq_etl.verifications") == []


def test_an_order_to_stop_is_about_what_was_in_work_then(copy: Migration) -> None:
    """Neither about a later verification, nor about a run that begins while the verification ends."""
    ended = verifying(copy, TABLES, lambda: order(copy, lambda control: control.stop())).end()
    assert isinstance(ended.error, StopRequested)
    assert order(copy, lambda control: control.stop()) is False
    again = verifying(copy, TABLES, lambda: copy.run("roles")).end()
    assert (again.error, again.verdict is not None and again.verdict.passed) == (None, True)


def test_a_pause_holds_a_verification_until_resume(copy: Migration) -> None:
    paused = verifying(copy, TABLES, lambda: order(copy, lambda control: control.pause("backup window")))
    paused.wait_for_notice("paused by")
    time.sleep(0.4)
    assert (paused.listener.ranges, past(copy)[0][0]) == (1, "running")
    with pytest.raises(SourcePaused, match="backup window"):
        verify(copy.plan, ["roles"])
    order(copy, lambda control: control.resume())
    paused.end()
    assert (paused.error, past(copy)[0][0]) == (None, "passed")
    assert paused.listener.notices[-1].text.startswith("goes on after")


def test_a_pause_that_outlasts_the_snapshot_holds_nothing_on_the_source_and_fails_no_table(copy: Migration) -> None:
    paused = verifying(copy, TABLES, lambda: order(copy, lambda control: control.pause()), OLD)
    paused.wait_for_notice("paused by")
    grow_old(copy)
    deadline = time.monotonic() + 20
    while snapshots(copy):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    order(copy, lambda control: control.resume())
    paused.end()
    assert paused.verdict is not None
    assert [(one.table, one.error) for one in paused.verdict.tables] == [(table, None) for table in TABLES]


def test_stop_reaches_a_verification_that_is_paused(copy: Migration) -> None:
    paused = verifying(copy, TABLES, lambda: order(copy, lambda control: control.pause()))
    paused.wait_for_notice("paused by")
    assert order(copy, lambda control: control.stop()) is True
    assert isinstance(paused.end().error, StopRequested)


def test_a_snapshot_that_grows_too_old_is_let_go_and_its_table_verified_in_a_new_one(copy: Migration) -> None:
    ended = verifying(copy, TABLES, lambda: grow_old(copy), OLD).end()
    assert ended.verdict is not None
    tickets, *others = ended.verdict.tables
    ((first,),) = copy.query("SELECT snapshot FROM remoteiq_etl.verification_runs")
    assert (tickets.error, tickets.passed) == (None, True)
    assert tickets.snapshot != first
    assert {one.snapshot for one in others} == {tickets.snapshot}


def test_a_table_that_takes_longer_than_a_snapshot_may_live_fails_and_the_others_do_not(copy: Migration) -> None:
    ended = Verifying(copy, TABLES, Watched("tickets", lambda: grow_old(copy), after_each=True), OLD).start().end()
    assert ended.verdict is not None
    errors = {one.table: one.error for one in ended.verdict.tables if one.error}
    assert errors.keys() == {"tickets"}
    assert "the verification ends here, because snapshot_xids of the source" in str(errors["tickets"])


def test_a_verification_waits_while_a_signal_is_over_its_limit_and_can_be_stopped_then(copy: Migration) -> None:
    limits = ThrottleLimits({Signal.CONNECTIONS: Threshold(high=0.01)}, 0.02)
    waiting = Verifying(copy, TABLES, Watched("tickets", lambda: time.sleep(0.2), after_each=True), limits).start()
    waiting.wait_for_notice("waits, because connections of the")
    order(copy, lambda control: control.stop())
    assert isinstance(waiting.end().error, StopRequested)


def test_a_verification_over_a_lower_limit_is_slowed_down_and_says_so(copy: Migration) -> None:
    limits = ThrottleLimits({Signal.CONNECTIONS: Threshold(0.001, 1e9)}, 0.02)
    slowed = Verifying(copy, TABLES, Watched("tickets", lambda: time.sleep(0.2), after_each=True), limits).start().end()
    assert slowed.verdict is not None
    assert slowed.verdict.passed
    assert [notice.text for notice in slowed.listener.notices if "is slowed down, because connections" in notice.text]


def test_a_verification_lets_a_schema_change_of_the_legacy_application_through(copy: Migration) -> None:
    """It waits for our snapshot, and everything else of the application for it; the table is looked at once more."""
    change = threading.Thread(target=copy.legacy.execute, args=["ALTER TABLE tickets ADD COLUMN nickname text"])

    def begin_change() -> None:
        change.start()
        time.sleep(1.0)

    ended = verifying(
        copy, TABLES, begin_change, ThrottleLimits({Signal.SOURCE_LOCK_WAIT: Threshold(high=0.2)}, 0.05)
    ).end()
    change.join(timeout=5)
    assert not change.is_alive()
    assert ended.verdict is not None
    assert ended.verdict.passed


def grow_old(migration: Migration) -> None:
    """Let a snapshot of the legacy database be older than OLD allows, whatever the time, and a probe see it."""
    migration.legacy.execute("DO $$ BEGIN FOR i IN 1..3000 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$")
    time.sleep(0.5)


def snapshots(migration: Migration) -> int:
    """Sessions on the legacy database that hold a snapshot for long."""
    with migration.legacy.connect() as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state = 'idle in transaction'"
        ).fetchone()
    assert found is not None
    return int(found[0])
