"""Who hears of a run's progress: Dagster's event log, now and then, and whoever attached a listener in this process."""

import contextlib
import logging
import time
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

from remoteiq_etl.backfill.context.progress import Listener, Notice, Silent, TableProgress
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.frames.shown_text import visible
from remoteiq_etl.orchestration.runtime import signals

#: Seconds between two lines about one table: each is a row of Dagster's storage and a line that somebody reads.
LOG_EVERY = 10.0

_attached: ContextVar[Listener] = ContextVar("attached", default=Silent())  # noqa: B039  # it has no state


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Let a listener hear every run that this thread executes within the block."""
    token = _attached.set(listener)
    try:
        yield
    finally:
        _attached.reset(token)


def attached() -> Listener:
    """The listener of the surrounding `listening`; a silent one outside of any."""
    return _attached.get()


@dataclass
class LogProgress:
    """Writes a line about the table in work every few seconds, then tells `audience`. The log is the current step's."""

    audience: Listener
    log: logging.Logger = field(default_factory=lambda: logging.getLogger(__name__))
    every: float = LOG_EVERY
    #: Whether the end of a table has a line of its own. It has none in a step that looks at many of which nothing has changed.
    sums_up: bool = True
    _last: float = 0.0

    def starts(self, log: logging.Logger) -> None:
        """A step begins: its lines go to this log, the first when `every` has passed."""
        self.log = log
        self.sums_up = True
        self._last = time.monotonic()

    def progressed(self, progress: TableProgress) -> None:
        """Log the table's progress when a line is due. Raises the signal that has got lost since the last time, if any."""
        signals.go_on()
        if self.is_due():
            self.log.info(visible(_line(progress)))
        self.audience.progressed(progress)

    def finished(self, report: TableReport) -> None:
        """Log what became of the table's rows; nothing of a table of which nothing has changed."""
        if self.sums_up and not report.unchanged:
            self.log.info(visible(_summary(report)))
        self.audience.finished(report)

    def warned(self, text: str) -> None:
        """Log it as a warning."""
        self.log.warning(visible(text))
        self.audience.warned(text)

    def noticed(self, notice: Notice) -> None:
        """Log it, whatever was logged a moment ago: it says why nothing happens."""
        self.log.warning(visible(str(notice)))
        self.audience.noticed(notice)

    def part_made(self, name: str, done: int, total: int) -> None:
        """A key or index is there, one of many."""
        if self.is_due():
            self.log.info(visible(f"{done} of {total} keys and indexes, the last one {name}"))

    def is_due(self) -> bool:
        """Whether a line may be written now; if so the next one waits again."""
        if time.monotonic() - self._last < self.every:
            return False
        self._last = time.monotonic()
        return True


def _line(progress: TableProgress) -> str:
    left = progress.seconds_left
    wait = "" if left is None else f", {left:,.0f} s left"
    return f"{progress.table}: {progress.done:,} of {progress.total:,} rows, {progress.rate:,.0f} rows/s{wait}"


def _summary(report: TableReport) -> str:
    if report.blocked:
        return f"{report.table}: not loaded"
    counts = ", ".join(f"{count:,} {name}" for name, count in report.counts().items() if count)
    return f"{report.table}: {counts or 'no rows'}"
