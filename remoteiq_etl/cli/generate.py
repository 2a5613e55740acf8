"""`generate`: an invented legacy installation of any size."""

from collections.abc import Sequence
from contextlib import closing

import typer
from psycopg import Connection
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from remoteiq_etl import embedded
from remoteiq_etl.backfill.database import Database
from remoteiq_etl.cli import output
from remoteiq_etl.cli.app import Exit
from remoteiq_etl.config import Settings
from remoteiq_etl.fixtures.generator import generate
from remoteiq_etl.lifecycle import catalogue

#: Rows from which a table gets a bar of its own.
LEAST_SHOWN = 10_000


def show(agents: int, seed: int, rows: Sequence[str], *, create_schema: bool) -> Exit:
    """Fill the configured legacy database, else the bundled one, whose tables are created when they are missing."""
    overrides = dict(map(_row_count, rows))
    settings = Settings.load()
    console = output.errors()
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with embedded.databases(settings) as databases, Progress(*columns, console=console, transient=True) as bars:
        legacy = Database(databases.legacy, settings.legacy_schema)
        counts = generate(
            legacy.url,
            legacy.schema,
            agents=agents,
            seed=seed,
            overrides=overrides,
            create_schema=create_schema or (settings.legacy_url is None and is_empty(legacy)),
            progress=_Shown(bars),
        )
    output.results().print(f"{sum(counts.values()):,} rows in {len(counts)} legacy tables.")
    return Exit.DONE


def is_empty(legacy: Database) -> bool:
    """Whether the schema has no table at all."""
    with closing(legacy.connect()) as session:
        return not tables_of(session.connection, legacy.schema)


def tables_of(connection: Connection, schema: str) -> set[str]:
    """The names of the tables of a schema."""
    return set(catalogue.read_schema(connection, schema).tables)


def _row_count(text: str) -> tuple[str, int]:
    table, _, count = text.partition("=")
    if not table or not count.isdecimal():
        raise typer.BadParameter(f"expected TABLE=N such as check_runs=1000000, found {text!r}", param_hint="--rows")
    return table, int(count)


class _Shown:
    """One bar for each table that is large enough to wait for."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, table: str, done: int, total: int) -> None:
        if total < LEAST_SHOWN:
            return
        if table not in self.tasks:
            self.tasks[table] = self.bars.add_task(table, total=total)
        self.bars.update(self.tasks[table], completed=done)
