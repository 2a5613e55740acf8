"""One run (or undo), and one verification, per source at a time: the advisory locks, and the fencing token of who writes.

The lock refuses a second one; the fence keeps one that lost its lock from committing. Belongs here: taking and checking
them. Does not belong here: what is done under them (see run).
"""

import time

from psycopg import sql

from remoteiq_etl.errors import FencedError, LockedError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import SourceRecord

SQL = statements(__file__)

#: A killed process' server session ends when the server notices; until then its lock stands. Seconds.
LOCK_PATIENCE = 5.0
_KILLED = "The lock of a killed one goes as soon as the server notices that its session is gone."


def run_lock(source_id: int) -> str:
    """The name of the lock that a run of a source holds."""
    return f"remoteiq_etl/{source_id}"


def verification_lock(source_id: int) -> str:
    """The name of the lock that a verification of a source holds."""
    return f"remoteiq_etl/verify/{source_id}"


def lock(control: Session, source_record: SourceRecord) -> None:
    """Take the source's advisory lock, held by the control session until it closes. Raises LockedError."""
    if not taken(control, run_lock(source_record.id)):
        raise LockedError(
            f"another run holds the source {source_record.name!r} of this target. Wait until it is done (remoteiq-etl status shows it)."
            f" {_KILLED}"
        )


def lock_verification(control: Session, source_record: SourceRecord) -> None:
    """Take the lock of verifications of a source, held by the control session until it closes. Raises LockedError."""
    if not taken(control, verification_lock(source_record.id)):
        raise LockedError(
            f"another verification of the source {source_record.name!r} is in work. Wait until it is done, or end it by remoteiq-etl"
            f" stop; runs are not concerned. {_KILLED}"
        )


def is_locked(session: Session, name: str) -> bool:
    """Whether a session of the database holds the lock of this name."""
    return bool(session.value(SQL["is_locked"], {"name": name}))


def taken(control: Session, name: str) -> bool:
    """Take the lock of this name, held until the session closes; False when somebody else keeps it."""
    deadline = time.monotonic() + LOCK_PATIENCE
    while not control.value("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def take_over(control: Session, state: State, source_record: SourceRecord) -> int:
    """Raise the fence, and mark runs that ended without a word."""
    update = sql.SQL("UPDATE {} SET fence = fence + 1 WHERE id = %s RETURNING fence").format(state.name("sources"))
    fence = int(control.value(update, [source_record.id]))
    mark = sql.SQL(
        "UPDATE {} SET status = 'interrupted', finished_at = clock_timestamp() WHERE source_id = %s AND status = 'running'"
    )
    control.execute(mark.format(state.name("runs")), [source_record.id])
    return fence


def check_fence(session: Session, state: State, source_record: SourceRecord, fence: int, holder: str) -> None:
    """Make sure, within the transaction about to commit, that no later run has taken over. Raises FencedError."""
    query = sql.SQL("SELECT fence FROM {} WHERE id = %s FOR SHARE").format(state.name("sources"))
    found = session.value(query, [source_record.id])
    if found != fence:
        raise FencedError(
            f"{holder} has fencing token {fence}, but the source {source_record.name!r} is at {found}: a later run took over."
            " Nothing of this batch was committed."
        )
