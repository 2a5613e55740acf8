"""`reset`: forget a table or a row, and migrate it again under the same keys."""

from dataclasses import asdict

from rich.console import Console

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.names import check_names
from remoteiq_etl.cli.run import run
from remoteiq_etl.config.conflicts import ConflictPolicy
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.interventions import Interventions
from remoteiq_etl.lifecycle.operations import reset
from remoteiq_etl.orchestration.jobs.execute import JobOutcome
from remoteiq_etl.orchestration.runtime.run_options import RunOptions
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.spec.dependencies import with_dependents


def show(table: str, key: str | None, *, take_legacy: bool, recreate: bool, yes: bool, as_json: bool) -> Exit:
    """Print what would be forgotten; with `yes` forget it and re-sync the table and what depends on it.

    ATTENTION when rows wait or stay in conflict afterwards.
    """
    declared = selection.all_tables()
    check_names("TABLE", [table], declared)
    specs = {name: one.spec for name, one in declared.items()}
    settings = Settings.load()
    with bundled.databases(settings) as databases:
        target = Database(databases.target, settings.target_schema)
        with reset.opened(target, settings.state_schema, settings.source, specs) as resetter:
            scope = resetter.scope(table, key)
            found = (
                resetter.forget(scope, take_legacy=take_legacy, recreate=recreate) if yes else resetter.figures(scope)
            )
        if not as_json:
            _print(output.results(), table, key, found, take_legacy=take_legacy, recreate=recreate)
        if not yes:
            return _only_shown(found, as_json=as_json)
        names = set(with_dependents(specs, [table]))
        # The rows to be overwritten are first listed: a policy that refuses or takes all of the table would not do that.
        conflicts = {table: str(ConflictPolicy.KEEP_TARGET)} if take_legacy else {}
        asked = Interventions(conflicts, {table: [key] if key else []} if recreate else {})
        outcome = run.execute(settings, names, len(declared), RunOptions.asked(interventions=asked))
        if take_legacy and outcome.success:
            with reset.opened(target, settings.state_schema, settings.source, specs) as resetter:
                taken = resetter.take(scope)
            outcome = run.execute(settings, names, len(declared)) if taken else outcome
    return _end(outcome, found, as_json=as_json)


def _only_shown(found: reset.ResetFigures, *, as_json: bool) -> Exit:
    if as_json:
        output.print_json("reset", {"reset": False, "figures": asdict(found)})
    else:
        output.results().print("Nothing was changed. Say it again with --yes to do it.")
    return Exit.DONE


def _end(outcome: JobOutcome, found: reset.ResetFigures, *, as_json: bool) -> Exit:
    if as_json:
        output.print_json("reset", {"reset": True, "figures": asdict(found), "run": run.described(outcome)})
    else:
        run.print_outcome(outcome, output.results())
    return run.exit_code(outcome)


def _print(
    console: Console, table: str, key: str | None, found: reset.ResetFigures, *, take_legacy: bool, recreate: bool
) -> None:
    output.heading(console, f"reset {table}{f' {key}' if key else ''}: {found.total:,} rows")
    edited = (
        "are overwritten by what legacy gives" if take_legacy else "become conflicts, where legacy gives another value"
    )
    deleted = "are made again" if recreate else "stay deleted (--recreate makes them again)"
    lines = {
        "still as we wrote them: written again where the rules give something else now": found.as_written,
        f"edited in the target: {edited}": found.edited,
        "adopted: keep their own values": found.adopted,
        "merged into other rows: read again, the recorded decisions stay": found.merged,
        f"deleted in the target: {deleted}": found.deleted,
        "gone from legacy, or taken back by an undo": found.gone,
        "left out by a rule: read again": found.left_out,
        "waiting in quarantine or for a parent: read again": found.waiting,
    }
    for text, rows in lines.items():
        if rows:
            console.print(f"  {rows:,} {text}", markup=False)
