"""Whether a run would be worth its while: has the legacy database changed, and is the source free?

Belongs here: cheap looks at both databases from outside a run; they write nothing. Does not belong here: which rows have
changed (remoteiq_etl.backfill.change_capture.capture), starting runs.
"""

import contextlib
import hashlib
import json
from collections.abc import Collection, Mapping

from psycopg import sql

from remoteiq_etl.backfill.source.database_identity import read_identity
from remoteiq_etl.backfill.source.relation_shape import read_shapes
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.orders import Control
from remoteiq_etl.state.schema import State
from schemas import legacy

SQL = statements(__file__)


def last_activity(database: Database) -> str:
    """A text that is another whenever a legacy table may have been written since. Needs no right beyond SELECT.

    The catalogue is part of it: after DDL rows may read otherwise, with no write to them. It may change without a write, which
    costs a run that finds nothing. A write is seen when the server has counted it, a second after its commit at the latest.
    Raises ConnectionFailed.
    """
    columns = {table.name: table.columns.keys() for table in legacy.metadata.tables.values()}
    with contextlib.closing(database.connect()) as session, session.transaction():
        writes = session.value(SQL["activity"], {"schema": database.schema, "tables": sorted(columns)})
        return f"{read_identity(session, columns)}/{writes}/{_shape_of(session, columns)}"


def _shape_of(session: Session, columns: Mapping[str, Collection[str]]) -> str:
    shapes = read_shapes(session, columns)
    return hashlib.sha256(json.dumps(shapes, sort_keys=True).encode()).hexdigest()[:16]


def why_not_now(migration: Migration) -> str | None:
    """Why no run of the source should begin now: one is at work, or somebody paused it. Raises ConnectionFailed."""
    with contextlib.closing(migration.target.connect()) as session:
        control = _control(session, migration)
        if control is None:
            return None
        if (order := control.orders().pause) is not None:
            return f"The source {migration.settings.source!r} is paused {order}."
        return f"Another run holds the source {migration.settings.source!r}." if control.is_held() else None


def _control(session: Session, migration: Migration) -> Control | None:
    """The orders of the source; None before its first run."""
    state = State(migration.target, migration.settings.state_schema)
    if not state.exists(session):
        return None
    state.ensure(session)
    query = sql.SQL("SELECT id FROM {} WHERE name = %s").format(state.name("sources"))
    source_id = session.value(query, [migration.settings.source])
    return None if source_id is None else Control(session, state, source_id)
