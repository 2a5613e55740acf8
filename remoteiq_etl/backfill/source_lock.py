"""One run (or undo) per source at a time: the advisory lock, and the fencing token of who holds it.

The lock refuses a second one; the fence keeps one that lost its lock from committing. Belongs here: taking and checking
them. Does not belong here: what is done under them (see run).
"""

import time

from psycopg import sql

from remoteiq_etl.backfill.database import Session
from remoteiq_etl.backfill.state import Registered, State
from remoteiq_etl.errors import FencedError, LockedError

#: A killed run's server session ends when the server notices; until then its lock stands. Seconds.
LOCK_PATIENCE = 5.0


def lock(control: Session, registered: Registered) -> None:
    """Take the source's advisory lock, held by the control session until it closes. Raises LockedError."""
    deadline = time.monotonic() + LOCK_PATIENCE
    while not control.value("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"remoteiq_etl/{registered.id}"]):
        if time.monotonic() > deadline:
            raise LockedError(
                f"another run holds the source {registered.name!r} of this target. Wait until it is done (remoteiq-etl status shows it)."
                " A killed run's lock goes as soon as the server notices that its session is gone."
            )
        time.sleep(0.2)


def take_over(control: Session, state: State, registered: Registered) -> int:
    """Raise the fence, and mark runs that ended without a word."""
    update = sql.SQL("UPDATE {} SET fence = fence + 1 WHERE id = %s RETURNING fence").format(state.name("sources"))
    fence = int(control.value(update, [registered.id]))
    mark = sql.SQL(
        "UPDATE {} SET status = 'interrupted', finished_at = clock_timestamp() WHERE source_id = %s AND status = 'running'"
    )
    control.execute(mark.format(state.name("runs")), [registered.id])
    return fence


def check_fence(session: Session, state: State, registered: Registered, fence: int, holder: str) -> None:
    """Make sure, within the transaction about to commit, that no later run has taken over. Raises FencedError."""
    query = sql.SQL("SELECT fence FROM {} WHERE id = %s FOR SHARE").format(state.name("sources"))
    found = session.value(query, [registered.id])
    if found != fence:
        raise FencedError(
            f"{holder} has fencing token {fence}, but the source {registered.name!r} is at {found}: a later run took over."
            " Nothing of this batch was committed."
        )
