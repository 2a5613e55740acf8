"""Opening and closing a run: lock, fence, snapshot and sessions, in this order, and the record of how it ended.

One run per source at a time: an advisory lock refuses the second, and a fencing token keeps a run that lost its lock
from committing. Belongs here: that order. Does not belong here: what an open run can do (see run).
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.backfill import blocked, hashing
from remoteiq_etl.backfill.control import Control
from remoteiq_etl.backfill.database import Session
from remoteiq_etl.backfill.failure import describe
from remoteiq_etl.backfill.inputs import inputs_of
from remoteiq_etl.backfill.plan import Plan
from remoteiq_etl.backfill.progress import Listener, Silent
from remoteiq_etl.backfill.run import Run
from remoteiq_etl.backfill.snapshot import Snapshot
from remoteiq_etl.backfill.source_lock import lock, take_over
from remoteiq_etl.backfill.state import Registered, State, program_version
from remoteiq_etl.errors import RunStopped


@contextlib.contextmanager
def opened(plan: Plan, listener: Listener | None = None) -> Iterator[Run]:
    """An open run; what fails inside is recorded as its end.

    Raises LockedError when the source is busy, SourcePaused when it is paused.
    """
    state = State(plan.target, plan.state_schema)
    with contextlib.ExitStack() as stack:
        control = plan.target.connect()
        stack.callback(control.close)
        state.ensure(control)
        registered = state.register(control, plan.source, plan.organization_slug)
        Control(control, state, registered.id).refuse_paused()
        lock(control, registered)
        run = _open(plan, listener or Silent(), state, control, registered, stack)
        stack.callback(_quietly, run.drop_stages)
        stack.callback(run.pacer.close)
        try:
            run.drop_leftovers()
            yield run
        except BaseException as error:
            # The run's own session may be in the middle of a statement that a signal cut short.
            status = "stopped" if isinstance(error, RunStopped) else "failed"
            _quietly(run.record_end, status, describe(error), control)
            raise
        run.record_end(*blocked.ending(run.reports))


def _open(
    plan: Plan, listener: Listener, state: State, control: Session, registered: Registered, stack: contextlib.ExitStack
) -> Run:
    settings = hashing.session_settings(registered.hash_key)
    legacy, target = plan.legacy.with_settings(settings), plan.target.with_settings(settings)
    fence = take_over(control, state, registered)
    tables = {table for spec in plan.specs.values() for table in inputs_of(spec).legacy}
    snapshot = stack.enter_context(Snapshot(legacy, tables))
    session = target.connect()
    stack.callback(session.close)
    arrow = target.connect_arrow()
    stack.callback(arrow.close)
    writer = target.connect_beside(arrow)
    stack.callback(writer.close)
    reader = snapshot.reader()
    stack.callback(reader.close)
    insert = sql.SQL(
        "INSERT INTO {} (source_id, orchestrator_run_id, status, snapshot, system_identifier, fence, program_version, options)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id, started_at"
    )
    status = "plan" if plan.planning else "running"
    row = control.rows(
        insert.format(state.name("runs")),
        [
            registered.id,
            plan.orchestrator_run_id,
            status,
            snapshot.horizon,
            snapshot.database.partition("/")[0],
            fence,
            program_version(),
            Jsonb(dict(plan.options)),
        ],
    )[0]
    return Run(
        plan,
        listener,
        state,
        session,
        arrow,
        reader,
        writer,
        legacy,
        target,
        registered,
        row[0],
        fence,
        snapshot,
        row[1].astimezone(UTC),
    )


def _quietly(function: Any, *arguments: object) -> None:
    """Clean up without hiding the error that ended the run: the target may be gone."""
    with contextlib.suppress(psycopg.Error):
        function(*arguments)
