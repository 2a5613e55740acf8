"""A verification that somebody gives orders to while it works: in a thread of its own, on real servers.

Belongs here: starting it, hearing it, giving it orders, and what it left behind. Does not belong here: what must come of it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from remoteiq_etl.backfill.context.progress import Notice, Silent, TableProgress
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.config.throttle import ThrottleLimits
from remoteiq_etl.errors import RemoteIQError
from remoteiq_etl.state.orders import Control
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import register
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import VerificationVerdict
from tests.support.migrating import Migration

#: Nothing is limited, and the servers are looked at often.
NOTHING = ThrottleLimits({}, 0.02)
#: Rows of a range: the edge cases have few rows.
RANGE_ROWS = 2


@dataclass
class Watched(Silent):
    """A listener that calls back after the first range of `table`, or after each of them, and keeps what it hears."""

    table: str
    call: Callable[[], object]
    after_each: bool = False
    notices: list[Notice] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    ranges: int = 0
    _called: bool = False

    def progressed(self, progress: TableProgress) -> None:
        self.ranges += 1
        if progress.table == self.table and (self.after_each or not self._called):
            self._called = True
            self.call()

    def finished(self, report: TableReport) -> None:
        self.tables.append(report.table)

    def noticed(self, notice: Notice) -> None:
        self.notices.append(notice)


@dataclass
class Verifying:
    """A verification in a thread. `verdict` or `error` when it has ended."""

    migration: Migration
    tables: Sequence[str]
    listener: Watched
    limits: ThrottleLimits = NOTHING
    range_rows: int = RANGE_ROWS
    verdict: VerificationVerdict | None = None
    error: RemoteIQError | None = None
    thread: threading.Thread = field(init=False)

    def start(self) -> "Verifying":
        self.thread = threading.Thread(target=self._verify)
        self.thread.start()
        return self

    def end(self) -> "Verifying":
        self.thread.join(timeout=60)
        assert not self.thread.is_alive()
        return self

    def wait_for_notice(self, text: str) -> None:
        deadline = time.monotonic() + 30
        while not any(text in notice.text for notice in self.listener.notices):
            assert time.monotonic() < deadline, self.listener.notices
            assert self.thread.is_alive(), self.error
            time.sleep(0.01)

    def _verify(self) -> None:
        plan = replace(self.migration.plan, limits=self.limits)
        try:
            # Few rows are written to all the time here: most of a table has changed in no time.
            self.verdict = verify(
                plan, self.tables, confirmed=self.tables, listener=self.listener, range_rows=self.range_rows
            )
        except RemoteIQError as error:
            self.error = error


def verifying(
    migration: Migration, tables: Sequence[str], after: Callable[[], object], limits: ThrottleLimits = NOTHING
) -> Verifying:
    """Begin to verify these tables; `after` is called after the first range of the first one."""
    return Verifying(migration, tables, Watched(tables[0], after), limits).start()


def order(migration: Migration, give: Callable[[Control], object]) -> object:
    """Give an order on a session of its own."""
    plan = migration.plan
    state = State(plan.target, plan.state_schema)
    with closing(plan.target.connect()) as session:
        return give(Control(session, state, register(session, state, plan.source, plan.organization_slug).id))


def past(migration: Migration) -> list[tuple[str, list[str], list[str], str | None]]:
    """Of each verification: its status, the tables that it read, those that it did not read again, and the error."""
    rows = migration.query("SELECT status, tables, error FROM remoteiq_etl.verification_runs ORDER BY id")
    return [
        (
            status,
            sorted(name for name, fact in tables.items() if fact["read"]),
            sorted(name for name, fact in tables.items() if not fact["read"]),
            error,
        )
        for status, tables, error in rows
    ]
