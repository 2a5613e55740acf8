"""`archive`: what is kept of the legacy columns without a home, and what of it is sealed, withheld or retired."""

from collections.abc import Sequence
from contextlib import closing
from itertools import groupby
from operator import attrgetter

from rich.console import Console

from remoteiq_etl.backfill.context.report import ArchiveCount
from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.names import check_names
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.operations.overview import Overview
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.state.schema import State
from schemas import legacy, target

_NUMBERS = ("rows", "bytes", "clear", "sealed", "withheld", "retired")


def show(tables: Sequence[str], run: int | None, *, as_json: bool) -> Exit:
    """Print the counts per legacy column and rule; no value of any row."""
    known = {table.name for metadata in (target.metadata, legacy.metadata) for table in metadata.tables.values()}
    check_names("--table", tables, known)
    counts = _counts(Settings.load(), tables, run)
    if as_json:
        output.print_json("archive", [vars(one) for one in counts])
    elif counts:
        _print(output.results(), counts)
    else:
        output.results().print("The archive holds nothing" + (" like this." if tables or run else "."))
    return Exit.DONE


def _counts(settings: Settings, tables: Sequence[str], run: int | None) -> list[ArchiveCount]:
    with bundled.databases(settings) as databases:
        database = Database(databases.target, settings.target_schema)
        with closing(database.connect()) as session:
            overview = Overview.of(session, State(database, settings.state_schema), settings.source)
            return overview.archived(tables, run) if overview else []


def _print(console: Console, counts: Sequence[ArchiveCount]) -> None:
    table = output.table("The archive by legacy column")
    table.add_column("legacy column", no_wrap=True)
    table.add_column("rule", overflow="fold")
    for head in _NUMBERS:
        style = "yellow" if head == "withheld" else None
        table.add_column(head, footer=output.number(_sum(counts, head)), justify="right", no_wrap=True, style=style)
    for name, of_table in groupby(counts, key=attrgetter("legacy_table")):
        table.add_section()
        for one in of_table:
            table.add_row(f"{name}.{one.column}", one.rule, *(output.number(getattr(one, head)) for head in _NUMBERS))
    table.show_footer = True
    console.print(table)
    if withheld := _sum(counts, "withheld"):
        console.print(
            f"{withheld:,} values are withheld: they are secret, and no sealing key was given. Set REMOTEIQ_SEALING_KEY"
            " (remoteiq-etl seal new-key makes one), and the next run seals those whose rows are still there.",
        )


def _sum(counts: Sequence[ArchiveCount], name: str) -> int:
    return sum(getattr(one, name) for one in counts)
