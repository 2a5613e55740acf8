"""`quarantine warnings`: decisions that stopped no row, but that somebody should know of."""

from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape

from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.rows.quarantine import LONGEST_WORD, opened, selected
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.operations.quarantine import DecisionWarning


def show(tables: Sequence[str], rules: Sequence[str], limit: int, *, as_json: bool) -> Exit:
    """Print the warnings of these tables and rules. Raises BadParameter for a table that nothing has."""
    chosen = selected(tables, rules)
    with opened(Settings.load()) as quarantine:
        found = quarantine.warnings(chosen.tables, chosen.rules) if quarantine else []
    shown = found[:limit] if limit else found
    if as_json:
        output.print_json("quarantine warnings", [vars(one) for one in shown])
    elif found:
        print_warnings(output.results(), shown, len(found))
    else:
        output.results().print(f"There is no warning{' like this' if tables or rules else ''}.")
    return Exit.DONE


def print_warnings(console: Console, warnings: Sequence[DecisionWarning], total: int) -> None:
    """Print warnings as a table, by the asset that decides and the rule."""
    table = output.table()
    table.add_column("legacy key", overflow="fold", min_width=LONGEST_WORD)
    table.add_column("since", no_wrap=True, min_width=10)
    for (name, rule), ones in groupby(warnings, key=lambda one: (one.table, one.rule)):
        table.add_section()
        table.add_row(f"[bold]{escape(name)}[/] {escape(rule)}")
        for one in ones:
            key = one.legacy_key if one.legacy_table == name else f"{one.legacy_table} {one.legacy_key}"
            table.add_row(escape(key), f"{one.since.astimezone():%Y-%m-%d}")
    console.print(table)
    more = " --limit 0 shows all, --table and --rule narrow the list." if len(warnings) < total else ""
    console.print(f"{len(warnings):,} of {total:,} warnings.{more}", highlight=False)
