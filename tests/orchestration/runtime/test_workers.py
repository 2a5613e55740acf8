"""Whether the process of a Dagster run is still there, and what becomes of a run that lost it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.launcher import WorkerStatus

from remoteiq_etl.orchestration.runtime.launcher import LocalRunLauncher
from remoteiq_etl.orchestration.runtime.run_options import SOURCE_TAG
from remoteiq_etl.orchestration.runtime.workers import (
    PROCESS_TAG,
    Process,
    fail_interrupted,
    in_progress,
    is_lost,
    name_process,
)

Runs = dg.DagsterRunStatus


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@dg.job
def nothing() -> None:
    pass


def started(instance: dg.DagsterInstance, tags: dict[str, str], status: Runs = Runs.STARTED) -> dg.DagsterRun:
    run = instance.create_run_for_job(nothing, status=status, tags={SOURCE_TAG: "default"})
    short = run.run_id.partition("-")[0]
    instance.add_run_tags(run.run_id, {name: value.format(run=short) for name, value in tags.items()})
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found


def gone_tag() -> dict[str, str]:
    """Of a process that ran under our id before a restart of the machine."""
    return {PROCESS_TAG: f"{{run}}/{socket.gethostname()}/another/{os.getpid()}/1"}


def test_a_running_process_is_not_gone_and_is_named_as_it_is_read() -> None:
    process = Process.current()
    assert not process.is_lost()
    assert Process.read(str(process)) == process


def test_a_killed_process_is_gone_before_and_after_its_parent_has_noticed(child: subprocess.Popen[bytes]) -> None:
    ours = Process.current()
    other = Process(ours.host, ours.boot, child.pid, ours.started)
    assert other.is_lost(), "another process under its id began at another time"
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert other.is_lost()
    child.wait()
    assert other.is_lost()


def test_nobody_can_tell_of_another_machine() -> None:
    assert not Process("db.example.com", "boot", 1, "1").is_lost()


@pytest.mark.parametrize("text", ["", "host", "host/boot", "host/boot/pid/1", "host/boot/²/1"])
def test_a_text_that_names_no_process_is_none(text: str) -> None:
    assert Process.read(text) is None


def test_a_run_names_its_process(ephemeral: dg.DagsterInstance) -> None:
    run = started(ephemeral, {})
    name_process(ephemeral, run.run_id)
    found = ephemeral.get_run_by_id(run.run_id)
    assert found is not None
    assert f"/{os.getpid()}/" in found.tags[PROCESS_TAG]
    assert not is_lost(found)


def test_a_run_begun_again_is_not_taken_for_the_one_before(ephemeral: dg.DagsterInstance) -> None:
    """Dagster copies the tags of a run to its retry."""
    run = started(ephemeral, {PROCESS_TAG: gone_tag()[PROCESS_TAG].format(run="00000000")})
    assert not is_lost(run)


def test_lost_runs_are_failed_and_count_no_more(ephemeral: dg.DagsterInstance) -> None:
    lost, waiting = started(ephemeral, gone_tag()), started(ephemeral, gone_tag(), Runs.STARTING)
    started(ephemeral, {}, Runs.SUCCESS)
    assert [run.run_id for run in in_progress(ephemeral, "default")] == [waiting.run_id]
    failed = ephemeral.get_run_by_id(lost.run_id)
    assert failed is not None
    assert failed.status is Runs.FAILURE
    assert in_progress(ephemeral, "another source") == []


def test_runs_that_our_state_knows_as_interrupted_are_failed_wherever_they_ran(ephemeral: dg.DagsterInstance) -> None:
    run, done = started(ephemeral, {}), started(ephemeral, {}, Runs.SUCCESS)
    fail_interrupted(ephemeral, [run.run_id, done.run_id, "of another instance"])
    assert [found.status for found in ephemeral.get_runs(dg.RunsFilter(run_ids=[run.run_id, done.run_id]))] == [
        Runs.SUCCESS,
        Runs.FAILURE,
    ]
    fail_interrupted(ephemeral, [])


def test_the_launcher_tells_the_monitor_what_it_can_tell(ephemeral: dg.DagsterInstance) -> None:
    launcher = LocalRunLauncher()
    assert launcher.supports_check_run_worker_health
    assert launcher.check_run_worker_health(started(ephemeral, gone_tag())).status is WorkerStatus.NOT_FOUND
    assert launcher.check_run_worker_health(started(ephemeral, {})).status is WorkerStatus.RUNNING
