"""`verify --round-trip`: every legacy row against the legacy-shaped view of its table."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.names import check_names
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.inverse.inverse import inverses
from remoteiq_etl.inverse.round_trip import Reason, RoundTrip, TableRoundTrip, round_trip
from remoteiq_etl.lifecycle import migration

#: Differences that nothing explains, in a terminal and in JSON; the counts are of all.
SHOWN = 50


def show(tables: Sequence[str], *, as_json: bool) -> Exit:
    """Make the round trip of these legacy tables (default: all) and print it. FAILED on a BUG."""
    check_names("TABLE", tables, set(inverses()))
    with migration.connected(Settings.load(), selection.specs()) as both:
        found = round_trip(both.plan(), tables)
    if as_json:
        output.print_json("verify --round-trip", _json(found))
    else:
        _print(output.results(), found)
    return Exit.DONE if found.passed else Exit.FAILED


def _json(found: RoundTrip) -> dict[str, Any]:
    return {
        "exact": found.exact,
        "columns": found.all,
        "passed": found.passed,
        "tables": list(map(_of_table, found.tables)),
    }


def _of_table(one: TableRoundTrip) -> dict[str, Any]:
    inexact = [
        {
            "column": name,
            "recovery": recovery.recovery,
            "reason": recovery.reason,
            "rows": _plain(one.columns.get(name, Counter())),
        }
        for name, recovery in one.inexact
    ]
    bugs = [{"key": key, "columns": columns, "kind": kind} for key, columns, kind in one.bugs[:SHOWN]]
    return {
        "table": one.table,
        "rows": one.rows,
        "shown": one.shown,
        "left": _plain(one.reasons),
        "inexact": inexact,
        "bugs": bugs,
    }


def _plain(counts: Counter[Reason]) -> dict[str, int]:
    return {str(reason): count for reason, count in counts.items()}


def _print(console: Console, found: RoundTrip) -> None:
    _print_tables(console, found)
    _print_columns(console, found)
    for one in found.tables:
        for key, columns, kind in one.bugs[:SHOWN]:
            said = f"BUG: {one.table} {key}: {kind} {', '.join(columns)}".rstrip()
            console.print(said, style="bold red", markup=False, soft_wrap=True)
    bugs = sum(len(one.bugs) for one in found.tables)
    style = "bold green" if found.passed else "bold red"
    ending = "every difference is explained." if found.passed else f"{bugs:,} differences that nothing explains."
    console.print(f"{found.exact} of {found.all} columns come back exactly; {ending}", style=style)


def _print_tables(console: Console, found: RoundTrip) -> None:
    table = output.table("Round trip")
    table.add_column("legacy table", no_wrap=True)
    for head in ("rows", "in the view", "columns", "exact"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("rows that one side alone has", overflow="fold")
    for one in found.tables:
        left = output.listed(_plain(one.reasons)) or "none"
        counts = (one.rows, one.shown, len(one.recoveries), len(one.exact))
        table.add_row(one.table, *map(output.number, counts), escape(left), style="red" if one.bugs else None)
    console.print(table)


def _print_columns(console: Console, found: RoundTrip) -> None:
    table = output.table("Columns that do not come back exactly")
    table.add_column("column", overflow="fold")
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("why", overflow="fold")
    for one in found.tables:
        for name, recovery in one.inexact:
            rows = sum(one.columns.get(name, Counter()).values())
            table.add_row(f"{one.table}.{name}", output.number(rows), escape(recovery.reason or "nothing explains it"))
    if table.row_count:
        console.print(table)
