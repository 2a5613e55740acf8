"""Orders of people to the runs and verifications of a source: pause, resume, stop. They are kept in the state schema.

Belongs here: giving orders and reading those that stand. Does not belong here: obeying them (see pacing).
"""

import getpass
import socket
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql

from remoteiq_etl.errors import SourcePaused, StopRequested
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.locks import is_locked, run_lock, verification_lock
from remoteiq_etl.state.schema import State

SQL = statements(__file__)

#: What a run that ends early leaves.
KEPT_BATCHES = "Every batch that was committed is kept; the next run goes on from there."


@dataclass(frozen=True)
class Order:
    """One order: what, by whom, why and when. `fence`: the fencing token of the last run then; `id`: later ones have greater."""

    action: str
    actor: str
    reason: str | None
    given_at: datetime
    fence: int
    id: int

    def __str__(self) -> str:
        """The order in words."""
        why = f": {self.reason}" if self.reason else ""
        return f"by {self.actor} at {self.given_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{why}"


@dataclass(frozen=True)
class Orders:
    """What stands for a source: it may be paused, and what was in work may have been told to stop."""

    pause: Order | None = None
    stop: Order | None = None

    def stops(self, fence: int) -> bool:
        """Whether the run with this fencing token has been told to stop."""
        return self.stop is not None and self.stop.fence >= fence

    def stops_since(self, order: int) -> bool:
        """Whether the order to stop was given after the one of this number."""
        return self.stop is not None and self.stop.id > order


@dataclass(frozen=True)
class Control:
    """The orders of one source."""

    session: Session
    state: State
    source_id: int

    def orders(self) -> Orders:
        """What stands now."""
        rows = self.session.rows(SQL["orders"].format(orders=self.state.name("orders")), {"source_id": self.source_id})
        found = {row[0]: Order(*row) for row in rows}
        return Orders(found.get("pause"), found.get("stop"))

    def pause(self, reason: str | None = None) -> None:
        """Let what is in work and what begins later do nothing until `resume`. A second pause tells another reason."""
        self._give("pause", reason)

    def resume(self, reason: str | None = None) -> bool:
        """Take a pause back; False where there was none."""
        paused = self.orders().pause is not None
        if paused:
            self._give("resume", reason)
        return paused

    def stop(self, reason: str | None = None) -> bool:
        """Tell the run that holds the source, and its verification in work, to end soon; False where there is neither."""
        in_work = self.is_held() or self.is_verified()
        if in_work:
            self._give("stop", reason)
        return in_work

    def fence(self) -> int:
        """The fencing token of the last run."""
        query = sql.SQL("SELECT fence FROM {} WHERE id = %s").format(self.state.name("sources"))
        return int(self.session.value(query, [self.source_id]))

    def is_held(self) -> bool:
        """Whether a run holds the source."""
        return is_locked(self.session, run_lock(self.source_id))

    def is_verified(self) -> bool:
        """Whether a verification of the source is in work."""
        return is_locked(self.session, verification_lock(self.source_id))

    def refuse_paused(self) -> None:
        """Let nothing begin on a paused source. Raises SourcePaused."""
        if (order := self.orders().pause) is not None:
            raise SourcePaused(
                f"the source is paused {order}. Nothing was read or written. remoteiq-etl resume lets runs begin again."
            )

    def _give(self, action: str, reason: str | None) -> None:
        insert = sql.SQL(
            "INSERT INTO {} (source_id, action, actor, reason, fence) SELECT id, %s, %s, %s, fence FROM {} WHERE id = %s"
        )
        names = self.state.name("orders"), self.state.name("sources")
        self.session.execute(insert.format(*names), [action, actor(), reason or None, self.source_id])


def refuse_stopped(orders: Orders, fence: int) -> None:
    """End the run with this fencing token if it has been told to. Raises StopRequested."""
    if orders.stops(fence):
        raise StopRequested(f"stopped {orders.stop}. {KEPT_BATCHES}")


def actor() -> str:
    """Who runs this program, and where."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # no name for this user id, as in a container
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
