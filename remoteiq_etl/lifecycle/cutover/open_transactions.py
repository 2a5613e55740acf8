"""Waiting, behind the fence, for transactions of the old application that are still open, with a deadline.

What began before the fence may commit, and is read by the final re-sync. Belongs here: waiting, and ending sessions that would
go on as they began. Does not belong here: the fence (see fence).
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from remoteiq_etl.errors import FenceError, TransactionsOpen
from remoteiq_etl.lifecycle.cutover.fence import WriteFence
from remoteiq_etl.postgres.database import APPLICATION, Session
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

_PAUSE = 0.05
"""Seconds between two looks: downtime is spent here."""
_FEW = 3


@dataclass(frozen=True)
class OpenSession:
    """A session with the legacy database, or a prepared transaction (`pid` None). `is_open`: it may still write."""

    pid: int | None
    role: str | None
    application: str
    state: str | None
    since: datetime | None
    is_open: bool
    is_old: bool

    def __str__(self) -> str:
        """Who it is; never what it runs."""
        who = "a prepared transaction" if self.pid is None else f"session {self.pid} (application {self.application})"
        since = f", open since {self.since:%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        return f"{who} of the role {self.role or '?'}{since}"


@dataclass(frozen=True)
class Waited:
    """How long was waited, in seconds, and how many sessions were ended."""

    seconds: float
    ended: int


def refuse_blindness(admin: Session, fence: WriteFence) -> None:
    """Make sure that the sessions of others can be seen, and ended where that is needed. Raises FenceError."""
    sees, ends = admin.rows(SQL["sees_all"].format())[0]
    lacks = [
        *([] if sees else ["pg_read_all_stats"]),
        *([] if ends or not fence.ends_sessions else ["pg_signal_backend"]),
    ]
    if lacks:
        raise FenceError(
            f"the sessions of others with the legacy database cannot be {'ended' if sees else 'seen'}: the role that we connect as"
            f" lacks {' and '.join(lacks)}. GRANT it, or set REMOTEIQ_LEGACY_ADMIN_URL to a connection that may."
        )


def wait(admin: Session, fence: WriteFence, fenced_at: datetime, seconds: float, roles: Sequence[str] = ()) -> Waited:
    """Wait until no transaction that began before the fence is open, and, where the fence asks for it, no session.

    A session that the fence does not reach is ended when it is between transactions, or in one that began later. `roles`: those
    of the old application; none: all. Raises TransactionsOpen, with the sessions in the way, after `seconds`.
    """
    began, ended = time.monotonic(), 0
    while True:
        found = _sessions(admin, fence, fenced_at, roles)
        is_open = [one for one in found if one.is_open]
        to_end = [one.pid for one in found if fence.ends_sessions and one.is_old and not one.is_open]
        if to_end:
            ended += admin.execute(SQL["terminate"].format(), {"pids": to_end}).rowcount
        waited = time.monotonic() - began
        if not is_open and not to_end:
            return Waited(waited, ended)
        if waited > seconds:
            raise TransactionsOpen(_text(is_open, seconds))
        time.sleep(_PAUSE)


def _sessions(admin: Session, fence: WriteFence, fenced_at: datetime, roles: Sequence[str]) -> list[OpenSession]:
    parameters: dict[str, Any] = {
        "fenced_at": fenced_at,
        "roles": list(roles),
        "writers_only": fence.is_enforced and not fence.ends_sessions,
        "own": APPLICATION,
    }
    return [
        OpenSession(*row) for name in ("sessions", "prepared") for row in admin.rows(SQL[name].format(), parameters)
    ]


def _text(found: Sequence[OpenSession], seconds: float) -> str:
    more = f" and {len(found) - _FEW} more" if len(found) > _FEW else ""
    named = "; ".join(map(str, found[:_FEW])) or "sessions that do not end"
    return (
        f"transactions on the legacy database were still open {seconds:g} seconds after the fence: {named}{more}."
        " Let them end, or raise [cutover] wait_seconds, then repeat."
    )
