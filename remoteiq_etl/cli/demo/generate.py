"""`generate`: an invented legacy installation of any size."""

from collections.abc import Sequence
from contextlib import closing

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.cli import output
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import FixtureError
from remoteiq_etl.fixtures.generator import generate
from remoteiq_etl.lifecycle.drift import catalogue
from remoteiq_etl.postgres.database import Database

#: Rows from which a table gets a bar of its own.
LEAST_SHOWN = 10_000


def show(agents: int, seed: int, rows: Sequence[str], *, create_schema: bool) -> Exit:
    """Fill the configured legacy database, else the bundled one, whose tables are created when they are missing."""
    overrides = dict(map(_row_count, rows))
    settings = Settings.load()
    console = output.errors()
    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with bundled.databases(settings) as databases, Progress(*columns, console=console, transient=True) as bars:
        legacy = Database(databases.legacy, settings.legacy_schema)
        counts = generate(
            legacy.url,
            legacy.schema,
            agents=agents,
            seed=seed,
            overrides=overrides,
            create_schema=create_schema or _must_create(settings, legacy),
            progress=_Bars(bars),
        )
    output.results().print(f"{sum(counts.values()):,} rows in {len(counts)} legacy tables.")
    return Exit.DONE


def _must_create(settings: Settings, legacy: Database) -> bool:
    """Whether the tables are missing and may be created. Raises FixtureError when that is for the user to decide."""
    with closing(legacy.connect()) as session:
        if catalogue.read_schema(session.connection, legacy.schema).tables:
            return False
    if settings.legacy_url is not None:
        raise FixtureError(
            f"the configured legacy database has no tables in schema {legacy.schema!r}. If generated rows belong there,"
            " --create-schema creates the legacy tables first."
        )
    return True


def _row_count(text: str) -> tuple[str, int]:
    table, _, count = text.partition("=")
    if not table or not count.isdecimal():
        raise typer.BadParameter(f"expected TABLE=N such as check_runs=1000000, found {text!r}", param_hint="--rows")
    return table, int(count)


class _Bars:
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
