"""Dagster's own launcher, which also tells its monitor that the process of a run is gone.

Dagster's asks the code server, which forgets its runs when it is restarted, and knows none of the command line's: those
would count as started for ever, and in the queue nothing of the source would begin any more.
"""

import dagster as dg
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

from remoteiq_etl.orchestration.runtime.workers import LOST, is_lost


class LocalRunLauncher(dg.DefaultRunLauncher):
    """Starts each run in a process of this machine, as Dagster does without configuration."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Whether the monitor may ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a started run is there. Where nobody can tell it counts as there."""
        if is_lost(run):
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, LOST)
        return CheckRunHealthResult(WorkerStatus.RUNNING)
