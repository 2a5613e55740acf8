"""Who holds the lock that a statement of ours waited for in vain.

PostgreSQL ends the wait without a word about the other side, and when it does, nobody waits any more: the sessions are asked
for that hold a lock on what the statement names. Belongs here: that question and its sentence. Does not belong here:
how long is waited (see session_settings), sessions on the source that wait for us (remoteiq_etl.backfill.throttle).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from remoteiq_etl.errors import LockTimeout
from remoteiq_etl.postgres.errors.failures import brief
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

#: Sessions that a sentence names.
_FEW = 3


class LockWaitEnded(LockTimeout, psycopg.errors.LockNotAvailable):
    """The server's own error with a sentence: who waits for it by the driver's name goes on to do so."""


@dataclass(frozen=True)
class Holder:
    """A lock of another session. `state` and `since` are None where our role may not see them."""

    pid: int
    role: str | None
    application: str
    state: str | None
    since: datetime | None
    mode: str
    granted: bool
    held: str
    behind: list[int]

    def __str__(self) -> str:
        """Who it is and what it holds; never what it runs, which may hold values."""
        details = [f"role {self.role or '?'}", f"application {self.application}"]
        details += [self.state] if self.state else []
        details += [f"in a transaction since {self.since:%Y-%m-%d %H:%M:%S} UTC"] if self.since else []
        what = f"{'holds' if self.granted else 'itself waits for'} {self.mode} on {self.held}"
        behind = f", behind {', '.join(map(str, self.behind))}" if self.behind else ""
        return f"session {self.pid} ({', '.join(details)}) {what}{behind}"


def blocking_sentence(conninfo: str, statement: str, own: Sequence[int], *, writes: bool) -> str:
    """Who seems to have held what a statement waited for. `own`: sessions that cannot be it, such as the one that waited."""
    try:
        with (
            psycopg.connect(conninfo, autocommit=True) as connection,
            connection.cursor(row_factory=class_row(Holder)) as cursor,
        ):
            parameters = {"statement": statement, "own": list(own), "writes": writes}
            found = cursor.execute(SQL["holders"].format(), parameters).fetchall()
    except psycopg.Error as error:
        return f"Who holds it could not be asked ({brief(error)})."
    sessions = list(dict.fromkeys(map(str, found)))
    if not sessions:
        return "Whoever held it has let go since; repeat."
    more = f", and {len(sessions) - _FEW} more locks" if len(sessions) > _FEW else ""
    return f"In the way: {'; '.join(sessions[:_FEW])}{more}. Let it end (or end it: pg_terminate_backend), then repeat."
