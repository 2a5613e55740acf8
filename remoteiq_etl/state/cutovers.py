"""The record of cut-overs: how far the last one of a source came, and what its fence must give back.

Belongs here: reading and writing that. What is taken is written before it is taken, so that a kill at any statement leaves
enough to undo it. Does not belong here: taking and giving back (remoteiq_etl.lifecycle.cutover).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.run_options import CUT_OVER
from remoteiq_etl.state.orders import actor
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


class Phase(StrEnum):
    """How far a cut-over has come."""

    BEGUN = "begun"
    FENCED = "fenced"
    SWITCHING = "switching"
    DONE = "done"
    FAILED = "failed"
    GOING_BACK = "going back"
    TAKEN_BACK = "taken back"


#: A cut-over that nobody is at work on is in one of these only where it was killed.
IN_WORK = frozenset({Phase.BEGUN, Phase.FENCED, Phase.SWITCHING, Phase.GOING_BACK})
#: Runs carry what the mapping does at the cut-over alone.
_CARRYING = frozenset({Phase.FENCED, Phase.SWITCHING, Phase.DONE})


@dataclass(frozen=True)
class CutOverRecord:
    """One cut-over. `fence`: its kind, and what was there before; None: nothing is taken. `schemas`: see lifecycle.cutover.switch."""

    id: int
    phase: Phase
    actor: str
    begun_at: datetime
    fence: Mapping[str, Any] | None
    fenced_at: datetime | None
    switched_at: datetime | None
    schemas: Mapping[str, Any] | None
    marks: Mapping[str, Any] | None
    seconds: Mapping[str, float] | None

    def __str__(self) -> str:
        """By whom and when, in words."""
        return f"cut-over {self.id}, begun by {self.actor} at {self.begun_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def last(session: Session, state: State, source_id: int) -> CutOverRecord | None:
    """The last cut-over of a source; None before the first."""
    rows = session.rows(SQL["last"].format(**state.names), {"source_id": source_id})
    if not rows:
        return None
    number, phase, *others = rows[0]
    return CutOverRecord(number, Phase(phase), *others)


def begin(session: Session, state: State, source_id: int, fence: Mapping[str, Any] | None) -> int:
    """Record that a cut-over begins, and what its fence will have to give back; returns its number."""
    values = {"source_id": source_id, "actor": actor(), "fence": None if fence is None else Jsonb(dict(fence))}
    return int(session.value(SQL["begin"].format(**state.names), values))


def record(session: Session, state: State, number: int, phase: Phase, **changes: Any) -> None:
    """Write how far a cut-over has come, and what else is known of it: columns of `cutovers` by name."""
    values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in changes.items()}
    if phase in (Phase.DONE, Phase.FAILED, Phase.TAKEN_BACK):
        values["ended_at"] = datetime.now(UTC)
    columns = ["phase", *values]
    assignments = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in columns)
    update = sql.SQL("UPDATE {} SET {} WHERE id = %s").format(state.name("cutovers"), assignments)
    session.execute(update, [phase, *values.values(), number])


def remembered_options(session: Session, state: State, source_id: int) -> dict[str, str]:
    """The options that every run of a source has from its cut-over on; none before it."""
    found = last(session, state, source_id)
    if found is None or found.phase not in _CARRYING or found.fenced_at is None:
        return {}
    return {CUT_OVER: found.fenced_at.astimezone(UTC).isoformat()}
