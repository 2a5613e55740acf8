"""Acceptances of single findings, and approvals of the cut-over as a whole, as they are kept in the state schema.

Belongs here: reading and writing them. Does not belong here: what they are worth now (see gate).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from remoteiq_etl.gate.rules import GateItem
from remoteiq_etl.gate.seen import Seen
from remoteiq_etl.gate.view import GateView
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.orders import actor

SQL = statements(__file__)


@dataclass(frozen=True)
class Acceptance:
    """One finding that somebody accepted: by whom, when, and why."""

    rule: str
    item: str
    detail: str
    reason: str
    actor: str
    accepted_at: datetime

    def __str__(self) -> str:
        """Who, when and why."""
        return f"accepted by {self.actor} at {moment(self.accepted_at)}: {self.reason}"


@dataclass(frozen=True)
class Approval:
    """One approval. `seen`: what it holds for; `until`: when it ends by itself."""

    id: int
    seen: Seen
    reason: str
    actor: str
    role: str
    approved_at: datetime
    until: datetime
    needs_second: bool
    second_actor: str | None
    second_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    revoke_reason: str | None

    def __str__(self) -> str:
        """Who, when, why and until when."""
        second = f", and by {self.second_actor} at {moment(self.second_at)}" if self.second_at else ""
        return (
            f"by {self.actor} (role {self.role}) at {moment(self.approved_at)}{second}, until {moment(self.until)}:"
            f" {self.reason}"
        )


def accepted(view: GateView) -> Mapping[tuple[str, str, str], Acceptance]:
    """What was accepted, by rule, item and what was said of it."""
    rows = view.session.objects(
        Acceptance, SQL["acceptances"].format(**view.state.names), {"source_id": view.source_id}
    )
    return {(one.rule, one.item, one.detail): one for one in rows}


def accept(view: GateView, rule: str, items: Iterable[GateItem], reason: str) -> None:
    """Keep that these findings of a rule are accepted as they are now."""
    for item in items:
        _write(view, "accept", rule=rule, item=item.name, detail=item.detail, reason=reason)


def last(view: GateView) -> Approval | None:
    """The last approval, whatever became of it; None where nobody ever approved."""
    rows = view.session.objects(Approval, SQL["last"].format(**view.state.names), {"source_id": view.source_id})
    return rows[0] if rows else None


def approve(view: GateView, seen: Seen, reason: str, until: datetime, *, needs_second: bool) -> None:
    """Keep an approval of what was seen."""
    _write(view, "approve", seen=Jsonb(dict(seen)), reason=reason, until=until, needs_second=needs_second)


def add_second(view: GateView, approval: Approval) -> None:
    """Keep that a second person approved the same."""
    _write(view, "second", id=approval.id)


def revoke(view: GateView, approval: Approval, reason: str) -> None:
    """Keep that an approval was taken back."""
    _write(view, "revoke", id=approval.id, reason=reason)


def moment(at: datetime | None) -> str:
    """A moment in words, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "never"


def _write(view: GateView, name: str, **values: Any) -> None:
    view.session.execute(
        SQL[name].format(**view.state.names), {"source_id": view.source_id, "actor": actor(), **values}
    )
