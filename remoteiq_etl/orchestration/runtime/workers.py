"""Which process executes a Dagster run, and whether it is still there: a killed one cannot say that it is not.

The process is named in a tag of the run, so that anybody who can read the instance may ask for it on the same machine.
Belongs here: naming processes, telling that one is gone, ending the Dagster runs of those. Does not belong here: the runs
of our own state, which the next run marks (see remoteiq_etl.backfill.run).
"""

import contextlib
import os
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from remoteiq_etl.orchestration.runtime.run_options import SOURCE_TAG

PROCESS_TAG = ".dagster/remoteiq_process"  # the prefix keeps it out of the lists of the UI
LOST = (
    "The process of this run ended without a word: it was killed, or its machine went down. Every batch that was committed is"
    " kept; the next run goes on from there."
)
#: In these a run is in somebody's hands, or will be.
_IN_PROGRESS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_PROC = Path("/proc")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Process:
    """A process as it can be told from every other: ids of processes are used again, also after a restart of the machine.

    `boot` and `started` (clock ticks since the boot) are empty where the system has no /proc.
    """

    host: str
    boot: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> "Process":
        """The process that asks."""
        return cls(socket.gethostname(), _boot(), os.getpid(), _started(os.getpid()) or "")

    @classmethod
    def read(cls, text: str) -> "Process | None":
        """The process that a tag names; None where the text names none."""
        host, boot, pid, started = [*text.split("/"), "", "", "", ""][:4]
        return cls(host, boot, int(pid), started) if pid.isascii() and pid.isdigit() else None

    def __str__(self) -> str:
        """The form that `read` takes."""
        return f"{self.host}/{self.boot}/{self.pid}/{self.started}"

    def is_lost(self) -> bool:
        """Whether it certainly does not run any more. Of another machine nobody can tell."""
        if self.host != socket.gethostname():
            return False
        if not _PROC.joinpath("self").exists():
            return not _answers(self.pid)
        return self.boot != _boot() or self.started != _started(self.pid)


def name_process(instance: dg.DagsterInstance, run_id: str) -> None:
    """Write into a run's tags that this process executes it."""
    instance.add_run_tags(run_id, {PROCESS_TAG: f"{_short(run_id)}/{Process.current()}"})


def is_lost(run: dg.DagsterRun) -> bool:
    """Whether a run that counts as started has lost its process. A run begun again has the tags of the one before at first."""
    run_id, _, named = run.tags.get(PROCESS_TAG, "").partition("/")
    process = Process.read(named) if run_id == _short(run.run_id) else None
    return run.status is dg.DagsterRunStatus.STARTED and process is not None and process.is_lost()


def in_progress(instance: dg.DagsterInstance, source: str) -> list[dg.DagsterRun]:
    """The Dagster runs of a source that wait or work; those that lost their process are failed first."""
    found = instance.get_runs(dg.RunsFilter(statuses=_IN_PROGRESS, tags={SOURCE_TAG: source}))
    lost = [run for run in found if is_lost(run)]
    fail_lost(instance, lost)
    return [run for run in found if run not in lost]


def fail_interrupted(instance: dg.DagsterInstance, run_ids: Collection[str]) -> Sequence[dg.DagsterRun]:
    """Fail those of these Dagster runs that still count as started, and give them. The caller knows that nobody executes them."""
    if not run_ids:
        return []
    found = instance.get_runs(dg.RunsFilter(run_ids=list(run_ids), statuses=[dg.DagsterRunStatus.STARTED]))
    fail_lost(instance, found)
    return found


def fail_lost(instance: dg.DagsterInstance, runs: Collection[dg.DagsterRun]) -> None:
    """Record that these runs ended."""
    for run in runs:
        instance.report_run_failed(run, LOST)


def started_by_itself(tags: Mapping[str, str]) -> bool:
    """Whether a schedule or sensor started the run, so that nobody waits for its end."""
    return "dagster/schedule_name" in tags or "dagster/sensor_name" in tags


def _short(uuid: str) -> str:
    """Enough of a random id to tell one from another: people read these tags."""
    return uuid.partition("-")[0]


def _boot() -> str:
    with contextlib.suppress(OSError):
        return _short(_BOOT_ID.read_text(encoding="ascii"))
    return ""


def _started(pid: int) -> str | None:
    """Since when a process runs, in clock ticks since the boot; None when it does not, or has ended and waits for its parent."""
    try:
        # The name of the program comes second, in parentheses, and may hold anything.
        after_name = (
            (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if after_name[0] in {"Z", "X"} else after_name[19]


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
