"""The job that deletes Dagster's records of old runs.

Belongs here: the job. Does not belong here: which runs go (runtime.pruning), when it starts (see schedules).
"""

from collections.abc import Callable

import dagster as dg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.orchestration.runtime.pruning import prune

PRUNE = "prune"
_ABOUT = (
    "Deletes Dagster's records of runs that are older than [retention] says, and compacts its SQLite files. The runs on which"
    " the last state of an asset or check hangs stay. Both databases are left as they are, and so are our own records of runs."
)


def prune_job(settings: Callable[[], Settings]) -> dg.JobDefinition:
    """The job of one step."""

    @dg.op(out=dg.Out(dg.Nothing))
    def prune_runs(context: dg.OpExecutionContext) -> None:
        try:
            retention = settings().retention
        except ConfigurationError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        pruned = prune(context.instance, retention)
        context.log.info(str(pruned))
        context.add_output_metadata({**vars(pruned), "busy": list(pruned.busy)})

    @dg.job(name=PRUNE, description=_ABOUT, executor_def=dg.in_process_executor)
    def job() -> None:
        prune_runs()

    return job
