"""A worker that is killed: its run ends, another goes on, and our own state says what happened.

The code server, the worker processes, and the monitor are Dagster's own; only the daemon's turns are taken by the test.
"""

import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._cli.job import _create_run
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.auto_run_reexecution.auto_run_reexecution import consume_new_runs_for_automatic_reexecution
from dagster._daemon.monitoring.run_monitoring import execute_run_monitoring_iteration
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.orchestration.runtime.instance import instance
from remoteiq_etl.orchestration.runtime.workers import PROCESS_TAG
from tests.orchestration.conftest import SOME_TABLES, run_some, runs
from tests.support.server import Database

LOG = logging.getLogger(__name__)
PATIENCE = 60.0


@pytest.fixture
def own(configured: Database, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with instance(Settings.load()) as own:
        yield own


@pytest.fixture
def workspace(own: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkspaceProcessContext]:
    """Its code server has ended with it: another test would be told that a process was left."""
    monkeypatch.setattr(dg.DagsterInstance, "wait_for_local_code_server_processes_on_shutdown", True)
    target = ModuleTarget(SOME_TABLES, None, os.getcwd(), SOME_TABLES)  # noqa: PTH109  # where the tests are run
    with WorkspaceProcessContext(own, target) as context:
        yield context


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def status(own: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = own.get_run_by_id(run_id)
    assert run is not None
    return run.status


def submit(own: dg.DagsterInstance, workspace: WorkspaceProcessContext) -> str:
    """Submit the job as `dagster job launch` does."""
    context = workspace.create_request_context()
    location = context.get_code_location(SOME_TABLES)
    (repository,) = location.get_repositories().values()
    job = repository.get_full_job("resync")
    run = _create_run(own, location, repository, job, run_config={}, tags={}, op_selection=None, run_id=None)
    return own.submit_run(run.run_id, context).run_id


def dequeue(workspace: WorkspaceProcessContext) -> None:
    list(QueuedRunCoordinatorDaemon(interval_seconds=1).run_iteration(workspace))


def test_a_killed_worker_is_noticed_and_the_retry_completes(
    configured: Database, own: dg.DagsterInstance, workspace: WorkspaceProcessContext
) -> None:
    first = run_some(own, tables=["permissions"]).run_id
    with configured.connect(autocommit=False) as blocker:
        blocker.execute("LOCK TABLE permissions")
        run_id = submit(own, workspace)
        dequeue(workspace)
        wait_for(lambda: "remoteiq/run" in own.get_run_by_id(run_id).tags)  # type: ignore[union-attr]
        tag = own.get_run_by_id(run_id).tags[PROCESS_TAG]  # type: ignore[union-attr]
        os.kill(int(tag.split("/")[3]), signal.SIGKILL)
        wait_for(
            lambda: (
                bool(list(execute_run_monitoring_iteration(workspace, LOG))) and status(own, run_id).name == "FAILURE"
            )
        )
    assert [ended for ended, *_ in runs(configured)] == ["succeeded", "running"]
    records = own.get_run_records(dg.RunsFilter(run_ids=[run_id]))
    list(consume_new_runs_for_automatic_reexecution(workspace, records, LOG))
    (retry,) = own.get_runs(dg.RunsFilter(tags={"dagster/retry_number": "1"}))
    dequeue(workspace)
    wait_for(lambda: status(own, retry.run_id).name == "SUCCESS")
    assert [(ended, name) for ended, _, name in runs(configured)] == [
        ("succeeded", first),
        ("interrupted", run_id),
        ("succeeded", retry.run_id),
    ]
