"""`held list`: the rows that wait for a parent, by parent, and what has become of it."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import groupby

from rich.console import Console
from rich.markup import escape

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.rows.quarantine import LONGEST_WORD, selected
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.operations.held import WaitingRow, held_rows
from remoteiq_etl.lifecycle.operations.overview import Overview
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.state.schema import State


def show(tables: Sequence[str], limit: int, *, as_json: bool) -> Exit:
    """Print the open rows of these tables, by what they wait for."""
    chosen = selected(tables, ())
    with _opened(Settings.load()) as overview:
        rows = held_rows(overview.session, overview.state, overview.source_id, chosen.tables) if overview else []
    shown = rows[:limit] if limit else rows
    if as_json:
        output.print_json("held list", [vars(row) for row in shown])
    elif rows:
        _print(output.results(), shown, len(rows))
    else:
        output.results().print(f"No row {'of these tables ' if tables else ''}waits for a parent.")
    return Exit.DONE


@contextmanager
def _opened(settings: Settings) -> Iterator[Overview | None]:
    with bundled.databases(settings) as databases:
        database = Database(databases.target, settings.target_schema)
        with closing(database.connect()) as session:
            yield Overview.of(session, State(database, settings.state_schema), settings.source)


def _print(console: Console, rows: Sequence[WaitingRow], total: int) -> None:
    table = output.table()
    table.add_column("legacy row", overflow="fold", min_width=LONGEST_WORD)
    table.add_column("for table", overflow="fold")
    table.add_column("by column", overflow="fold")
    table.add_column("tries", justify="right", no_wrap=True)
    table.add_column("since", no_wrap=True, min_width=10)
    for (parent, key), waiting in groupby(rows, key=lambda row: (row.parent_table, row.parent_key)):
        found = list(waiting)
        table.add_section()
        table.add_row(f"[bold]{escape(f'{parent} {key}')}[/]", *_because(found[0]))
        for row in found:
            facts = [f"{row.legacy_table} {row.legacy_key}", row.table, row.column, str(row.attempts)]
            table.add_row(*map(escape, facts), f"{row.since.astimezone():%Y-%m-%d}")
    console.print(table)
    if len(rows) < total:
        console.print(f"{len(rows):,} of {total:,} rows. --limit 0 shows all, --table narrows the list.")
    else:
        console.print(f"{total:,} rows. Each run looks again; they follow when their parents are there.")


def _because(row: WaitingRow) -> tuple[str, ...]:
    """What has become of the parent, in the two columns beside its name."""
    if row.parent_rule:
        return "in quarantine", escape(row.parent_rule)
    return ("waits itself",) if row.parent_waits else ("not found",)
