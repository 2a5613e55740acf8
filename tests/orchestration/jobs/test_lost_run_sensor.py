"""Which alerts the runs of a source send, and which they do not."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

import assets
from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.migration import connected
from remoteiq_etl.orchestration.assets.discovery import find_specs
from remoteiq_etl.orchestration.jobs.lost_run_sensor import is_told
from remoteiq_etl.orchestration.runtime.workers import fail_lost
from tests.orchestration.conftest import run_some
from tests.orchestration.some_tables import defs
from tests.support.peers import Hook, webhook
from tests.support.server import Database

SPECS = find_specs(assets)
SENSOR = defs.get_repository_def().get_sensor_def("alert_on_lost_run")


@pytest.fixture
def hook(configured: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with webhook() as hook:
        monkeypatch.setenv("REMOTEIQ_ALERTS_WEBHOOK", hook.url)
        yield hook


@dg.job
def nothing() -> None:
    pass


@dg.op
def fails() -> None:
    raise dg.Failure("told by the run")


@dg.job
def failing() -> None:
    fails()


def tick(instance: dg.DagsterInstance, run_id: str) -> None:
    """Let the sensor see the failure of a run, as the daemon does."""
    run = instance.get_run_by_id(run_id)
    assert run is not None
    (entry,) = instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    event = entry.dagster_event
    assert event is not None
    context = dg.build_run_status_sensor_context(SENSOR.name, event, instance, run).for_run_failure()
    SENSOR(context)


def kinds(hook: Hook) -> list[str]:
    found = [post["kind"] for post in hook.posts]
    hook.posts.clear()
    return found


def test_a_run_without_news_says_nothing(hook: Hook, ephemeral: dg.DagsterInstance) -> None:
    assert run_some(ephemeral).success
    assert kinds(hook) == []


def test_a_failure_is_told_once_also_where_no_run_could_be_opened(
    hook: Hook, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMOTEIQ_LEGACY_URL", "postgresql://etl:hunter2@/nowhere?host=/nowhere")
    outcome = run_some(ephemeral)
    (post,) = hook.posts
    assert (post["kind"], post["run"], post["orchestrator_run_id"]) == ("failure", None, outcome.run_id)
    assert "ConnectionFailed: cannot connect to postgresql://etl:***@/nowhere" in post["text"]
    assert "hunter2" not in post["text"]


def test_a_busy_source_and_a_wrong_setting_alarm_nobody_or_only_the_log(
    hook: Hook, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remoteiq_etl.state.locks.LOCK_PATIENCE", 0.0)
    with connected(Settings.load(), SPECS) as migration, migration.run():
        assert not run_some(ephemeral).success
    monkeypatch.setenv("REMOTEIQ_BATCH_ROWS", "many")
    assert not run_some(ephemeral).success
    assert kinds(hook) == []


def test_what_a_run_stops_for_the_first_time_is_told_once(
    hook: Hook, configured: Database, edge_db: Database, ephemeral: dg.DagsterInstance
) -> None:
    run_some(ephemeral, tables=["permissions"])
    configured.execute("UPDATE permissions SET label = label || ' of the target'")
    edge_db.execute("UPDATE permissions SET label = label || ' of legacy'")
    outcome = run_some(ephemeral, tables=["permissions"])
    (post,) = hook.posts
    conflicts = outcome.reports["permissions"].total(Ledger.CONFLICT)
    assert conflicts > 0
    assert (post["kind"], post["tables"]) == ("conflict", {"permissions": {"new": conflicts, "waiting": conflicts}})
    assert post["run"] == 2
    hook.posts.clear()
    assert run_some(ephemeral, tables=["permissions"]).success
    assert kinds(hook) == []


def test_a_run_that_was_killed_is_told_by_the_sensor(hook: Hook, tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        lost = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)
        fail_lost(instance, [lost])
        tick(instance, lost.run_id)
    (post,) = hook.posts
    assert (post["kind"], post["orchestrator_run_id"]) == ("failure", lost.run_id)
    assert "ended without a word" in post["text"]


def test_a_run_that_told_it_itself_is_not_told_again(hook: Hook, tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        failed = failing.execute_in_process(instance=instance, raise_on_error=False)
        tick(instance, failed.run_id)
    assert kinds(hook) == []


def test_a_signal_is_told_unless_it_ended_a_command_that_somebody_typed() -> None:
    ended = {"dagster/failure_reason": "UNEXPECTED_TERMINATION"}
    assert not is_told(ended)
    assert is_told({**ended, "remoteiq/started_by": "remoteiq-etl"})
    assert not is_told({"remoteiq/started_by": "remoteiq-etl"}), "killed: nobody was told"


def test_an_unreachable_webhook_fails_no_run(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as gone:
        monkeypatch.setenv("REMOTEIQ_ALERTS_WEBHOOK", gone.url)
    monkeypatch.setenv("REMOTEIQ_LEGACY_URL", "postgresql://etl@/nowhere?host=/nowhere")
    outcome = run_some(ephemeral)
    assert list(outcome.errors) == ["target_schema"]
    assert any("could not be sent to the webhook: ConnectionRefusedError" in text for text in outcome.warnings)
    assert "s3cr3t-hook" not in "".join(entry.to_json() for entry in ephemeral.all_logs(outcome.run_id))
