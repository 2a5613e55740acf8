"""`conflicts`: the rows that both sides changed, and what is to become of them."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.names import check_names
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.operations.conflicts import Conflict, ConflictList, Resolution
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.state.schema import State
from schemas import target

#: A uuid: most keys stay on one line.
LONGEST_WORD = 36
_HIDDEN = "(secret)"


def show(tables: Sequence[str], *, only_open: bool, as_json: bool) -> Exit:
    """Print the list, by target table."""
    _check("--table", tables)
    with _opened() as conflicts:
        found = conflicts.find(tables, only_open=only_open) if conflicts else []
    if as_json:
        output.print_json("conflicts list", [_json(one) for one in found])
    elif found:
        _print(output.results(), found)
    else:
        output.results().print(f"No conflict is {'open' if only_open else 'listed'}.")
    return Exit.DONE


def show_row(table: str, key: str, *, as_json: bool) -> Exit:
    """Print every conflict that a row has or had, with all sides. FAILED when it has none."""
    _check("TABLE", [table])
    with _opened() as conflicts:
        found = conflicts.find([table], key, only_open=False) if conflicts else []
    if as_json:
        output.print_json("conflicts show", [_json(one) for one in found])
    for one in [] if as_json else found:
        _print_sides(output.results(), one)
    return Exit.DONE if found else _nothing(table, key)


def resolve(
    table: str | None, key: str | None, *, everything: bool, keep: bool, take: bool, reason: str | None
) -> Exit:
    """Record a decision about the open conflicts of one row, of one table or of all. FAILED when there is none."""
    if keep == take:
        raise typer.BadParameter("say either --keep or --take.")
    if (key is None) != everything:
        raise typer.BadParameter("name TABLE and KEY, or say --all.")
    _check("TABLE", [table] if table else [])
    with _opened() as conflicts:
        found = conflicts.find([table] if table else None, key) if conflicts else []
        decision = Resolution.KEEP if keep else Resolution.TAKE
        chosen = conflicts.decide(found, decision, reason) if conflicts and found else []
    if not found:
        return _nothing(table, key)
    console = output.results()
    console.print(f"{len(chosen):,} to {decision}. The next run does it: remoteiq-etl run.")
    if refused := len(found) - len(chosen):
        console.print(
            f"{refused:,} are left open: a one-way door refuses what legacy gives, or the row is another source's."
        )
    return Exit.DONE


@contextmanager
def _opened() -> Iterator[ConflictList | None]:
    settings = Settings.load()
    with bundled.databases(settings) as databases:
        database = Database(databases.target, settings.target_schema)
        with closing(database.connect()) as session:
            yield ConflictList.of(session, State(database, settings.state_schema), settings.source)


def _check(option: str, tables: Sequence[str]) -> None:
    check_names(option, tables, {table.name for table in target.metadata.tables.values()})


def _nothing(table: str | None, key: str | None) -> Exit:
    what = " ".join(part for part in (table, key) if part)
    output.errors().print(f"No conflict {f'of {what} ' if what else ''}is open.", markup=False)
    return Exit.FAILED


def _json(one: Conflict) -> dict[str, Any]:
    return {**vars(one), "status": one.status}


def _print(console: Console, found: Sequence[Conflict]) -> None:
    table = output.table()
    table.add_column("row", overflow="fold", width=LONGEST_WORD)
    table.add_column("columns", overflow="fold", ratio=1)
    table.add_column("why", overflow="fold", ratio=1)
    table.add_column("status", overflow="fold", ratio=1)
    for name, of_table in groupby(found, key=attrgetter("table")):
        table.add_section()
        table.add_row(f"[bold]{escape(name)}[/]")
        for one in of_table:
            table.add_row(escape(one.new_key), escape(", ".join(one.columns)), escape(one.reason), escape(one.status))
    console.print(table)
    console.print(
        f"{len(found):,} conflicts. remoteiq-etl conflicts show TABLE KEY shows all sides; conflicts resolve decides."
    )


def _print_sides(console: Console, one: Conflict) -> None:
    title = f"{one.table} {one.new_key} ({one.legacy_table} {one.legacy_key}): {one.reason}, {one.status}"
    table = output.table(escape(title))
    for head in ("column", "last written", "in the target", "from legacy"):
        table.add_column(head, overflow="fold")
    for column in one.columns:
        secret = not isinstance(one.incoming, dict) or column not in one.incoming
        sides = (one.last_written, one.current, one.incoming)
        table.add_row(escape(column), *(_HIDDEN if secret else escape(_shown(side, column)) for side in sides))
    console.print(table)
    if one.decision_reason:
        console.print(f"Decided: {one.decision_reason}", markup=False)


def _shown(side: Any, column: str) -> str:
    """One side of a column: the whole of a side that lists several rows (the links of one owner)."""
    if side is None:
        return "(not kept)"
    value = [row.get(column) for row in side] if isinstance(side, list) else side.get(column)
    return "(null)" if value is None else str(value)
