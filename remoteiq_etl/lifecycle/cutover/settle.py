"""Where a cut-over ends: done, given up or taken back. Each may be repeated, so that the next call completes what a kill left.

Belongs here: these three ends, and finding out which one an interrupted cut-over must come to. Does not belong here: the steps
before (see execute), whether going back would lose anything (see back).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from remoteiq_etl.errors import RemoteIQError
from remoteiq_etl.lifecycle.cutover import fence, switch, watch
from remoteiq_etl.lifecycle.cutover.place import CutOverContext
from remoteiq_etl.lifecycle.cutover.switch import SchemaNames
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.stage import Stage
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.run_options import CUT_OVER
from remoteiq_etl.state import cutovers
from remoteiq_etl.state.cutovers import IN_WORK, CutOverRecord, Phase

SQL = statements(__file__)


@dataclass(frozen=True)
class Settled:
    """What became of an interrupted cut-over: done, failed or taken back."""

    record: CutOverRecord
    phase: Phase

    def __str__(self) -> str:
        """In one sentence."""
        what = {
            Phase.DONE: "had come past its switch, and is complete now",
            Phase.FAILED: "was given up: the fence is taken away, and the old application may write",
            Phase.TAKEN_BACK: "was taken back completely",
        }[self.phase]
        return f"The interrupted {self.record} {what}."


def settle(context: CutOverContext) -> Settled | None:
    """Bring an interrupted cut-over to its end; None where there is none. Only while nobody else works on the stage."""
    record = context.last
    if record is None or record.phase not in IN_WORK:
        return None
    if record.phase is Phase.GOING_BACK:
        take_back(context, record)
        return Settled(record, Phase.TAKEN_BACK)
    names = names_of(record)
    if names is not None and switch.is_switched(context.admin, names):
        complete(context, record)
        return Settled(record, Phase.DONE)
    give_up(context, record, "interrupted")
    return Settled(record, Phase.FAILED)


def complete(context: CutOverContext, record: CutOverRecord) -> None:
    """After the switch: our own state follows, a fence that would hinder the new application goes, the stage is cut over."""
    names, kept = names_of(record), record.fence
    if names is not None and kept is not None:
        taken = fence.fence_of_record(kept, context.place.settings)
        if not taken.outlives_switch:
            taken.give_back(context.admin, kept)
            kept = None
    if names is not None:
        _follow(context, names.target, names.target_after)
    with context.control.transaction():
        cutovers.record(
            context.control,
            context.state,
            record.id,
            Phase.DONE,
            fence=None if kept is None else dict(kept),
            switched_at=record.switched_at or _now(context.control),
        )
        store.move(*context.of_source, Stage.CUT_OVER, reason=f"cut-over {record.id}")
    marks = with_rows(context, record)
    cutovers.record(context.control, context.state, record.id, Phase.DONE, marks=marks)


def give_up(context: CutOverContext, record: CutOverRecord, error: str) -> None:
    """Before the switch: the new application is let out again where a command may have let it in, and the fence goes."""
    if record.phase is Phase.SWITCHING and record.schemas is None:
        switch.call_hook(context.place.migration.target, context.place.settings, "back")
    _give_fence_back(context, record)
    cutovers.record(context.control, context.state, record.id, Phase.FAILED, fence=None, error=error)


def take_back(context: CutOverContext, record: CutOverRecord) -> None:
    """From cut over to finalized: the switch first, then the fence, so that the old application finds its tables."""
    cutovers.record(context.control, context.state, record.id, Phase.GOING_BACK)
    names = names_of(record)
    if names is None:
        switch.call_hook(context.place.migration.target, context.place.settings, "back")
    else:
        switch.switch_schemas_back(context.admin, names, context.place.settings)
        _follow(context, names.target_after, names.target)
    _give_fence_back(context, record)
    with context.control.transaction():
        cutovers.record(context.control, context.state, record.id, Phase.TAKEN_BACK, fence=None)
        entry = store.current(*context.of_source)
        if entry is not None and entry.stage is Stage.CUT_OVER:
            store.move(*context.of_source, Stage.FINALIZED, reason=f"cut-over {record.id} was taken back")


def write_as_before(context: CutOverContext) -> str | None:
    """Let a run write again what only a cut-over writes otherwise, if the last one was that of one.

    Returns why it could not: the next ordinary run does it then.
    """
    if not context.control.value(
        SQL["last_run_carries"].format(**context.state.names), {"source_id": context.source_id}
    ):
        return None
    migration, record = context.place.migration, context.last
    if record is not None and (names := names_of(record)) is not None:
        legacy, target = (
            replace(migration.legacy, schema=names.legacy),
            replace(migration.target, schema=names.target),
        )
        migration = replace(migration, legacy=legacy, target=target)
    tables = [asset for asset, spec in migration.specs.items() if CUT_OVER in spec.run_options]
    try:
        with migration.run(claimed=True) as run:
            run.load_all(tables)
    except RemoteIQError as error:
        return describe(error)
    return None


def names_of(record: CutOverRecord) -> SchemaNames | None:
    """The schemas of one database; None where there are two."""
    return None if record.schemas is None else SchemaNames.of_json(record.schemas)


def in_schema(session: Session, schema: str) -> Session:
    """The same session, for tables of another schema."""
    return Session(replace(session.database, schema=schema), session.connection, session.pid)


def with_rows(context: CutOverContext, record: CutOverRecord) -> dict[str, Any]:
    """The marks of a cut-over with the rows that both sides have: counted after the switch, as nobody waits any more."""
    names, migration = names_of(record), context.place.migration
    marks = {side: dict(found) for side, found in (record.marks or {}).items()}
    legacy = in_schema(context.admin, names.legacy_after if names else migration.legacy.schema)
    target = in_schema(context.control, names.target_after if names else migration.target.schema)
    for side, session in (("legacy", legacy), ("target", target)):
        if side in marks and not marks[side].get("rows"):
            marks[side]["rows"] = watch.count_rows(session, watch.tables_of(session), marks[side]["horizon"])
    return marks


def _give_fence_back(context: CutOverContext, record: CutOverRecord) -> None:
    """To the legacy tables under the name that their schema has before a switch, whatever the settings call it by now."""
    if record.fence is not None:
        names = names_of(record)
        admin = context.admin if names is None else in_schema(context.admin, names.legacy)
        fence.fence_of_record(record.fence, context.place.settings).give_back(admin, record.fence)


def _follow(context: CutOverContext, old: str, new: str) -> None:
    """What our state knows of the target's tables goes by the name of their schema."""
    statement = SQL["rename_schema"].format(**context.state.names)
    context.control.execute(statement, {"old": old, "new": new})


def _now(session: Session) -> datetime:
    found: datetime = session.value("SELECT clock_timestamp()")
    return found
