"""`quarantine list`: the rows that could not be carried as they are, and why."""

from collections.abc import Sequence
from contextlib import closing
from itertools import groupby
from operator import attrgetter

from rich.console import Console
from rich.markup import escape

from remoteiq_etl import embedded
from remoteiq_etl.backfill.database import Database
from remoteiq_etl.backfill.state import State
from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.app import Exit
from remoteiq_etl.config import Settings
from remoteiq_etl.lifecycle.overview import Overview, QuarantinedRow
from schemas import legacy, target

#: A uuid: most legacy keys stay on one line.
LONGEST_WORD = 36


def show(tables: Sequence[str], rules: Sequence[str], limit: int, *, as_json: bool) -> Exit:
    """Print the open rows of these tables and rules."""
    known = {table.name for metadata in (target.metadata, legacy.metadata) for table in metadata.tables.values()}
    selection.check_names("--table", tables, known)
    rows = _rows(Settings.load(), tables, rules)
    shown = rows[:limit] if limit else rows
    if as_json:
        output.print_json([vars(row) for row in shown])
    elif rows:
        _print(output.results(), shown, len(rows))
    else:
        output.results().print(f"No row {'like this ' if tables or rules else ''}is in quarantine.")
    return Exit.DONE


def _rows(settings: Settings, tables: Sequence[str], rules: Sequence[str]) -> list[QuarantinedRow]:
    with embedded.databases(settings) as databases:
        database = Database(databases.target, settings.target_schema)
        with closing(database.connect()) as session:
            overview = Overview.of(session, State(database, settings.state_schema), settings.source)
            return overview.quarantined(tables, rules) if overview else []


def _print(console: Console, rows: Sequence[QuarantinedRow], total: int) -> None:
    table = output.table()
    table.add_column("legacy row", overflow="fold", width=LONGEST_WORD)
    table.add_column("why", overflow="fold", ratio=1)
    table.add_column("tries", justify="right", no_wrap=True)
    table.add_column("since", no_wrap=True, min_width=10)
    for name, of_table in groupby(rows, key=attrgetter("table")):
        table.add_section()
        table.add_row(f"[bold]{escape(name)}[/]")
        for row in of_table:
            key = row.legacy_key if row.legacy_table == name else f"{row.legacy_table} {row.legacy_key}"
            table.add_row(escape(key), escape(_why(row)), str(row.attempts), f"{row.since.astimezone():%Y-%m-%d}")
    console.print(table)
    if len(rows) < total:
        console.print(f"{len(rows):,} of {total:,} rows. --limit 0 shows all, --table and --rule narrow the list.")
    else:
        console.print(f"{total:,} rows. They are looked at again by every run; mend them in the legacy database.")


def _why(row: QuarantinedRow) -> str:
    return ": ".join(part for part in (row.rule, ", ".join(row.columns), row.detail) if part)
