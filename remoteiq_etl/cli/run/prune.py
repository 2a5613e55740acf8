"""`prune`: delete Dagster's records of old runs."""

from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.orchestration.runtime.instance import instance
from remoteiq_etl.orchestration.runtime.pruning import prune


def show(*, as_json: bool) -> Exit:
    """Prune as [retention] says, and print what went and what room is left."""
    settings = Settings.load()
    with instance(settings) as recorded_in:
        pruned = prune(recorded_in, settings.retention)
    if as_json:
        output.print_json("prune", vars(pruned))
    else:
        output.results().print(str(pruned), markup=False)
    return Exit.DONE
