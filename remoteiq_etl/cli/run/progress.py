"""How far a run is: a live display on a terminal, lines in a log.

Belongs here: listeners of the engine. Does not belong here: what came out in the end (`summary`).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from remoteiq_etl.backfill.context.progress import Listener, Notice, TableProgress
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.cli import output

#: Seconds between two lines about one table in a log.
LOG_PAUSE = 10.0

#: Seconds from which a finished table leaves a line above the live display; the summary names the others.
WORTH_A_LINE = 5.0


@contextmanager
def shown(tables: int, console: Console | None = None, *, afterwards: str | None = None) -> Iterator[Listener]:
    """A listener that shows the progress of so many tables on stderr. `afterwards`: what follows the last one."""
    console = console or output.errors()
    if output.is_quiet():
        yield Warnings(console, tables)
        return
    if not console.is_terminal:
        yield Lines(console, tables, afterwards)
        return
    columns = (TextColumn("{task.description:<28}"), BarColumn(bar_width=20), TextColumn("{task.fields[facts]}"))
    with Progress(*columns, console=console, transient=True) as bars:
        yield Bars(bars, tables, afterwards)


class Bars:
    """One bar for all tables and one for the table that is being loaded."""

    def __init__(self, bars: Progress, tables: int, afterwards: str | None = None) -> None:
        self.bars = bars
        self.afterwards = afterwards
        self.overall = bars.add_task("tables", total=tables, facts=f"0 of {tables}")
        self.tables = tables
        self.finished_tables = 0
        self.current: dict[str, TaskID] = {}

    def progressed(self, progress: TableProgress) -> None:
        """Move the table's bar."""
        facts = facts_of(progress)
        if progress.table not in self.current:
            self.current[progress.table] = self.bars.add_task(progress.table, total=progress.total, facts=facts)
        self.bars.update(self.current[progress.table], completed=progress.done, total=progress.total, facts=facts)

    def finished(self, report: TableReport) -> None:
        """Take the table's bar away."""
        self.finished_tables += not report.beside
        facts = f"{self.finished_tables} of {self.tables}"
        if self.afterwards and self.finished_tables == self.tables:
            facts = f"{facts}, now {self.afterwards}"
        self.bars.update(self.overall, completed=self.finished_tables, facts=facts)
        if report.table in self.current:
            self.bars.remove_task(self.current.pop(report.table))
        if report.seconds >= WORTH_A_LINE:
            self.bars.console.print(line_of(report), markup=False, highlight=False)

    def warned(self, text: str) -> None:
        """Leave it above the bars."""
        self.bars.console.print(f"Warning: {text}", style="yellow", markup=False, highlight=False, soft_wrap=True)

    def noticed(self, notice: Notice) -> None:
        """Leave a line above the bars."""
        self.bars.console.print(str(notice), style="yellow", markup=False, highlight=False)


class Lines:
    """A line for every finished table, and now and then one for a table that takes long."""

    def __init__(self, console: Console, tables: int, afterwards: str | None = None) -> None:
        self.console = console
        self.tables_left = tables
        self.afterwards = afterwards
        self.said = time.monotonic()

    def progressed(self, progress: TableProgress) -> None:
        """Say how far a table is when the last line is a while ago."""
        if time.monotonic() - self.said >= LOG_PAUSE and 0 < progress.done < progress.total:
            self._say(f"{progress.table}: {facts_of(progress)}")

    def finished(self, report: TableReport) -> None:
        """Say what a table that had rows was."""
        self.tables_left -= not report.beside
        if report.read:
            self._say(line_of(report))
        if self.afterwards and not self.tables_left:
            self._say(f"{self.afterwards} …")

    def warned(self, text: str) -> None:
        """Say it at once."""
        self._say(f"Warning: {text}")

    def noticed(self, notice: Notice) -> None:
        """Say it at once: it says why nothing happens."""
        self._say(str(notice))

    def _say(self, text: str) -> None:
        self.said = time.monotonic()
        self.console.print(text, markup=False, soft_wrap=True)


class Warnings(Lines):
    """What must be read, and nothing of how far the run is."""

    def progressed(self, progress: TableProgress) -> None:
        """Say nothing."""

    def finished(self, report: TableReport) -> None:
        """Say nothing."""


def facts_of(progress: TableProgress) -> str:
    """Rows done of total, rate and time left."""
    parts = [f"{progress.done:,} of {progress.total:,} rows"]
    if progress.rate:
        parts.append(f"{progress.rate:,.0f} rows/s")
    if progress.seconds_left is not None:
        parts.append(f"{output.duration(progress.seconds_left)} left")
    return ", ".join(parts)


def line_of(report: TableReport) -> str:
    """One finished table in one line."""
    took, rate = output.duration(report.seconds), f"{report.rows_per_second:,.0f} rows/s"
    return f"{report.table}: {report.read:,} rows in {took}, {rate}"
