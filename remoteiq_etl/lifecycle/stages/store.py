"""Where the migration of a source stands, kept in the state schema: reading it, moving it, and working on it alone.

Belongs here: the rows of `stages`, `stage_history` and `stage_claims`. Does not belong here: which moves there are (see
stage), and when a command makes one (see moves).
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.errors import LockedError, StageError
from remoteiq_etl.lifecycle.stages.stage import COMMANDS, MOVES, NEEDS, Stage, word, words
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.locks import is_locked, taken
from remoteiq_etl.state.orders import actor
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


@dataclass(frozen=True)
class StageEntry:
    """One move: to which stage, from which, when, by whom (`actor`: user and host; `role`: of the session), and why.

    A stage of None: nothing is prepared. `run_id` is that of our run, None where no run did it.
    """

    stage: Stage | None
    came_from: Stage | None
    at: datetime
    actor: str | None
    role: str
    reason: str | None
    run_id: int | None
    details: Mapping[str, Any]

    def __str__(self) -> str:
        """When, by whom and why, in words."""
        why = f": {self.reason}" if self.reason else ""
        return f"since {_moment(self.at)}, by {self.actor or 'an upgrade'} (role {self.role}){why}"


@dataclass(frozen=True)
class StageClaim:
    """A command in work: which, by whom and since when."""

    command: str
    actor: str
    role: str
    at: datetime

    def __str__(self) -> str:
        """The claim in words."""
        return f"{self.command}, by {self.actor} (role {self.role}) since {_moment(self.at)}"


def current(session: Session, state: State, source_id: int) -> StageEntry | None:
    """Where the source stands; None when nothing was ever prepared. The state schema must be of this version."""
    rows = session.rows(SQL["current"].format(**state.names), {"source_id": source_id})
    return _entry(rows[0]) if rows and rows[0][0] is not None else None


def history(session: Session, state: State, source_id: int, limit: int = 20) -> list[StageEntry]:
    """The latest moves of the source, the last one first."""
    query = SQL["history"].format(**state.names)
    return [_entry(row) for row in session.rows(query, {"source_id": source_id, "limit": limit})]


def require(session: Session, state: State, source_id: int, command: str) -> Stage | None:
    """The stage of the source, after waiting for a move in work. Raises StageError when the command does not fit it."""
    with session.transaction():
        found = session.value(SQL["shared"].format(**state.names), {"source_id": source_id})
    stage = None if found is None else Stage(found)
    refuse_misfit(stage, command)
    return stage


def refuse_misfit(stage: Stage | None, command: str) -> None:
    """Raise StageError when a command does not fit a stage; the text says which it needs and what leads there."""
    if stage in NEEDS[command]:
        return
    needed = NEEDS[command]
    raise StageError(
        f"remoteiq-etl {command} needs a migration that is {words(needed)}; this one is {word(stage)}."
        f" {_way(stage, needed)} Nothing was changed."
    )


def move(
    session: Session,
    state: State,
    source_id: int,
    to: Stage | None,
    *,
    by: str | None = None,
    reason: str,
    run_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> StageEntry | None:
    """Move the source to a stage, in the transaction of the caller; returns where it stood before.

    `by`: user and host, by default those of this process. The row stays locked until the transaction ends, so that of two
    moves one sees the other. A run that wrote nothing enters again what was left for `loading`. Raises StageError, with
    the stage needed and the one found, when the move is none of MOVES; then the transaction can go on.
    """
    parameters = {"source_id": source_id}
    session.execute(SQL["present"].format(**state.names), parameters)
    stage, came_from = session.rows(SQL["locked"].format(**state.names), parameters)[0]
    before = current(session, state, source_id)
    _refuse_illegal(_stage(stage), _stage(came_from), to)
    values = {"stage": to, "came_from": stage, "actor": by or actor(), "reason": reason, "run_id": run_id}
    session.execute(
        SQL["move"].format(**state.names),
        {**parameters, **values, "details": Jsonb(dict(details)) if details else None},
    )
    session.execute(SQL["record"].format(**state.names), parameters)
    return before


def locked(session: Session, state: State, source_id: int) -> StageEntry | None:
    """Where the source stands, which nobody moves until the transaction of the caller ends."""
    session.execute(SQL["locked"].format(**state.names), {"source_id": source_id})
    return current(session, state, source_id)


@contextmanager
def claim(session: Session, state: State, source_id: int, command: str) -> Iterator[StageClaim]:
    """Work on the stage of a source alone, for as long as the context is open.

    The session must be in autocommit mode and outside of a transaction: others are to see who works. The lock goes with
    the session. Raises LockedError with the first one's name and start when somebody else does.
    """
    if not taken(session, claim_lock(source_id)):
        raise LockedError(_refusal(_claimed(session, state, source_id)))
    parameters = {"source_id": source_id, "command": command, "actor": actor()}
    session.execute(SQL["claim"].format(**state.names), parameters)
    mine = _claimed(session, state, source_id)
    if mine is None:
        raise LockedError(_refusal(None))
    try:
        yield mine
    finally:
        # Where the session is gone its lock is too, and what ended the work is the error that counts.
        with suppress(psycopg.OperationalError):
            session.connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [claim_lock(source_id)])


def claimed(session: Session, state: State, source_id: int) -> StageClaim | None:
    """The command that works on the stage of the source now; None when there is none."""
    return _claimed(session, state, source_id) if is_locked(session, claim_lock(source_id)) else None


def refuse_claimed(session: Session, state: State, source_id: int) -> None:
    """Let nothing begin while a command works on the stage of the source. Raises LockedError that names it."""
    if (found := claimed(session, state, source_id)) is not None:
        raise LockedError(_refusal(found))


def claim_lock(source_id: int) -> str:
    """The name of the lock that a command holds while it works on the stage of a source."""
    return f"remoteiq_etl/stage/{source_id}"


def source_of(session: Session, state: State, source: str) -> int | None:
    """The id of a source; None where the state schema knows none of this name."""
    find = sql.SQL("SELECT id FROM {} WHERE name = %s").format(state.name("sources"))
    found = session.value(find, [source])
    return None if found is None else int(found)


# --- texts ------------------------------------------------------------------------------------------------------------


def _refuse_illegal(stage: Stage | None, came_from: Stage | None, to: Stage | None) -> None:
    is_restored = stage is Stage.LOADING and to is not None and to == came_from
    if to in MOVES[stage] or is_restored:
        return
    needed = [start for start, ends in MOVES.items() if to in ends and start != to]
    raise StageError(
        f"a migration becomes {word(to)} when it is {words(needed)}; this one is {word(stage)}. {_way(stage, needed)}"
    )


def _way(stage: Stage | None, needed: Collection[Stage | None]) -> str:
    """The command that leads towards a stage that is needed."""
    places = [_place(one) for one in needed]
    if stage is Stage.CLEANED_UP:
        return "There is no way back from there."
    step = COMMANDS[stage]
    command = step.command if min(places) > _place(stage) else step.back
    return f"Next: {command}." if command else "There is no command for that."


def _place(stage: Stage | None) -> int:
    return list(MOVES).index(stage)


def _refusal(found: StageClaim | None) -> str:
    who = str(found) if found else "another command"
    return f"in work already: {who}. Nothing was changed. Wait until it has ended: remoteiq-etl status shows it."


def _claimed(session: Session, state: State, source_id: int) -> StageClaim | None:
    rows = session.objects(StageClaim, SQL["claimed"].format(**state.names), {"source_id": source_id})
    return rows[0] if rows else None


def _entry(row: tuple[Any, ...]) -> StageEntry:
    stage, came_from, at, by, role, reason, run_id, details = row
    return StageEntry(_stage(stage), _stage(came_from), at, by, role, reason, run_id, details or {})


def _stage(found: str | None) -> Stage | None:
    return None if found is None else Stage(found)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
