"""`undo`: show what taking back the work of runs would do, keep that as a plan, and execute a plan."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import UndoError
from remoteiq_etl.lifecycle.undo.access import UndoTarget
from remoteiq_etl.lifecycle.undo.execute import UndoOutcome
from remoteiq_etl.lifecycle.undo.execute import execute as execute_plan
from remoteiq_etl.lifecycle.undo.plan import Listed, UndoPlan
from remoteiq_etl.lifecycle.undo.plan import plan as make_plan
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.postgres.database import Database

#: Rows of a list that are shown; a plan that is written with --out has all of them.
SHOWN = 20
_ACTIONS = ("delete", "restore", "insert", "kept", "absent", "blocked")


def show(scope: UndoScope, out: Path | None, *, accept_loss: bool, with_dependents: bool, as_json: bool) -> Exit:
    """Print the plan of an undo, and write it where that is asked. FAILED when something blocks it."""
    with opened(Settings.load()) as place:
        found = make_plan(place, scope, accept_loss=accept_loss, with_dependents=with_dependents)
    if out is not None:
        found.write(out)
    if as_json:
        output.print_json("undo", found.as_json())
    else:
        print_plan(found, output.results(), out)
    return Exit.FAILED if found.blocked else Exit.DONE


def execute(path: Path, *, as_json: bool) -> Exit:
    """Execute the plan in a file. FAILED when it cannot be proven that the target is what it was."""
    found = UndoPlan.read(path)
    with opened(Settings.load()) as place:
        _refuse_other_source(found, place)
        try:
            outcome = execute_plan(place, found)
        except KeyboardInterrupt:
            output.errors().print(
                f"Interrupted. What was committed stands; remoteiq-etl undo --execute {path} goes on from there.",
                style="yellow", markup=False, soft_wrap=True,
            )  # fmt: skip
            raise typer.Exit(Exit.INTERRUPTED) from None
    if as_json:
        output.print_json("undo --execute", _json(outcome))
    else:
        print_outcome(outcome, output.results())
    return Exit.DONE if outcome.proven else Exit.FAILED


def asked(run: int | None, tables: Sequence[str], domains: Sequence[str], *, everything: bool) -> UndoScope:
    """The scope that the options name. Raises BadParameter when they name none, or more than one kind."""
    assets = selection.chosen(selection.all_tables(), tables, domains) or set()
    if [run is not None, bool(assets), everything].count(True) != 1:
        raise typer.BadParameter(
            "name what to undo: --run N, or --table T and --domain D, or --all. There is no default.",
            param_hint="'--run' / '--table' / '--domain' / '--all'",
        )
    return UndoScope(run, tuple(sorted(assets)), everything)


@contextmanager
def opened(settings: Settings) -> Iterator[UndoTarget]:
    """The target of the configured migration; the bundled server runs as long as the context is open."""
    with bundled.databases(settings) as databases:
        yield UndoTarget.of(settings, Database(databases.target, settings.target_schema), selection.specs())


def _refuse_other_source(found: UndoPlan, place: UndoTarget) -> None:
    if found.source != place.source:
        raise UndoError(
            f"the plan is about the source {found.source!r}, but {place.source!r} is configured. Set REMOTEIQ_SOURCE."
        )


# --- text -----------------------------------------------------------------------------------------------------------


def print_plan(found: UndoPlan, console: Console, out: Path | None) -> None:
    """Print what would be done, what stays, and what comes next."""
    output.heading(console, f"Undo of {found.scope}: {found.changes:,} rows would be written")
    table = output.table()
    table.add_column("table", footer="all")
    for name in _ACTIONS:
        total = sum(getattr(one, name) for one in found.tables)
        table.add_column(name, footer=output.number(total), justify="right", no_wrap=True)
    for one in found.tables:
        table.add_row(escape(one.table), *(output.number(getattr(one, name)) for name in _ACTIONS))
    table.show_footer = True
    console.print(table)
    for remark in found.remarks:
        console.print(remark, markup=False)
    _print_rows(console, "Kept: these rows stay as they are", found.kept)
    _print_rows(console, "Come back without former secrets that nobody has", found.lost)
    _print_rows(console, "Blocked: nothing can be undone because of these rows", found.blocked)
    console.print(_next(found, out), markup=False)


def _print_rows(console: Console, title: str, rows: Sequence[Listed]) -> None:
    if not rows:
        return
    output.heading(console, f"{title} ({len(rows):,})")
    table = output.table()
    table.add_column("row", overflow="fold", ratio=1)
    table.add_column("held by", overflow="fold", ratio=1)
    for (name, reason), of_reason in groupby(rows[:SHOWN], key=attrgetter("table", "reason")):
        table.add_section()
        table.add_row(f"[bold]{escape(name)}[/]: {escape(reason)}")
        for row in of_reason:
            table.add_row(escape(row.key), escape(row.holder or ""))
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"{len(rows) - SHOWN:,} more; --out FILE writes all of them.", markup=False)


def _next(found: UndoPlan, out: Path | None) -> str:
    if found.blocked:
        return _unblock(found)
    if not found.changes:
        return "There is nothing to undo."
    if out is None:
        return "Nothing was written. --out FILE keeps this plan, undo --execute FILE executes it."
    return (
        f"Nothing was written. remoteiq-etl undo --execute {out} executes this plan as long as the target does not move."
        " The next run writes everything again: remoteiq-etl pause keeps it from beginning."
    )


def _unblock(found: UndoPlan) -> str:
    reasons = {row.reason for row in found.blocked}
    hints = ["Nothing was written, and this plan cannot be executed."]
    if any("not in the scope" in reason for reason in reasons):
        hints.append("--with-dependents takes what refers to it and is ours into the scope.")
    if any("secrets were not kept" in reason for reason in reasons):
        hints.append("--accept-loss brings rows back without these columns: they stay as they are now.")
    if any("is taken" in reason for reason in reasons):
        hints.append("Whoever has a former value now has to give it up first.")
    if any("not ours" in reason for reason in reasons):
        hints.append("What the new application made has to be dealt with there.")
    return " ".join(hints)


def print_outcome(outcome: UndoOutcome, console: Console) -> None:
    """Print what was written, and what is proven."""
    if outcome.before:
        console.print(f"This plan was executed before (undo {outcome.undo_id}). Nothing was written.", markup=False)
        return
    rows = sum(outcome.rows.values())
    resumed = ", going on with what was begun before" if outcome.resumed else ""
    console.print(f"Undo {outcome.undo_id}: {rows:,} rows were written{resumed}.", markup=False)
    if outcome.proven:
        console.print(
            "Proven by checksum: without the kept rows, the tables are what they were before what was undone.",
            style="green",
        )
        return
    for name in outcome.changed:
        console.print(f"{name}: rows outside the plan were changed meanwhile, not by the undo.", style="yellow")
    for name, count in outcome.wrong.items():
        console.print(f"{name}: {count:,} rows of the plan were changed after they were undone.", style="yellow")


def _json(outcome: UndoOutcome) -> dict[str, object]:
    rows = [{"table": t, "action": action, "rows": count} for (t, action), count in outcome.rows.items()]
    return {**vars(outcome), "rows": rows, "proven": outcome.proven}
