"""Which database stands behind a URL, as far as transaction ids are concerned.

Two databases are the same when ids that one run has seen mean the same to the next: the same cluster, on the same timeline
(a failover or a restored backup begins another), the same database in it, and the same tables.
"""

from collections.abc import Collection

import psycopg

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

#: What stands for a part that the role may not read. Without it another cluster is told by the tables alone.
UNREADABLE = "?"


def read_identity(session: Session, tables: Collection[str]) -> str:
    """System identifier, timeline, database and a hash over the own ids of these tables, joined by slashes."""
    own = "SELECT oid::text FROM pg_database WHERE datname = current_database()"
    parts = [
        _readable(session, "system") or UNREADABLE,
        timeline(session),
        session.value(own),
        _tables(session, tables),
    ]
    return "/".join(parts)


def timeline(session: Session) -> str:
    """The timeline of what the session reads, within a transaction; UNREADABLE where the role may know nothing of it.

    A promoted standby begins a new one at once, and its control file says so only after its next checkpoint, perhaps minutes
    later. Timelines grow, so of several that are known of a standby the latest holds.
    """
    if session.value("SELECT pg_catalog.pg_is_in_recovery()"):
        known = [_readable(session, name) for name in ("timeline_of_receiver", "timeline_of_recovery")]
    else:
        known = [_readable(session, "timeline_of_primary") or _readable(session, "timeline_of_checkpoint")]
    return max(filter(None, known), key=int, default=UNREADABLE)


def _readable(session: Session, name: str) -> str | None:
    """The result of a statement; None where the role may not ask it."""
    session.execute("SAVEPOINT identity")
    try:
        found = session.value(SQL[name])
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState):
        # The second: promoted, or made a standby, between the two questions.
        session.execute("ROLLBACK TO SAVEPOINT identity")
        return None
    finally:
        session.execute("RELEASE SAVEPOINT identity")
    return None if found is None else str(found)


def _tables(session: Session, tables: Collection[str]) -> str:
    return str(session.value(SQL["tables"], [session.database.schema, sorted(tables)]))
