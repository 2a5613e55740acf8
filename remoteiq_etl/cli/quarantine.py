"""`quarantine list`: the rows that could not be carried as they are, and why."""

from collections.abc import Sequence
from contextlib import closing

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
    table.add_column("table", overflow="fold")
    table.add_column("legacy row", overflow="fold", ratio=3)
    table.add_column("rule", overflow="fold", min_width=14)
    table.add_column("columns", overflow="fold", ratio=2)
    table.add_column("why", overflow="fold", ratio=4)
    table.add_column("tries", justify="right", no_wrap=True)
    table.add_column("since", no_wrap=True)
    for row in rows:
        key = f"{row.legacy_table} {row.legacy_key}"
        texts = (row.table, key, row.rule, ", ".join(row.columns), row.detail, str(row.attempts))
        table.add_row(*map(escape, texts), f"{row.since.astimezone():%Y-%m-%d}")
    console.print(table)
    if len(rows) < total:
        console.print(f"{len(rows):,} of {total:,} rows. --limit 0 shows all, --table and --rule narrow the list.")
    else:
        console.print(f"{total:,} rows. They are looked at again by every run; mend them in the legacy database.")
