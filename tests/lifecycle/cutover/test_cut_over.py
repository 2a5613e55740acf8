"""A cut-over from its beginning to its end and back, of two databases and of one, under writers; and every way to fail."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import pytest

from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.config.fence_kind import FenceKind
from remoteiq_etl.errors import (
    ConfigurationError,
    CutOverError,
    GateClosed,
    LegacyWritten,
    LockedError,
    StageError,
    TransactionsOpen,
)
from remoteiq_etl.lifecycle.cutover.back import back
from remoteiq_etl.lifecycle.cutover.execute import CutOverReport, plan
from remoteiq_etl.lifecycle.cutover.steps import CutOverStep, downtime
from remoteiq_etl.lifecycle.stages import store
from tests.support.cutting_over import Passed, Ready

Make = Callable[..., Ready]
LITTLE = ("backup_policies",)
_POLICY = "SELECT (options ->> 'enabled')::boolean FROM backup_policies"
_STATUSES = "SELECT DISTINCT status FROM devices"
_NOTES = "SELECT note FROM backup_jobs WHERE note LIKE 'written %' ORDER BY 1"
_INSERT = """
INSERT INTO backup_jobs (id, started_at, finished_at, status, note) VALUES (gen_random_uuid(), now(), now(), 'success', %s)
"""


@dataclass
class Writer:
    """A session of the old application that inserts and updates jobs until it is kept out."""

    connect: Callable[[], psycopg.Connection]
    name: str
    is_over: threading.Event
    committed: list[str] = field(default_factory=list)
    ended: Exception | None = None

    def __call__(self) -> None:
        number = 0
        try:
            with self.connect() as session:
                while not self.is_over.wait(0.002):
                    number += 1
                    note = f"written {self.name} {number}"
                    with session.transaction():
                        session.execute(_INSERT, [f"{note}, first"])
                        session.execute("UPDATE backup_jobs SET note = %s WHERE note = %s", [note, f"{note}, first"])
                    self.committed.append(note)
        except psycopg.Error as error:
            self.ended = error


@contextlib.contextmanager
def writing(ready: Ready, role: str) -> Iterator[list[Writer]]:
    """Two writers at work while the block lasts, longer than a cut-over."""
    is_over = threading.Event()

    def connect() -> psycopg.Connection:
        return ready.legacy.connect(role=role)

    writers = [Writer(connect, name, is_over) for name in ("one", "two")]
    threads = [threading.Thread(target=writer) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def role_of_application(ready: Ready) -> str:
    """A role that may write to legacy, and nothing else."""
    role = ready.legacy.select_only_role()
    ready.legacy.execute(f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
    return role


@pytest.mark.every_postgres
def test_under_writers_two_databases_are_cut_over_and_back(two: Make) -> None:
    """read_only: sessions are ended when they are between two transactions, and new ones can write no more."""
    ready = two()
    role = role_of_application(ready)
    with writing(ready, role) as writers:
        while not all(len(writer.committed) > 3 for writer in writers):
            pass
        report = ready.cut_over()
        assert_cut_over(ready, report, writers)
    with ready.legacy.connect(role=role) as session, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        session.execute("DELETE FROM backup_jobs")
    kept_out = (psycopg.OperationalError, psycopg.errors.AdminShutdown, psycopg.errors.ReadOnlySqlTransaction)
    assert all(isinstance(writer.ended, kept_out) for writer in writers)
    assert report.fence_stands
    assert report.connection["database"] == ready.target.name
    assert_later_runs_remember(ready)
    assert_back(ready)
    with ready.legacy.connect(role=role) as session:
        session.execute("DELETE FROM backup_jobs WHERE note LIKE 'written%'")


def test_under_writers_two_schemas_are_cut_over_and_back(one: Make) -> None:
    """revoke: writers are refused at once, and the new application finds its tables where the old one looks for its."""
    ready = one()
    role = role_of_application(ready)
    ready = ready.changed(fence=FenceKind.REVOKE, roles=(role,))
    with writing(ready, role) as writers:
        while not all(len(writer.committed) > 3 for writer in writers):
            pass
        report = ready.cut_over()
        later = replace(ready, schemas=("public_legacy", "public"))
        assert_cut_over(later, report, writers)
    assert {type(writer.ended) for writer in writers} == {psycopg.errors.InsufficientPrivilege}
    with pytest.raises(ConfigurationError, match="REMOTEIQ_LEGACY_SCHEMA=public_legacy"):
        ready.run()
    assert_later_runs_remember(later)
    assert_back(later)
    assert len(ready.in_legacy(_NOTES)) == len(ready.in_target(_NOTES))
    with ready.legacy.connect(role=role) as session:
        session.execute("DELETE FROM backup_jobs WHERE note LIKE 'written%'")


def assert_cut_over(ready: Ready, report: Any, writers: Sequence[Writer]) -> None:
    """Every write that was committed is in the target, none twice and none after the fence; and what only a cut-over writes."""
    assert isinstance(report, CutOverReport)
    assert (ready.stage(), ready.phases()) == ("cut over", ["done"])
    assert list(report.seconds) == list(CutOverStep)
    assert sum(report.seconds[step] for step in list(CutOverStep)[1:-1]) == pytest.approx(report.downtime, abs=0.1)
    written = [row[0] for row in ready.in_target(_NOTES)]
    assert written == [row[0] for row in ready.in_legacy(_NOTES)]
    assert len(set(written)) == len(written)
    assert set(written) >= {title for writer in writers for title in writer.committed}
    assert ready.in_target(_POLICY) == [(True,)]
    assert ready.in_target(_STATUSES) == [("offline",)]


def assert_later_runs_remember(ready: Ready) -> None:
    """An ordinary run does not take back what the cut-over wrote, and moves no stage."""
    ready.run()
    assert ready.in_target(_POLICY) == [(True,)]
    assert ready.in_target(_STATUSES) == [("offline",)]
    assert ready.stage() == "cut over"
    with (
        ready.migration() as found,
        pytest.raises(ConfigurationError, match="cut_over is no option of a run"),
        found.run(options={"cut_over": True}),
    ):
        pass


def assert_back(ready: Ready) -> None:
    """While the new application has written nothing, all of it is as it was."""
    with ready.place() as place:
        assert back(place).lost == []
    assert ready.phases() == ["taken back"]
    assert not ready.fence_stands()


def refused(ready: Ready, error: type[Exception], said: str, **tools: Any) -> None:
    """The cut-over is refused or ended; nothing of the fence is left, and no backup is on."""
    with pytest.raises(error, match=said):
        ready.cut_over(**tools)
    assert not ready.fence_stands()
    assert ready.in_target(_POLICY) == [(False,)]


class Closed:
    def closed_by(self) -> Sequence[str]:
        return ["tables: 2 of 48 are not verified.", "rehearsal: none of these schemas."]


def test_before_anything_is_read_the_fence_is_away_again(two: Make) -> None:
    """A closed gate, a second operator, a transaction that stays open: the stage has not moved, and nothing was read."""
    ready = replace(two(wait_seconds=0.2), tables=LITTLE, verifies=False)
    refused(ready, GateClosed, r"(?s)2 of 48 are not verified.*none of these schemas", gate=Closed())
    with ready.place() as place, contextlib.closing(place.migration.target.connect()) as other:
        source_id = store.source_of(other, place.state, "default")
        assert source_id is not None
        with store.claim(other, place.state, source_id, "cleanup"):
            refused(ready, LockedError, r"in work already: cleanup, by \S+@\S+ \(role tester\) since \d{4}-")
    with ready.legacy.connect(autocommit=False) as app:
        app.execute("UPDATE backup_jobs SET note = note")
        refused(
            ready,
            TransactionsOpen,
            "(?s)still open 0.2 seconds after the fence.*ended in the step wait. Nothing has happened",
        )
        app.commit()  # it goes on
    # What the runs of giving up wrote: nothing, so that the migration is as finalized as before.
    assert (ready.stage(), ready.phases()) == ("finalized", ["failed"])
    runs = ready.query("SELECT count(*) FROM remoteiq_etl.runs")
    assert ready.dry_run() == list(CutOverStep)
    assert ready.query("SELECT count(*) FROM remoteiq_etl.runs") == runs


def test_after_the_final_run_the_fence_is_away_again(two: Make) -> None:
    """A verification that does not pass, and writes in spite of the fence: what only a cut-over writes is taken back."""
    ready = replace(two(fence="stopped"), tables=LITTLE, verifies=False)

    def failed(_plan: RunPlan) -> Passed:
        assert ready.in_target(_POLICY) == [(True,)]
        return Passed(passed=False, word="BUG")

    def written(checked: RunPlan) -> Any:
        ready.legacy.execute(
            "UPDATE backup_jobs SET note = 'late' WHERE note = 'job 1'; DELETE FROM backup_jobs WHERE note = 'job 2'"
        )
        return ready.verdict(checked)

    refused(
        ready,
        CutOverError,
        "(?s)the verification says 'BUG'.*ended in the step verify. Nothing has happened",
        verify=failed,
    )
    assert ready.stage() == "in step"
    refused(ready, StageError, "needs a migration that is finalized")
    ready.make_ready()
    refused(ready, LegacyWritten, r"backup_jobs \(1 rows new or changed, 1 deleted at least\)", verify=written)
    ready.make_ready()
    report = ready.cut_over()
    assert isinstance(report, CutOverReport)
    assert ready.phases() == ["failed", "failed", "done"]


def test_a_plan_says_what_will_be_done_and_how_long_it_takes(one: Make) -> None:
    ready = replace(one(), tables=LITTLE, verifies=False)
    with ready.place() as place:
        steps = plan(place)
    assert [found.step for found in steps] == list(CutOverStep)
    assert "so that the new application finds its tables in public" in steps[-2].about
    expected, most = downtime(steps)
    assert 0 < expected <= most
    assert json.dumps([vars(found) for found in steps])
