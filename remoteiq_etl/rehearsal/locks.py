"""Which locks our sessions hold on tables during a rehearsal, and for how long: looked at ten times a second.

What is held for less than that may be missed, and times are good to a tenth of a second. Belongs here: looking. Does not belong
here: what is said of it.
"""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import psycopg

from remoteiq_etl.errors import ConnectionFailed
from remoteiq_etl.postgres.database import APPLICATION, Database
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

_PAUSE = 0.1
"""Seconds between two looks."""


@dataclass(frozen=True)
class LongestLock:
    """The longest that one session held a lock of this mode on a table, in seconds, and on which."""

    side: str
    mode: str
    table: str
    seconds: float


@dataclass
class LockWatch:
    """What was seen so far, by side and mode."""

    longest: dict[tuple[str, str], LongestLock] = field(default_factory=dict)
    _since: dict[tuple[str, int, str, str], float] = field(default_factory=dict)

    def saw(self, side: str, held: set[tuple[int, str, str]], now: float) -> None:
        """Take note of the locks (process id, table, mode) that are held on one side at a moment in seconds."""
        for pid, table, mode in held:
            seconds = now - self._since.setdefault((side, pid, table, mode), now)
            known = self.longest.get((side, mode))
            if known is None or known.seconds < seconds:
                self.longest[side, mode] = LongestLock(side, mode, table, round(seconds, 1))
        for key in [key for key in self._since if key[0] == side and key[1:] not in held]:
            del self._since[key]

    @property
    def found(self) -> list[LongestLock]:
        """One per side and mode, in their order."""
        return [self.longest[key] for key in sorted(self.longest)]


@contextlib.contextmanager
def watched(sides: Mapping[str, Database]) -> Iterator[LockWatch]:
    """Look from a thread of its own as long as the context is open."""
    watch, ended = LockWatch(), threading.Event()
    threads = [
        threading.Thread(target=_look, args=(watch, side, database, ended), daemon=True)
        for side, database in sides.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield watch
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _look(watch: LockWatch, side: str, database: Database, ended: threading.Event) -> None:
    """A side that cannot be looked at any more ends the watch of it, not the rehearsal."""
    with (
        contextlib.suppress(psycopg.Error, ConnectionFailed),
        contextlib.closing(database.connect()) as session,
    ):
        while not ended.wait(_PAUSE):
            held = {(pid, table, mode) for pid, table, mode in session.rows(SQL["held"], {"ours": APPLICATION})}
            watch.saw(side, held, time.monotonic())
