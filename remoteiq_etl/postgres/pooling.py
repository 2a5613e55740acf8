"""Whether sessions stay what they are: each on a backend of its own, with its settings, and all on one server.

A pooler in transaction mode gives every transaction another backend; hosts behind a load balancer give sessions other servers.
A snapshot, a lock and our settings belong to one session on one server, so that is asked before anything is written. Belongs
here: the question and its sentence. Does not belong here: settings that a pooler does not take (see session_settings).
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from remoteiq_etl.config.urls import redact_url
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.postgres.database import Session

#: Looks at each of two sessions in turn: a pooler that gives backends out in turn shows it in the second.
_LOOKS = 3
_ASKED = (
    "SELECT pg_catalog.pg_backend_pid() AS backend, pg_catalog.pg_postmaster_start_time() AS server,"
    " pg_catalog.current_setting('row_security') = 'off' AS settled"
)


@dataclass(frozen=True)
class _Place:
    """Where a statement of a session ran, and whether its settings were there."""

    backend: int
    server: datetime
    settled: bool


def refuse_shared(session: Session) -> None:
    """Raise ConfigurationError where sessions of this database do not keep a server and a backend of their own."""
    if (found := why_shared(session)) is not None:
        raise ConfigurationError(f"{found} Nothing was written.")


def why_shared(session: Session) -> str | None:
    """What is wrong with the sessions of a database, and what to do; None where each is one of its own."""
    beside = replace(session.database, observer=None)
    with contextlib.closing(beside.connect()) as second:
        first_places, second_places = [], []
        for _ in range(_LOOKS):
            first_places += Session(beside, session.connection, session.pid).objects(_Place, _ASKED)
            second_places += second.objects(_Place, _ASKED)
    where = redact_url(session.database.url)
    if len({place.server for place in (*first_places, *second_places)}) > 1:
        return (
            f"sessions of {where} reach different servers, and a snapshot is known on one alone: name one host, without"
            " load_balance_hosts or a name that stands for several."
        )
    if _is_shared(first_places, second_places):
        return (
            f"a pooler gives each transaction of a session of {where} another server connection, so that locks, snapshots and"
            " settings are lost: connect without it, or by one that keeps a session on its connection"
            " (PgBouncer: pool_mode = session)."
        )
    return None


def _is_shared(first: Sequence[_Place], second: Sequence[_Place]) -> bool:
    backends = [{place.backend for place in places} for places in (first, second)]
    settled = all(place.settled for place in (*first, *second))
    return not settled or any(len(one) > 1 for one in backends) or backends[0] == backends[1]
