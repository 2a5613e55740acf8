"""`plan`: what a run would do, worked out by a run whose every batch is taken back."""

from collections.abc import Sequence

from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.run import progress, summary
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle import migration
from remoteiq_etl.lifecycle.interventions import Interventions
from remoteiq_etl.orchestration.runtime.run_options import RunOptions


def show(
    tables: Sequence[str],
    domains: Sequence[str],
    *,
    full: bool,
    accept_drift: Sequence[str] = (),
    interventions: Interventions | None = None,
    as_json: bool,
) -> Exit:
    """Print the summary that a run would end with.

    FAILED when tables would not be loaded, ATTENTION when rows would be quarantined or held.
    """
    declared = selection.all_tables()
    names = selection.chosen(declared, tables, domains)
    choices = RunOptions.asked(full=full, accept_drift=accept_drift, interventions=interventions)
    specs = {name: table.spec for name, table in declared.items()}
    with (
        migration.connected(Settings.load(), specs) as both,
        progress.shown(len(names or specs)) as listener,
        both.run(planning=True, listener=listener, **choices.arguments) as run,
    ):
        reports = run.load_all(names)
    if as_json:
        output.print_json(
            {"plan": True, "warnings": list(run.context.plan.warnings), "tables": summary.as_json(reports)}
        )
    else:
        console = output.results()
        summary.show(reports, console, title="What a run would do")
        console.print("Nothing was written to the target's tables. remoteiq-etl run does it.")
    return summary.exit_code(reports)
