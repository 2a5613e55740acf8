"""Cleaning up: an archive of our state, then the legacy objects, in one transaction; and later our own schema.

After it there is no way back. Belongs here: what must be true before, and the order. Does not belong here: which objects (see
plan), the files (see archive).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from remoteiq_etl.errors import CleanupError
from remoteiq_etl.lifecycle.cleanup import archive
from remoteiq_etl.lifecycle.cleanup.archive import StateArchive
from remoteiq_etl.lifecycle.cleanup.plan import DatabaseObject, DropPlan, fingerprint, plan_legacy, plan_whole
from remoteiq_etl.lifecycle.cutover import settle, watch
from remoteiq_etl.lifecycle.cutover.place import CutOverContext, CutOverPlace, opened
from remoteiq_etl.lifecycle.cutover.switch import SchemaNames
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.stage import Stage
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state.cutovers import CutOverRecord, Phase

COMMAND, STATE_COMMAND = "cleanup", "cleanup --state"
ARCHIVES = "archives"
"""The folder below the home that archives are made in."""
LOCK_TIMEOUT = "5s"


@dataclass(frozen=True)
class CleanupReport:
    """What was dropped, where the archive lies (None: of our state there is nothing to keep), and what stays in the schema."""

    dropped: Sequence[DatabaseObject]
    archive: StateArchive | None
    stays: Sequence[DatabaseObject]
    schema_dropped: bool
    fingerprint: str | None


def plan(place: CutOverPlace, *, state: bool = False) -> DropPlan:
    """What would be dropped, as a script; of our own state with `state`. Changes nothing, in whatever stage."""
    with opened(place) as context:
        if state:
            return plan_whole(context.control, context.state.schema)
        session, schema = _legacy(context)
        return _with_schema(session, context, plan_legacy(session, schema))


def clean_up(place: CutOverPlace, confirmed: str, below: Path | None = None) -> CleanupReport:
    """Drop what is left of the legacy application. `confirmed`: the name of the source, typed by who wants it; `below`: where the
    archive is made, by default below the home.

    Raises StageError where nothing is cut over, and CleanupError where it is too early, legacy was written since, something else
    depends on what would go, or the new tables would not be what they were; ArchiveBroken. Then nothing is dropped.
    """
    with opened(place) as context, store.claim(*context.of_source, COMMAND):
        settle.settle(context)
        store.require(*context.of_source, COMMAND)
        _refuse_unconfirmed(place, confirmed)
        record = context.last
        if record is None:
            raise CleanupError("no cut-over of the source is recorded.")
        session, schema = _legacy(context)
        _refuse_early(record, place.settings.cleanup_after_days)
        found = plan_legacy(session, schema)
        if found.objects:  # else an earlier call dropped them, and was killed before it could say so
            _refuse_written(session, record)
        found.raise_if_blocked()
        kept = _archived(context, below or place.migration.settings.home / ARCHIVES)
        report = _drop(context, session, record, schema)
        with context.control.transaction():
            store.move(*context.of_source, Stage.CLEANED_UP, reason=f"archive {kept.directory.name}")
        return replace(report, archive=kept)


def drop_state(place: CutOverPlace, confirmed: str) -> CleanupReport:
    """Drop our own schema, when the legacy objects are gone. Raises CleanupError while another source needs it."""
    with opened(place) as context, store.claim(*context.of_source, STATE_COMMAND):
        store.require(*context.of_source, STATE_COMMAND)
        _refuse_unconfirmed(place, confirmed)
        _refuse_others(context)
        _refuse_without_archive(context)
        found = plan_whole(context.control, context.state.schema)
        found.raise_if_blocked()
        with context.control.transaction():
            _execute(context.control, found.statements)
        return CleanupReport(found.objects, None, (), True, None)


# --- before -----------------------------------------------------------------------------------------------------------


def _legacy(context: CutOverContext) -> tuple[Session, str]:
    """A session on what the legacy schema is called now."""
    names = _renamed(context)
    schema = context.place.migration.legacy.schema if names is None else names.legacy_after
    return settle.in_schema(context.admin, schema), schema


def _target_schema(context: CutOverContext) -> str:
    names = _renamed(context)
    return context.place.migration.target.schema if names is None else names.target_after


def _renamed(context: CutOverContext) -> SchemaNames | None:
    """The schemas of one database that is cut over; None of two, and before."""
    record = context.last
    return settle.names_of(record) if record is not None and record.phase is Phase.DONE else None


def _refuse_unconfirmed(place: CutOverPlace, confirmed: str) -> None:
    if confirmed != place.source:
        raise CleanupError(
            f"after a cleanup there is no way back. To confirm it type the name of the source, {place.source!r}; found {confirmed!r}."
        )


def _refuse_early(record: CutOverRecord, days: int) -> None:
    due = (record.switched_at or record.begun_at) + timedelta(days=days)
    if datetime.now(UTC) < due:
        raise CleanupError(
            f"legacy tables are dropped {days} days after the cut-over at the earliest, at {due.astimezone(UTC):%Y-%m-%d %H:%M} UTC."
            " [cutover] cleanup_after_days says how long."
        )


def _refuse_written(session: Session, record: CutOverRecord) -> None:
    marks = (record.marks or {}).get("fall_back") or (record.marks or {}).get("legacy")
    if marks and marks.get("rows"):
        written = list(watch.written_since(session, marks))
        if written:
            raise CleanupError(
                f"legacy tables were written since the cut-over: {', '.join(map(str, written))}. The new application does not have"
                " that, and it would be lost. Carry it over by hand and say so: remoteiq-etl cutover --back, then cut over again."
            )


def _refuse_others(context: CutOverContext) -> None:
    query = sql.SQL(
        "SELECT s.name FROM {sources} AS s LEFT JOIN {stages} AS g ON g.source_id = s.id WHERE g.stage IS DISTINCT FROM %s"
    )
    others = [row[0] for row in context.control.rows(query.format(**context.state.names), [Stage.CLEANED_UP])]
    if others:
        raise CleanupError(
            f"the state schema is that of the sources {', '.join(others)}, too, which are not cleaned up."
        )


def _refuse_without_archive(context: CutOverContext) -> None:
    """The archive is all that is left afterwards: it must be whole still."""
    query = sql.SQL("SELECT directory, digest FROM {state_archives} WHERE source_id = %s ORDER BY id DESC LIMIT 1")
    for directory, digest in context.control.rows(query.format(**context.state.names), [context.source_id]):
        archive.check(Path(directory), digest, context.place.migration.settings.sealing_keys)
        return
    raise CleanupError("no archive of the state was made: remoteiq-etl cleanup makes one.")


# --- doing it ---------------------------------------------------------------------------------------------------------


def _archived(context: CutOverContext, below: Path) -> StateArchive:
    """An archive, read back before anything is dropped."""
    settings = context.place.migration.settings
    made = archive.make(context.control, context.state, settings.source, settings.sealing_keys, below)
    archive.check(made.directory, made.digest, settings.sealing_keys)
    archive.record(context.control, context.state, context.source_id, made)
    return made


def _drop(context: CutOverContext, session: Session, record: CutOverRecord, schema: str) -> CleanupReport:
    """Drop everything in one transaction, and see within it that the new tables are what they were."""
    target = _target_schema(context)
    looks_by = session if context.one_database else context.control
    with _explained(schema), session.transaction():
        session.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT))
        before = fingerprint(looks_by, target)
        found = _with_schema(session, context, plan_legacy(session, schema))
        found.raise_if_blocked()
        _execute(session, found.statements)
        after = fingerprint(looks_by, target)
        if after != before:
            raise CleanupError(
                f"the schema {target} of the new application would not be what it was. Nothing was dropped."
            )
    is_dropped = found.statements[-1:] == [_drop_schema(schema)]
    return CleanupReport(found.objects, None, found.stays, is_dropped, after)


def _with_schema(session: Session, context: CutOverContext, found: DropPlan) -> DropPlan:
    """Of one database the legacy schema itself goes, too, when nothing stays in it: it was renamed, and is nobody's."""
    names = _renamed(context)
    is_renamed = names is not None and names.legacy_after == found.schema
    if (
        not is_renamed
        or found.stays
        or not session.value("SELECT to_regnamespace(%s) IS NOT NULL", [_quoted(found.schema)])
    ):
        return found
    return replace(found, statements=[*found.statements, _drop_schema(found.schema)])


def _drop_schema(schema: str) -> str:
    return f"DROP SCHEMA {_quoted(schema)} RESTRICT"


def _quoted(schema: str) -> str:
    return sql.Identifier(schema).as_string(None)


def _execute(session: Session, script: Sequence[str]) -> None:
    for statement in script:
        session.execute(statement)


@contextmanager
def _explained(schema: str) -> Iterator[None]:
    """What the server says as an error of ours."""
    try:
        yield
    except psycopg.Error as error:
        raise CleanupError(
            f"the schema {schema} cannot be cleaned up: {error.diag.message_primary or type(error).__name__}. Nothing was dropped."
            " Connect as the owner of its objects (REMOTEIQ_LEGACY_ADMIN_URL), then repeat."
        ) from error
