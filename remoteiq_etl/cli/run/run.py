"""`run`: bring the target up to date, through Dagster in this process, recorded where its UI finds it."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import typer
from rich.console import Console

from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.beginning import begin
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.run import progress, summary
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import RemoteIQError
from remoteiq_etl.lifecycle.interventions import Interventions
from remoteiq_etl.lifecycle.migration import connected
from remoteiq_etl.orchestration.jobs.execute import JobOutcome, execute_job
from remoteiq_etl.orchestration.jobs.jobs import RESYNC
from remoteiq_etl.orchestration.jobs.narrowing import narrowed
from remoteiq_etl.orchestration.runtime.instance import instance
from remoteiq_etl.orchestration.runtime.run_options import MODE_TAG, STARTED_BY_TAG, RunOptions

#: The first tells our runs from those that the UI started itself. Nobody retries ours: who typed the command sees its end.
#: The last lets the UI count them as runs of the job; a run that it starts itself gets it from Dagster.
TAGS = {
    STARTED_BY_TAG: "remoteiq-etl",
    "dagster/max_retries": "0",
    ".dagster/repository": "__repository__@remoteiq_etl",
}

INTERRUPTED = (
    "Interrupted. Every batch that was committed is kept, with its account; nothing is half written. The next"
    " remoteiq-etl run goes on from there."
)


def show(
    tables: Sequence[str],
    domains: Sequence[str],
    *,
    full: bool,
    sweep: bool = False,
    accept_drift: Sequence[str] = (),
    interventions: Interventions | None = None,
    role_grants: str | None = None,
    as_json: bool,
) -> Exit:
    """Run the job and print its summary. FAILED when a table failed, ATTENTION when rows are quarantined or held."""
    declared = selection.all_tables()
    names = selection.chosen(declared, tables, domains)
    choices = RunOptions.asked(
        full=full, sweep=sweep, accept_drift=accept_drift, interventions=interventions, role_grants=role_grants
    )
    settings = Settings.load()
    with connected(settings, {name: table.spec for name, table in declared.items()}) as both:
        begin(both)
        outcome = execute(settings, names, len(declared), choices)
    if as_json:
        output.print_json("run", described(outcome))
    else:
        print_outcome(outcome, output.results())
    return exit_code(outcome)


def execute(
    settings: Settings, names: Collection[str] | None, all_tables: int, choices: RunOptions | None = None
) -> JobOutcome:
    """Re-sync, of these tables only if any are named, with its progress on stderr."""
    afterwards = None if names else "keys and indexes"
    choices = choices or RunOptions()
    try:
        with (
            instance(settings) as recorded_in,
            _narrowed(settings, recorded_in, is_plain=not names and choices == RunOptions()) as narrower,
            progress.shown(len(names or ()) or all_tables, afterwards=afterwards) as listener,
        ):
            return execute_job(
                RESYNC,
                instance=recorded_in,
                listener=listener,
                tables=names,
                selection=narrower,
                tags={**TAGS, MODE_TAG: str(choices.mode)},
                run_config=choices.run_config,
            )
    except KeyboardInterrupt:
        output.errors().print(INTERRUPTED, style="yellow")
        raise typer.Exit(Exit.INTERRUPTED) from None


@contextlib.contextmanager
def _narrowed(
    settings: Settings, recorded_in: dg.DagsterInstance, *, is_plain: bool
) -> Iterator[list[dg.AssetKey] | None]:
    """The assets that have a step in a re-sync of which nothing else was asked; None: all.

    The bundled server runs as long as the context is open: it would be started twice.
    """
    found = None
    with contextlib.ExitStack() as stack:
        # What fails here fails in the run, which is recorded.
        with contextlib.suppress(RemoteIQError):
            if is_plain:
                specs = {name: table.spec for name, table in selection.all_tables().items()}
                found = narrowed(recorded_in, stack.enter_context(connected(settings, specs)))
        yield found


def print_outcome(outcome: JobOutcome, console: Console) -> None:
    """Print the summary, the errors, and where to look next."""
    summary.show(outcome.reports, console, title="What the run did")
    print_errors(outcome)
    console.print(f"Dagster run {outcome.run_id}: {'done' if outcome.success else 'failed'}.")
    print_next(outcome, console)


def print_errors(outcome: JobOutcome) -> None:
    """Print what failed, and why."""
    for text, steps in _by_text(outcome.errors).items():
        output.errors().print(f"{', '.join(steps)} failed: {text}", style="red", markup=False, soft_wrap=True)
    if outcome.skipped:
        skipped = ", ".join(outcome.skipped)
        output.errors().print(f"Not done because of that: {skipped}.", style="red", markup=False, soft_wrap=True)


def _by_text(errors: Mapping[str, str]) -> dict[str, list[str]]:
    """The steps that failed by what they said: a run that is stopped ends many of them with the same words."""
    found: dict[str, list[str]] = {}
    for step, text in errors.items():
        found.setdefault(text, []).append(step)
    return found


def print_next(outcome: JobOutcome, console: Console) -> None:
    """Say which rows wait and where they are shown."""
    reports = outcome.reports
    quarantined, held = summary.total(reports, Ledger.QUARANTINED), summary.total(reports, Ledger.HELD)
    if quarantined:
        ignored = sum(report.waiting.ignored for report in reports.values())
        accepted = f" ({ignored:,} of them ignored)" if ignored else ""
        console.print(
            f"{quarantined:,} rows are quarantined{accepted}: remoteiq-etl quarantine list says which and why."
        )
    if held:
        console.print(f"{held:,} rows wait for a parent that is not there; each run looks again.")
    if conflicts := summary.total(reports, Ledger.CONFLICT):
        console.print(
            f"{conflicts:,} rows were edited in the target and in the legacy database: the target's are kept."
            " remoteiq-etl conflicts list shows all sides."
        )
    if withheld := sum(one.withheld for report in reports.values() for one in report.archived):
        console.print(
            f"{withheld:,} secret values have no place in the target and are withheld, because no sealing key is given:"
            " remoteiq-etl archive shows of which columns."
        )
    console.print("remoteiq-etl status shows the runs so far; make dev shows this one in Dagster's UI.")


def exit_code(outcome: JobOutcome) -> Exit:
    """How the command ends after this outcome."""
    return summary.exit_code(outcome.reports) if outcome.success else Exit.FAILED


def described(outcome: JobOutcome) -> dict[str, Any]:
    """What became of a run, for a program."""
    return {
        "run_id": outcome.run_id,
        "success": outcome.success,
        "errors": dict(outcome.errors),
        "skipped": list(outcome.skipped),
        "warnings": list(outcome.warnings),
        "tables": summary.as_json(outcome.reports),
    }
