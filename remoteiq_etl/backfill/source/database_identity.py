"""Which database stands behind a URL, as far as transaction ids are concerned.

Two databases are the same when ids that one run has seen mean the same to the next: the same cluster, on the same timeline
(a failover or a restored backup begins another), the same database in it, and the same tables.
"""

from collections.abc import Collection

import psycopg
from psycopg import sql

from remoteiq_etl.postgres.database import Session

_PARTS = (
    "SELECT system_identifier::text FROM pg_control_system()",
    "SELECT timeline_id::text FROM pg_control_checkpoint()",
)
#: What stands for a part that the role may not read. Without it another cluster is told by the tables alone.
UNREADABLE = "?"


def read_identity(session: Session, tables: Collection[str]) -> str:
    """System identifier, timeline, database and a hash over the own ids of these tables, joined by slashes."""
    parts = [_readable(session, query) for query in _PARTS]
    own = "SELECT oid::text FROM pg_database WHERE datname = current_database()"
    return "/".join([*parts, session.value(own), _tables(session, tables)])


def _readable(session: Session, query: str) -> str:
    session.execute("SAVEPOINT identity")
    try:
        return str(session.value(query))
    except psycopg.errors.InsufficientPrivilege:
        session.execute("ROLLBACK TO SAVEPOINT identity")
        return UNREADABLE
    finally:
        session.execute("RELEASE SAVEPOINT identity")


def _tables(session: Session, tables: Collection[str]) -> str:
    """A restored dump has the same tables under other ids."""
    query = sql.SQL(
        "SELECT md5(string_agg(relname || ' ' || c.oid, ',' ORDER BY relname)) FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %s AND relname = ANY (%s)"
    )
    return str(session.value(query, [session.database.schema, sorted(tables)]))
