"""A job run in this process: what it returns, what is recorded of it, and how it fails."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.instance import DagsterInstance

import assets
from remoteiq_etl.backfill.context.progress import TableProgress
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.load_table import TableLoad
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError, ConservationError
from remoteiq_etl.lifecycle.migration import connected
from remoteiq_etl.orchestration.assets.discovery import find_specs
from remoteiq_etl.orchestration.jobs.execute import JobOutcome, find_job
from remoteiq_etl.orchestration.runtime.run_options import RunOptions
from tests.orchestration.conftest import SOME_TABLES, run_some, runs
from tests.support.server import Database

FOREIGN_KEYS = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
SECRET = "hunter2-in-a-row"


class Heard:
    def __init__(self) -> None:
        self.begun: set[str] = set()
        self.done: list[str] = []
        self.warnings: list[str] = []

    def progressed(self, progress: TableProgress) -> None:
        self.begun.add(progress.table)

    def finished(self, report: TableReport) -> None:
        self.done.append(report.table)

    def warned(self, text: str) -> None:
        self.warnings.append(text)


def fail_at(monkeypatch: pytest.MonkeyPatch, table: str, fail: Callable[[], object]) -> None:
    """Let the load of one table fail in the middle."""
    original = TableLoad.execute

    def execute(load: TableLoad) -> TableReport:
        if load.spec.name == table:
            fail()
        return original(load)

    monkeypatch.setattr(TableLoad, "execute", execute)


def server_error() -> None:
    try:
        raise ValueError(f"parameter $1 = '{SECRET}'")
    except ValueError as cause:
        raise psycopg.errors.InvalidTextRepresentation(f"invalid input syntax: {SECRET}") from cause


def lost_rows() -> None:
    raise ConservationError("clients from devices: the snapshot holds 9 rows, 8 were read.")


def events(instance: dg.DagsterInstance, outcome: JobOutcome) -> list[dg.EventLogEntry]:
    return list(instance.all_logs(outcome.run_id))


def materialized(instance: dg.DagsterInstance, outcome: JobOutcome) -> set[str]:
    found = [entry.dagster_event for entry in events(instance, outcome) if entry.dagster_event]
    return {event.asset_key.to_user_string() for event in found if event.is_step_materialization and event.asset_key}


def started(instance: dg.DagsterInstance, outcome: JobOutcome) -> set[str]:
    found = [entry.dagster_event for entry in events(instance, outcome) if entry.dagster_event]
    return {str(event.step_key) for event in found if event.is_step_start}


def test_a_run_returns_the_reports_and_tells_the_listener(
    configured: Database, ephemeral: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> None:
    heard = Heard()
    outcome = run_some(ephemeral, listener=heard, tags={"started_by": "a test"})
    assert (outcome.success, outcome.error, outcome.needs_attention) == (True, None, 0)
    assert (
        set(outcome.reports) == set(heard.done) == {"organizations", "permissions", "clients", "sites", "automations"}
    )
    assert heard.begun == set(heard.done) - {"automations"}
    assert runs(configured) == [("succeeded", None, outcome.run_id)]
    run = ephemeral.get_run_by_id(outcome.run_id)
    assert run is not None
    assert run.tags.items() >= {"started_by": "a test", "remoteiq/run": "1", "remoteiq/source": "default"}.items()
    assert capfd.readouterr() == ("", "")


def test_some_tables_alone_are_loaded_after_the_preparation(
    configured: Database, ephemeral: dg.DagsterInstance
) -> None:
    outcome = run_some(ephemeral, tables=["permissions"])
    assert outcome.success
    assert materialized(ephemeral, outcome) == {"target_schema", "accepted_drift", "permissions"}


def test_a_domain_job_leaves_the_constraints_for_later(configured: Database, ephemeral: dg.DagsterInstance) -> None:
    outcome = run_some(ephemeral, "backfill_platform")
    assert outcome.success
    assert materialized(ephemeral, outcome) == {"target_schema", "accepted_drift", "organizations"}
    with configured.connect() as connection:
        assert connection.execute(FOREIGN_KEYS).fetchone() == (0,)


def test_a_failure_skips_what_depends_on_it_and_fails_the_run(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, "clients", server_error)
    outcome = run_some(ephemeral)
    text = "the server refuses a value (SQLSTATE 22P02). The server's log has it; its text may hold values and is not shown."
    assert (outcome.success, outcome.errors) == (False, {"clients": text})
    assert runs(configured) == [("failed", text, outcome.run_id)]
    assert materialized(ephemeral, outcome) == {
        "target_schema",
        "accepted_drift",
        "unchanged_tables",
        "organizations",
        "permissions",
        "automations",
    }
    assert {"sites", "target_constraints"}.isdisjoint(started(ephemeral, outcome))


def test_no_text_of_the_server_reaches_the_event_log(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, "clients", server_error)
    outcome = run_some(ephemeral)
    everything = "".join(entry.to_json() for entry in events(ephemeral, outcome))
    assert "SQLSTATE 22P02" in everything
    assert SECRET not in everything
    assert "invalid input syntax" not in everything


def test_a_broken_conservation_law_fails_its_check_and_stops_what_depends_on_it(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(monkeypatch, "clients", lost_rows)
    outcome = run_some(ephemeral)
    assert "the snapshot holds 9 rows, 8 were read" in outcome.errors["clients"]
    assert "sites" not in outcome.reports
    key = dg.AssetCheckKey(dg.AssetKey("clients"), "conservation")
    record = ephemeral.get_latest_asset_check_evaluation_record(key)
    assert record is not None
    assert record.event is not None
    assert record.event.dagster_event is not None
    evaluation = record.event.dagster_event.asset_check_evaluation_data
    assert (evaluation.passed, evaluation.severity, evaluation.blocking) == (False, dg.AssetCheckSeverity.ERROR, True)
    assert "8 were read" in (evaluation.description or "")


def test_a_failed_run_goes_on_with_the_next(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        fail_at(broken, "clients", server_error)
        assert not run_some(ephemeral).success
    outcome = run_some(ephemeral)
    assert outcome.success
    assert [status for status, *_ in runs(configured)] == ["failed", "succeeded"]


def test_a_signal_ends_the_run_before_it_ends_the_caller(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)

    fail_at(monkeypatch, "clients", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_some(ephemeral)
    assert [(status, error) for status, error, _ in runs(configured)] == [
        ("failed", "DagsterExecutionInterruptedError")
    ]
    assert [run.status for run in ephemeral.get_runs()] == [dg.DagsterRunStatus.FAILURE]


def test_a_signal_between_two_steps_ends_the_run_too(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No step of ours sees it: Dagster keeps it for the next one, and ends that before it begins."""
    original = DagsterInstance.handle_new_event

    def handle_new_event(instance: DagsterInstance, entry: dg.EventLogEntry, **more: Any) -> None:
        original(instance, entry, **more)
        if entry.dagster_event and entry.dagster_event.is_step_success and entry.step_key == "organizations":
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(DagsterInstance, "handle_new_event", handle_new_event)
    with pytest.raises(KeyboardInterrupt):
        run_some(ephemeral)
    assert [(status, error) for status, error, _ in runs(configured)] == [
        ("failed", "DagsterExecutionInterruptedError")
    ]


class Finalized:
    """Collected while a signal waits, as a connection of psycopg may be."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)


def test_a_signal_that_only_a_finalizer_hears_ends_the_run(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is raised there is printed and forgotten."""
    forgotten: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda said: forgotten.append(said.exc_type.__name__))
    fail_at(monkeypatch, "clients", Finalized)
    with pytest.raises(KeyboardInterrupt):
        run_some(ephemeral)
    assert forgotten == ["DagsterExecutionInterruptedError"]
    assert [(status, error) for status, error, _ in runs(configured)] == [
        ("failed", "DagsterExecutionInterruptedError")
    ]


def test_a_signal_that_another_error_hides_ends_the_run(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hide() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(30)
        finally:
            raise psycopg.OperationalError("the session was cut short")

    fail_at(monkeypatch, "clients", hide)
    with pytest.raises(KeyboardInterrupt):
        run_some(ephemeral)
    assert [(status, error) for status, error, _ in runs(configured)] == [
        ("failed", "DagsterExecutionInterruptedError")
    ]


def test_a_signal_in_the_middle_of_a_statement_leaves_no_run_running(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session of the run is busy then, and cannot write how the run ended."""
    original = TableLoad.execute

    def execute(load: TableLoad) -> TableReport:
        if load.spec.name == "clients":
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
            load.run.session.execute("SELECT pg_sleep(30)")
        return original(load)

    monkeypatch.setattr(TableLoad, "execute", execute)
    with pytest.raises(KeyboardInterrupt):
        run_some(ephemeral)
    assert [(status, error) for status, error, _ in runs(configured)] == [
        ("failed", "DagsterExecutionInterruptedError")
    ]


def test_a_second_run_of_the_source_is_refused_with_our_text(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remoteiq_etl.state.locks.LOCK_PATIENCE", 0.0)
    settings = Settings.load()
    with connected(settings, find_specs(assets)) as migration, migration.run():
        outcome = run_some(ephemeral)
    assert not outcome.success
    assert set(outcome.errors) == {"target_schema"}
    assert outcome.errors["target_schema"].startswith("LockedError: another run holds the source 'default'")
    assert outcome.reports == {}
    assert [status for status, *_ in runs(configured)] == ["succeeded"]


def run_of(instance: dg.DagsterInstance, outcome: JobOutcome) -> dg.DagsterRun:
    run = instance.get_run_by_id(outcome.run_id)
    assert run is not None
    return run


@pytest.mark.parametrize(
    ("tag", "status"),
    [("dagster/schedule_name", "CANCELED"), ("dagster/sensor_name", "CANCELED"), ("somebody", "FAILURE")],
)
def test_a_scheduled_run_of_a_busy_source_is_canceled_and_no_failure(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tag: str, status: str
) -> None:
    monkeypatch.setattr("remoteiq_etl.state.locks.LOCK_PATIENCE", 0.0)
    with connected(Settings.load(), find_specs(assets)) as migration, migration.run():
        outcome = run_some(ephemeral, tags={tag: "resync"})
    assert outcome.errors["target_schema"].startswith("LockedError: another run holds the source 'default'")
    assert run_of(ephemeral, outcome).status.name == status


RETRY_TAG = "dagster/retry_on_asset_or_op_failure"


def retried(instance: dg.DagsterInstance, **tags: str) -> str | None:
    return run_of(instance, run_some(instance, tags=tags)).tags.get(RETRY_TAG)


def test_only_what_may_be_mended_by_itself_is_tried_again(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    inherited = {"dagster/retry_number": "1", RETRY_TAG: "true"}
    with monkeypatch.context() as unreachable:
        unreachable.setenv("REMOTEIQ_LEGACY_URL", "postgresql://etl@/nowhere?host=/nowhere")
        assert retried(ephemeral) == "true"
    with monkeypatch.context() as wrong:
        wrong.setenv("REMOTEIQ_BATCH_ROWS", "many")
        assert retried(ephemeral) is None
        assert retried(ephemeral, **inherited) == "false"
    monkeypatch.setattr("remoteiq_etl.state.locks.LOCK_PATIENCE", 0.0)
    with connected(Settings.load(), find_specs(assets)) as migration, migration.run():
        assert retried(ephemeral) is None
        assert retried(ephemeral, **inherited) == "true", "the lock of the killed run may stand for a while"


def test_an_unreachable_database_is_one_readable_failure(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMOTEIQ_LEGACY_URL", f"postgresql://etl:{SECRET}@/nowhere?host=/nowhere")
    outcome = run_some(ephemeral)
    assert set(outcome.errors) == {"target_schema"}
    assert outcome.errors["target_schema"].startswith(
        "ConnectionFailed: cannot connect to postgresql://etl:***@/nowhere"
    )
    assert SECRET not in "".join(entry.to_json() for entry in events(ephemeral, outcome))


def test_a_wrong_setting_is_one_readable_failure(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMOTEIQ_BATCH_ROWS", "many")
    outcome = run_some(ephemeral)
    assert outcome.errors == {
        "target_schema": "ConfigurationError: environment: batch_rows: expected a whole number from 1 to 1000000, found 'many'."
        " Set REMOTEIQ_BATCH_ROWS to that, or unset it. The default is 50000."
    }


def test_options_reach_the_rules(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    original = TableLoad.execute

    def execute(load: TableLoad) -> TableReport:
        seen.append(dict(load.run.transform_context.options))
        return original(load)

    monkeypatch.setattr(TableLoad, "execute", execute)
    run_some(
        ephemeral, "backfill_platform", run_config=RunOptions(options={"role_grants": "role_meta_first"}).run_config
    )
    assert seen == [{"role_grants": "role_meta_first"}]


def test_a_configuration_that_does_not_fit_is_refused(ephemeral: dg.DagsterInstance) -> None:
    with pytest.raises(ConfigurationError, match="the configuration of the job resync does not fit it"):
        run_some(ephemeral, run_config={"resources": {"migration": {"config": {"option": {}}}}})


def test_an_unknown_job_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        ConfigurationError, match=r"no job 'backfil'\. The jobs are: application_install, backfill, backfill_access, "
    ):
        find_job(SOME_TABLES, "backfil")


def test_the_definitions_are_built_once_a_run_and_anew_for_the_next(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []
    find = dg.Definitions.get_repository_def

    def counted(definitions: dg.Definitions) -> dg.RepositoryDefinition:
        built.append(definitions)
        return find(definitions)

    monkeypatch.setattr(dg.Definitions, "get_repository_def", counted)
    for number in (1, 2):
        run_some(ephemeral, tables=["permissions"])
        assert len(built) == number


def test_the_definitions_module_is_found_again_by_name() -> None:
    assert find_job(SOME_TABLES, "backfill").name == "backfill"
    assert SOME_TABLES in sys.modules
