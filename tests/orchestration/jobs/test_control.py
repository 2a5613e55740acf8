"""Orders to a run that Dagster executes, and what Dagster shows of waiting."""

import threading
from contextlib import closing
from dataclasses import dataclass, field

import dagster as dg

from remoteiq_etl.backfill.context.progress import Notice, Silent, TableProgress
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.state.orders import Control
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import register
from tests.orchestration.conftest import run_some, runs
from tests.support.server import Database


def give(target: Database, action: str) -> None:
    """Give an order on a session of its own."""
    database = EngineDatabase(target.url, "public")
    state = State(database, "remoteiq_etl")
    with closing(database.connect()) as session:
        state.ensure(session)
        control = Control(session, state, register(session, state, "default", "default").id)
        getattr(control, action)(f"a test wants to {action}")


@dataclass
class Orders(Silent):
    """Gives orders while the tables that they name are in work; resumes as soon as the run says that it is paused."""

    target: Database
    pause_at: str | None = None
    stop_after: str | None = None
    notices: list[str] = field(default_factory=list)
    resuming: threading.Thread | None = None

    def progressed(self, progress: TableProgress) -> None:
        if progress.table == self.pause_at and not progress.done:
            give(self.target, "pause")

    def finished(self, report: TableReport) -> None:
        if report.table == self.stop_after:
            give(self.target, "stop")

    def noticed(self, notice: Notice) -> None:
        self.notices.append(str(notice))
        if "paused by" in notice.text:
            self.resuming = threading.Timer(0.3, give, [self.target, "resume"])
            self.resuming.start()


def messages(instance: dg.DagsterInstance, run_id: str) -> str:
    return "\n".join(entry.user_message for entry in instance.all_logs(run_id))


def test_a_stopped_run_fails_in_dagster_with_who_stopped_it_and_ends_as_stopped(
    configured: Database, ephemeral: dg.DagsterInstance
) -> None:
    outcome = run_some(ephemeral, listener=Orders(configured, stop_after="organizations"))
    assert not outcome.success
    [(status, error, _)] = runs(configured)
    assert status == "stopped"
    assert "StopRequested: stopped by" in str(error)
    assert "a test wants to stop" in str(error)
    assert set(outcome.errors.values()) == {error}
    assert run_some(ephemeral).success
    assert [status for status, *_ in runs(configured)] == ["stopped", "succeeded"]


def test_dagster_shows_why_a_run_waited_and_for_how_long(configured: Database, ephemeral: dg.DagsterInstance) -> None:
    orders = Orders(configured, pause_at="permissions")
    outcome = run_some(ephemeral, listener=orders)
    assert outcome.success
    assert orders.resuming is not None
    orders.resuming.join()
    assert [text for text in orders.notices if text.startswith("permissions paused by")]
    logged = messages(ephemeral, outcome.run_id)
    assert "permissions paused by" in logged
    assert "permissions goes on after" in logged
    materialization = ephemeral.get_latest_materialization_event(dg.AssetKey("permissions"))
    assert materialization is not None
    assert materialization.asset_materialization is not None
    metadata = materialization.asset_materialization.metadata
    assert metadata["seconds waited"].value["paused"] >= 0.2
    assert metadata["seconds behind the source"].value >= 0.2
    assert {"open in quarantine", "of these ignored", "open held", "open conflicts"} <= set(metadata)
