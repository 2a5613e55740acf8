"""Which assets a re-sync has to load, looked at from outside a run, before one is started.

It is an estimate: a run looks at every table again, in its snapshot, and loads what it finds changed. Belongs here: that
look; it writes nothing. Does not belong here: which rows a run reads (remoteiq_etl.backfill.change_capture.capture), what is
recorded of a run (remoteiq_etl.orchestration).
"""

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from psycopg import sql

from remoteiq_etl.backfill.change_capture.fingerprint import is_current
from remoteiq_etl.backfill.source.database_identity import read_identity
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.lifecycle.operations import changes
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.spec.dependencies import in_order, inputs_of, legacy_columns
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import remembered_grants

#: Milliseconds for one legacy table. Who waits is a tick of Dagster's, which it gives up after a minute.
_LONGEST_MS = 10_000


@dataclass(frozen=True)
class _Completion:
    """How an asset was last brought up to date."""

    run_id: int
    database: str
    fingerprint: str


_LastTime = tuple[int, dict[str, _Completion], changes.SeenUpTo, dict[str, str]]


def assets_to_load(migration: Migration, besides: Collection[str] = ()) -> frozenset[str]:
    """The assets of which something has changed since the last run, those `besides`, and all that depend on one of them.

    What counts are the tables whose rows become rows of the asset. Others, which only its decide step reads, are written all the
    time (agents report every minute) and rarely change a decision. An asset has changed, too, when the last run that completed
    any, or a later one that failed, did not complete it, when its code, words or options are others, and when legacy is another
    database. Raises DriftError, ConnectionFailed, and psycopg.Error where a table takes too long.
    """
    chosen = {*_changed(migration), *besides}
    for spec in in_order(migration.specs):
        if not chosen.isdisjoint(spec.dependencies):
            chosen.add(spec.asset)
    return frozenset(chosen)


def _changed(migration: Migration) -> frozenset[str]:
    plan = migration.plan()
    loaded = {name for name, spec in migration.specs.items() if spec.no_source is None}
    with contextlib.closing(migration.target.connect()) as session:
        last, completed, seen, remembered = _last_time(session, migration)
    plan = replace(plan, options={**remembered, **plan.options})
    with contextlib.closing(migration.legacy.connect()) as legacy, legacy.transaction():
        legacy.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(sql.Literal(_LONGEST_MS)))
        database = read_identity(legacy, legacy_columns(migration.specs))
        changed = changes.changed_assets(
            legacy, {name: _of_rows(migration.specs[name], seen[name]) for name in loaded & seen.keys()}
        )
    settled = {
        name
        for name, done in completed.items()
        if name in loaded
        and (done.run_id, done.database) == (last, database)
        and is_current(done.fingerprint, migration.specs[name], plan)
        and _is_seen(migration.specs[name], seen.get(name, {}))
    }
    return frozenset(loaded - settled | changed | plan.blocked.keys())


def _of_rows(spec: TableSpec, seen: Mapping[str, changes.Seen]) -> Mapping[str, changes.Seen]:
    """Of the legacy tables that an asset has seen, those whose rows become its rows, or change them."""
    inputs = inputs_of(spec)
    return {table: one for table, one in seen.items() if table in (*inputs.sources, *inputs.followed)}


def _is_seen(spec: TableSpec, seen: Mapping[str, changes.Seen]) -> bool:
    return seen.keys() >= {*inputs_of(spec).legacy}


def _last_time(session: Session, migration: Migration) -> _LastTime:
    """The last run that completed an asset, or failed; by asset how it was last completed, and what it has seen; remembered options."""
    state = State(migration.target, migration.settings.state_schema)
    if not state.exists(session):
        return 0, {}, {}, {}
    state.ensure(session)  # adds what an older program did not know
    source_id = session.value(
        sql.SQL("SELECT id FROM {} WHERE name = %s").format(state.name("sources")), [migration.settings.source]
    )
    query = sql.SQL("SELECT table_name, run_id, database, fingerprint FROM {} WHERE source_id = %s")
    rows = session.rows(query.format(state.name("assets")), [source_id])
    completed = {row[0]: _Completion(*row[1:]) for row in rows}
    failed = sql.SQL("SELECT max(id) FROM {} WHERE source_id = %s AND status NOT IN ('succeeded', 'plan')")
    last = session.value(failed.format(state.name("runs")), [source_id]) or 0
    last = max([last, *(done.run_id for done in completed.values())])
    remembered = {} if source_id is None else remembered_grants(session, state, source_id)
    return last, completed, changes.read_passes(session, state, source_id), remembered
