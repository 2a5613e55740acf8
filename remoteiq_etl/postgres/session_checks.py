"""What is asked of sessions before anything is written: that they stay what they are, and show every row.

A pooler in transaction mode gives every transaction another backend; hosts behind a load balancer give sessions other servers.
A snapshot, a lock and our settings belong to one session on one server. With `row_security = off` the server refuses to read a
table of which a policy hides rows. Belongs here: both questions and their sentences. Does not belong here: settings that a pooler
does not take (see session_settings), which tables are asked about.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg
from psycopg import sql

from remoteiq_etl.config.urls import redact_url
from remoteiq_etl.errors import ConfigurationError, DriftError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

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


def hidden_rows(connection: psycopg.Connection, schema: str) -> dict[str, str]:
    """The tables of a schema that show the role less than they have, each with the name of the role."""
    return dict(connection.execute(SQL["hidden"].as_string(None).encode(), {"schema": schema}).fetchall())


def refuse_hidden_rows(session: Session, *schemas: str) -> None:
    """Raise DriftError where a table of these schemas hides rows: they would be taken for deleted."""
    found = [
        (sql.Identifier(schema, table).as_string(None), role)
        for schema in schemas
        for table, role in hidden_rows(session.connection, schema).items()
    ]
    if found:
        tables, role = ", ".join(table for table, _ in found), found[0][1]
        raise DriftError(
            f"row security hides rows of {tables} from the role {role}, and rows that are not shown would be taken for deleted."
            f" Nothing was written. Let a superuser say ALTER ROLE {sql.Identifier(role).as_string(None)} BYPASSRLS, or connect"
            " as the owner of the tables while they have no FORCE ROW LEVEL SECURITY."
        )
