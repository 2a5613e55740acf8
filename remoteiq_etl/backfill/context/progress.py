"""Progress of a run as events: the engine tells, the command line and Dagster listen."""

from dataclasses import dataclass
from typing import Protocol

from remoteiq_etl.backfill.context.report import TableReport


@dataclass(frozen=True)
class TableProgress:
    """How far one table is: rows done of total, and since when (seconds). `total` counts rows to be read."""

    table: str
    done: int
    total: int
    seconds: float

    @property
    def rate(self) -> float:
        """Rows per second so far."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Time left at this rate; None before the first batch."""
        return (self.total - self.done) / self.rate if self.rate else None


@dataclass(frozen=True)
class Notice:
    """Something worth a line, about the table in work: that the run waits, and why. Holds no value of a row."""

    table: str
    text: str

    def __str__(self) -> str:
        """The notice as one line."""
        return f"{self.table} {self.text}"


class Listener(Protocol):
    """Who wants to know."""

    def progressed(self, progress: TableProgress) -> None:
        """A table was begun (done = 0) or one more of its batches was committed."""

    def finished(self, report: TableReport) -> None:
        """A table is done, or was not begun because it is blocked."""

    def warned(self, text: str) -> None:
        """Something is not as expected, and the run goes on. The text holds no value of a row."""

    def noticed(self, notice: Notice) -> None:
        """The run waits, goes on, or cannot watch a signal."""


class Silent:
    """A listener that hears nothing."""

    def progressed(self, progress: TableProgress) -> None:
        """Ignore."""

    def finished(self, report: TableReport) -> None:
        """Ignore."""

    def warned(self, text: str) -> None:
        """Ignore."""

    def noticed(self, notice: Notice) -> None:
        """Ignore."""


class Pace(Protocol):
    """Where a run waits for others, or ends: before each table and each batch."""

    def before_table(self, report: TableReport) -> None:
        """Wait as long as need be before a table is begun. Raises RunStopped when the run shall end here."""

    def before_batch(self, report: TableReport) -> None:
        """Wait as long as need be before a batch is written. Raises RunStopped when the run shall end here."""
