"""The sources of a target: registering one, the record of its runs, and which of them have written.

Belongs here: their rows in the state schema. Does not belong here: locks and the fence (see locks), what a run read (see
remoteiq_etl.backfill.change_capture.watermarks).
"""

import secrets
from dataclasses import dataclass

from psycopg import sql

from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.run_options import ROLE_GRANTS
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


@dataclass(frozen=True)
class SourceRecord:
    """One source as the state schema knows it."""

    id: int
    name: str
    hash_key: bytes


def register(session: Session, state: State, name: str, slug: str) -> SourceRecord:
    """The source of this name; made at its first run. Raises ConfigurationError when another source has the slug."""
    sources = state.name("sources")
    owner = session.value(
        sql.SQL("SELECT name FROM {} WHERE organization_slug = %s AND name <> %s").format(sources), [slug, name]
    )
    if owner is not None:
        raise ConfigurationError(
            f"the organization slug {slug!r} belongs to the source {owner!r} in this target; source {name!r} needs one of its own."
            " Set REMOTEIQ_ORGANIZATION_SLUG, or REMOTEIQ_SOURCE if it is the same legacy database."
        )
    insert = sql.SQL(
        "INSERT INTO {} (name, organization_slug, hash_key) VALUES (%s, %s, %s) ON CONFLICT (name) DO NOTHING"
    )
    session.execute(insert.format(sources), [name, slug, secrets.token_bytes(32)])
    row = session.rows(
        sql.SQL("SELECT id, organization_slug, hash_key FROM {} WHERE name = %s").format(sources), [name]
    )[0]
    if row[1] != slug:
        raise ConfigurationError(
            f"the source {name!r} was migrated with the organization slug {row[1]!r}, but {slug!r} is configured."
            " A source keeps its slug: set REMOTEIQ_ORGANIZATION_SLUG back, or choose another REMOTEIQ_SOURCE."
        )
    return SourceRecord(row[0], name, bytes(row[2]))


def record_end(session: Session, state: State, run_id: int, fence: int, status: str, error: str | None) -> None:
    """Write how a run ended."""
    update = sql.SQL(
        "UPDATE {} SET status = %s, finished_at = clock_timestamp(), error = %s WHERE id = %s AND fence = %s"
    )
    session.execute(update.format(state.name("runs")), [status, error, run_id, fence])


def written_rows(state: State) -> sql.Composed:
    """The SELECT of run_id, table_name and written_at: which runs have written rows of which table, and when.

    One row per batch, or movement, that wrote: what makes a verdict stale, and moves a migration from its stage.
    """
    return SQL["written_rows"].format(**state.names)


def remembered_grants(session: Session, state: State, source_id: int) -> dict[str, str]:
    """The option role_grants of the last run of a source that was told it; none where none was. Plans are no runs."""
    query = sql.SQL(
        "SELECT options ->> %(name)s FROM {} WHERE source_id = %(source_id)s AND status <> 'plan' AND options ? %(name)s"
        " ORDER BY id DESC LIMIT 1"
    )
    found = session.value(query.format(state.name("runs")), {"name": ROLE_GRANTS, "source_id": source_id})
    return {} if found is None else {ROLE_GRANTS: str(found)}


def interrupted(session: Session, state: State, source_id: int) -> list[str]:
    """What the orchestrator calls the last runs of the source that ended without a word."""
    query = sql.SQL(
        "SELECT orchestrator_run_id FROM {} WHERE source_id = %s AND status = 'interrupted'"
        " AND orchestrator_run_id IS NOT NULL ORDER BY id DESC LIMIT 10"
    )
    return [row[0] for row in session.rows(query.format(state.name("runs")), [source_id])]
