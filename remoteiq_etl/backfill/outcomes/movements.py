"""The book of movements: each change of the number of rows that are ours, written in the transaction that makes it.

What it adds up to is how many live keys a map must have; a verification recomputes that. Belongs here: writing it. Does not
belong here: the statements that move rows, and reading it (see remoteiq_etl.verify.checks.conservation).
"""

from enum import StrEnum

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


class Cause(StrEnum):
    """Why a key became live, or ceased to be."""

    OPENING = "opening"
    INSERTED = "inserted"
    RECREATED = "recreated"
    ADOPTED = "adopted"
    FOUND_AGAIN = "found again"
    DELETED = "deleted in target"
    MERGED = "merged away"
    GONE = "gone from legacy"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"
    UNDONE = "undone"
    RESTORED = "restored"
    CARRIED_BACK = "carried back"


def of_run(run: RunContext, table: str, cause: Cause, change: int) -> None:
    """Record by how much a run changed the number of live keys of a target table. Needs the transaction that did."""
    _write(run.session, run.state, [run.source_record.id, table, run.id, None], cause, change)


def of_batch(run: RunContext, spec: TableSpec) -> None:
    """Record what the batch that was just merged has moved, as its plan says (see Merge.classify)."""
    run.session.execute(SQL["movements_of_plan"].format(**run.names(spec)))


def of_undo(
    session: Session, state: State, source_id: int, undo_id: int, table: str, cause: Cause, change: int
) -> None:
    """The same of an undo."""
    _write(session, state, [source_id, table, None, undo_id], cause, change)


def of_fall_back(session: Session, state: State, source_id: int, table: str, change: int) -> None:
    """The same of a fall-back: keys of rows that it carried to legacy, or deleted there."""
    _write(session, state, [source_id, table, None, None], Cause.CARRIED_BACK, change)


def _write(session: Session, state: State, place: list[int | str | None], cause: Cause, change: int) -> None:
    """`place`: source, target table, run and undo."""
    if change:
        insert = SQL["movement"].format(**state.names)
        session.execute(insert, [*place, cause.value, abs(change), change])
