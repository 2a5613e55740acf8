"""`status`: the last runs of the source, and per table what is mapped and what waits."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from rich.console import Console
from rich.markup import escape

from remoteiq_etl import embedded
from remoteiq_etl.backfill.control import Orders
from remoteiq_etl.backfill.database import Database
from remoteiq_etl.backfill.state import State
from remoteiq_etl.cli import output
from remoteiq_etl.cli.app import Exit
from remoteiq_etl.config import Settings
from remoteiq_etl.lifecycle.overview import Overview, RunRow, TableRow


def show(limit: int, *, as_json: bool) -> Exit:
    """Print the state of the source. Before the first run it says so."""
    settings = Settings.load()
    with embedded.databases(settings) as databases:
        target = Database(databases.target, settings.target_schema)
        with closing(target.connect()) as session:
            overview = Overview.of(session, State(target, settings.state_schema), settings.source)
            runs, tables = (overview.runs(limit), overview.tables()) if overview else ([], [])
            orders = overview.orders() if overview else Orders()
    if as_json:
        output.print_json(_json(settings.source, orders, runs, tables))
        return Exit.DONE
    if orders.pause is not None:
        output.results().print(
            f"Paused {orders.pause}. remoteiq-etl resume lets runs go on.", style="yellow", markup=False
        )
    if not runs:
        output.results().print(
            f"No run of the source {settings.source!r} has begun yet in this target. remoteiq-etl doctor looks at both"
            " databases, remoteiq-etl plan shows what a run would do.",
            markup=False,
        )
    else:
        _print(output.results(), settings.source, runs, tables)
    return Exit.DONE


def _json(source: str, orders: Orders, runs: Sequence[RunRow], tables: Sequence[TableRow]) -> dict[str, Any]:
    return {
        "source": source,
        "pause": orders.pause and vars(orders.pause),
        "stop": orders.stop and vars(orders.stop),
        "runs": [vars(run) for run in runs],
        "tables": [vars(table) for table in tables],
    }


def _print(console: Console, source: str, runs: Sequence[RunRow], tables: Sequence[TableRow]) -> None:
    _print_runs(console, source, runs)
    if tables:
        _print_tables(console, tables)
    waiting = sum(table.quarantined for table in tables)
    if waiting:
        console.print(f"{waiting:,} rows in quarantine: remoteiq-etl quarantine list")


def _print_runs(console: Console, source: str, runs: Sequence[RunRow]) -> None:
    table = output.table(f"Runs of the source {source}")
    table.add_column("run", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for head in ("started", "duration"):
        table.add_column(head, no_wrap=True)
    for head in ("tables", "rows read"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("Dagster", no_wrap=True)
    table.add_column("ended by", overflow="fold")
    for run in runs:
        facts = [output.moment(run.started_at), output.duration(run.seconds)]
        counts = [output.number(run.tables), output.number(run.rows_read)]
        ended = escape(run.error or "")
        table.add_row(
            str(run.id), output.styled(run.status), *facts, *counts, (run.orchestrator_run_id or "-")[:8], ended
        )
    console.print(table)


def _print_tables(console: Console, rows: Sequence[TableRow]) -> None:
    table = output.table("Tables")
    table.add_column("table", no_wrap=True)
    table.add_column("last run", justify="right", no_wrap=True)
    table.add_column("committed", no_wrap=True)
    for head in ("mapped", "quarantined", "held", "conflicts"):
        table.add_column(head, justify="right", no_wrap=True, style=None if head == "mapped" else "yellow")
    for row in rows:
        counts = map(output.number, (row.mapped, row.quarantined, row.held, row.conflicts))
        table.add_row(row.name, str(row.last_run or "-"), output.moment(row.last_commit), *counts)
    console.print(table)
