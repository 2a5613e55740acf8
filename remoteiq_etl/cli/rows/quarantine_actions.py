"""`quarantine retry` and `quarantine ignore`: look at rows again now, or accept them as they are."""

from collections.abc import Mapping, Sequence

import typer

from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.rows.quarantine import opened, print_rows, selected
from remoteiq_etl.cli.run import run
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.operations.quarantine import QuarantinedRow, Selected, stay
from remoteiq_etl.orchestration.assets.discovery import DeclaredTable


def retry(keys: Sequence[str], tables: Sequence[str], rules: Sequence[str]) -> Exit:
    """Re-sync the tables that these rows wait for, and say which were released. ATTENTION when some stay."""
    chosen, settings = selected(tables, rules, keys), Settings.load()
    before = _rows(settings, chosen)
    if not before:
        _say("No row like this is in quarantine.")
        return Exit.DONE
    declared = selection.all_tables()
    names = assets_of(before, declared)
    outcome = run.execute(settings, names, len(declared))
    remaining = stay(before, _rows(settings, Selected()))
    _say(f"{len(before) - len(remaining):,} of {len(before):,} rows were released, {len(remaining):,} stay.")
    if remaining:
        print_rows(output.results(), remaining, len(remaining))
    if not outcome.success:
        run.print_errors(outcome)
        return Exit.FAILED
    return Exit.ATTENTION if any(row.ignored_at is None for row in remaining) else Exit.DONE


def ignore(keys: Sequence[str], tables: Sequence[str], rules: Sequence[str], reason: str | None, *, undo: bool) -> Exit:
    """Accept these rows as they are, or take that back. Raises BadParameter when no row or no reason is named."""
    if not (keys or tables or rules):
        raise typer.BadParameter("name a row by TABLE and KEY, or rows by --table or --rule; all at once is not meant.")
    if undo == bool(reason):
        raise typer.BadParameter("give either --reason (who reads it later should understand) or --undo.")
    chosen = selected(tables, rules, keys)
    with opened(Settings.load()) as quarantine:
        found = 0 if quarantine is None else quarantine.mark(chosen, reason)
    if undo:
        _say(f"{found:,} rows are no longer ignored.")
    else:
        _say(f"{found:,} rows are ignored until they change. They stay in quarantine: quarantine list --ignored.")
    return Exit.DONE if found else Exit.FAILED


def assets_of(rows: Sequence[QuarantinedRow], declared: Mapping[str, DeclaredTable]) -> set[str]:
    """The assets that read these rows for these target tables."""
    wanted = {(row.table, row.legacy_table) for row in rows}
    return {
        name
        for name, table in declared.items()
        if any((table.spec.name, source.name) in wanted for source in table.spec.sources)
    }


def _rows(settings: Settings, chosen: Selected) -> list[QuarantinedRow]:
    with opened(settings) as quarantine:
        return quarantine.rows(chosen) if quarantine else []


def _say(text: str) -> None:
    output.results().print(text, markup=False)
