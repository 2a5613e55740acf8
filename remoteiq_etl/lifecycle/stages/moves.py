"""When runs, verifications, undos and resets move the stage of a source, and where to.

A move that takes something away is made before the work, so that a process that is killed leaves a stage that promises too
little, never too much; one that adds something is made after it. Belongs here: these moves. Does not belong here: which
moves are legal (see stage), the work itself.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress

import psycopg
from psycopg import sql

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.run import Run
from remoteiq_etl.errors import ConnectionFailed, FencedError, LockedError
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.stage import Stage, is_at_least
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.locks import check_fence
from remoteiq_etl.state.schema import State
from remoteiq_etl.state.sources import written_rows
from schemas.state.watermarks import FORGOTTEN

SQL = statements(__file__)

#: The stages that a verification or its loss moves between.
_BELIEVED = (Stage.VERIFIED, Stage.FINALIZED)


# --- runs -------------------------------------------------------------------------------------------------------------


def refuse(target: Database, state_schema: str, source: str, command: str, *, beside: bool = False) -> None:
    """Let no command begin where it does not fit. Raises StageError, and LockedError while a command works on the stage.

    `beside`: it may work beside that command, or is a part of it. Nothing is written; a target without state, or with that
    of an older program, refuses nothing yet.
    """
    state = State(target, state_schema)
    with closing(target.connect()) as session:
        if not state.is_current(session) or (source_id := store.source_of(session, state, source)) is None:
            return
        if not beside:
            store.refuse_claimed(session, state, source_id)
        store.require(session, state, source_id, command)


@contextmanager
def of_run(run: Run) -> Iterator[None]:
    """Loading while the run works; afterwards in step, or where the source stood if the run wrote nothing.

    A run that ends early, or leaves a declared table without a complete load, leaves `loading`. After the cut-over no run
    moves the stage. A plan moves nothing.
    """
    context = run.context
    if context.planning or not _begin(context):
        yield
        return
    try:
        yield
    except BaseException as error:
        # The run's own session may be in the middle of a statement that a signal cut short.
        with suppress(psycopg.Error, ConnectionFailed, FencedError), closing(context.state.target.connect()) as session:
            _end(context, session, f"run {context.id} ended early: {describe(error)}", complete=False)
        raise
    blocked = [report.table for report in run.reports.values() if report.blocked]
    reason = f"run {context.id} could not load {', '.join(blocked)}" if blocked else f"run {context.id}"
    _end(context, context.session, reason, complete=not blocked)


def _begin(context: RunContext) -> bool:
    """Move to `loading`; False where the source is cut over."""
    place = context.session, context.state, context.source_record.id
    with context.session.transaction():
        context.check_fence()
        if store.require(*place, "run") is Stage.CUT_OVER:
            return False
        store.move(*place, Stage.LOADING, reason=f"run {context.id} began", run_id=context.id)
    return True


def _end(context: RunContext, session: Session, reason: str, *, complete: bool) -> None:
    place = session, context.state, context.source_record.id
    parameters = {
        "source_id": context.source_record.id,
        "run_id": context.id,
        "assets": sorted(asset for asset, spec in context.plan.specs.items() if spec.no_source is None),
        "forgotten": FORGOTTEN,
    }
    with session.transaction():
        check_fence(session, context.state, context.source_record, context.fence, f"run {context.id}")
        entry = store.current(*place)
        if entry is None or entry.stage is not Stage.LOADING:
            return
        before = entry.came_from
        wrote = bool(session.value(_statement("wrote", context.state), parameters))
        if complete and not is_at_least(before, Stage.IN_STEP):
            complete = bool(session.value(_statement("settled", context.state), parameters))
            reason += "" if complete else "; not every table has been loaded"
        to = _after_run(before, wrote=wrote, complete=complete)
        store.move(*place, to, reason=reason if wrote else f"{reason}; it wrote nothing", run_id=context.id)


def _after_run(before: Stage | None, *, wrote: bool, complete: bool) -> Stage:
    """`before`: where the source stood when the run began."""
    if before is not None and not wrote and (not complete or is_at_least(before, Stage.IN_STEP)):
        return before
    return Stage.IN_STEP if complete else Stage.LOADING


@contextmanager
def naming_the_holder(target: Database, state_schema: str, source: str) -> Iterator[None]:
    """Say who holds a source where it cannot be had. Raises the LockedError, with the name and the start."""
    try:
        yield
    except LockedError as error:
        with suppress(psycopg.Error, ConnectionFailed), closing(target.connect()) as session:
            state = State(target, state_schema)
            source_id = store.source_of(session, state, source)
            entry = None if source_id is None else store.current(session, state, source_id)
            if entry is not None and entry.stage is Stage.LOADING:
                raise LockedError(f"{error} It is loading {entry}.") from error
        raise


# --- what takes rows away ---------------------------------------------------------------------------------------------


def takes_away(session: Session, state: State, source_id: int, command: str, what: str) -> None:
    """Move to `loading`, in the transaction that forgets or takes back; nothing where no stage is known.

    Raises StageError when the command does not fit, and LockedError while another command works on the stage.
    """
    store.refuse_claimed(session, state, source_id)
    if store.require(session, state, source_id, command) is not None:
        store.move(session, state, source_id, Stage.LOADING, reason=what)


def all_taken_back(session: Session, state: State, source_id: int, what: str) -> None:
    """Move to `prepared` after everything was taken back, in the transaction that ends that."""
    entry = store.current(session, state, source_id)
    if entry is not None and entry.stage is Stage.LOADING:
        store.move(session, state, source_id, Stage.PREPARED, reason=what)


# --- verifications ----------------------------------------------------------------------------------------------------


def after_verification(target: Database, state_schema: str, source: str, tables: Sequence[str]) -> None:
    """Move by the verdicts that are kept, after a verification ended in whatever way. `tables`: every declared one.

    From in step to verified when every table has passed and no run has committed rows since; back when one has not. A
    verification adds nothing while a run works, and moves nothing after the cut-over.
    """
    state = State(target, state_schema)
    with closing(target.connect()) as session, session.transaction():
        source_id = store.source_of(session, state, source) if state.is_current(session) else None
        entry = None if source_id is None else store.locked(session, state, source_id)
        if source_id is None or entry is None:
            return
        parameters = {"source_id": source_id, "tables": list(tables)}
        failed, unsure = session.rows(_statement("verdicts", state), parameters)[0]
        if entry.stage is Stage.IN_STEP and not failed and not unsure:
            store.move(session, state, source_id, Stage.VERIFIED, reason="every table was verified")
        elif entry.stage in _BELIEVED and failed:
            store.move(session, state, source_id, Stage.IN_STEP, reason=f"{failed} tables were not verified")


def _statement(name: str, state: State) -> sql.Composed:
    return SQL[name].format(**state.names, written=written_rows(state))
