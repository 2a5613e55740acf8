"""Whether the cut-over may begin: what each rule finds, what of it was accepted, and whether an approval holds for it.

An approval holds for what it saw. It is worked out anew each time somebody asks, in one snapshot of the target, and `approve`
writes it in the transaction of what it saw: nothing can move in between. Belongs here: that verdict, and the operations on
it. Does not belong here: single rules (see rules).
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from remoteiq_etl.errors import GateError, LockedError
from remoteiq_etl.gate import approvals, roles
from remoteiq_etl.gate.approvals import Acceptance, Approval, moment
from remoteiq_etl.gate.roles import OwnRequests, RoleRights
from remoteiq_etl.gate.rules import RULES, GateItem, GateRule, rule
from remoteiq_etl.gate.seen import Seen, moved, seen
from remoteiq_etl.gate.view import GateView, gate_view
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state.locks import is_locked, run_lock
from remoteiq_etl.state.orders import actor
from remoteiq_etl.state.schema import State
from schemas.application import PROFILES

_FEW = 5


@dataclass(frozen=True)
class RuleState:
    """What one rule finds. `open`: what nobody has accepted; `limit`: so many of them pass."""

    rule: GateRule
    open: tuple[GateItem, ...]
    accepted: tuple[tuple[GateItem, Acceptance], ...]
    limit: int

    @property
    def passes(self) -> bool:
        """Whether the rule lets the cut-over begin."""
        return len(self.open) <= self.limit

    @property
    def reason(self) -> str:
        """Why it stands as it does, in words."""
        more = f" and {len(self.open) - _FEW:,} more" if len(self.open) > _FEW else ""
        found = f"{len(self.open):,}: {'; '.join(map(str, self.open[:_FEW]))}{more}" if self.open else "nothing"
        within = f", within the limit of {self.limit:,}" if self.open and self.passes else ""
        return f"{found}{within}{f'; {len(self.accepted):,} accepted' if self.accepted else ''}"


@dataclass(frozen=True)
class GateState:
    """The gate as a whole. `approval`: the last one; `closed_by`: why it does not hold, empty where it does."""

    rules: tuple[RuleState, ...]
    approval: Approval | None
    closed_by: tuple[str, ...]
    seen: Seen

    @property
    def is_open(self) -> bool:
        """Whether the cut-over may begin."""
        return not self.closed_by

    @property
    def blocking(self) -> tuple[RuleState, ...]:
        """The rules that do not pass."""
        return tuple(one for one in self.rules if not one.passes)


@dataclass(frozen=True)
class GateOf:
    """The gate of a migration as its cut-over asks it."""

    migration: Migration

    def closed_by(self) -> Sequence[str]:
        """Why it is closed now; empty: it is open."""
        return status(self.migration).closed_by


def state(view: GateView) -> GateState:
    """The gate in the face of this view."""
    known = approvals.accepted(view)
    rules = tuple(_state(view, one, known) for one in RULES)
    found = {one.rule.title: sorted(map(str, (*one.open, *(item for item, _ in one.accepted)))) for one in rules}
    now, approval = seen(view, found), approvals.last(view)
    blocking = [f"{one.rule.title!r} is not so ({one.reason})" for one in rules if not one.passes]
    return GateState(rules, approval, (*blocking, *_void(view, approval, now)), now)


def status(migration: Migration) -> GateState:
    """The gate now. Nothing is written."""
    with _opened(migration) as view:
        return state(view)


def rights(migration: Migration) -> list[RoleRights]:
    """The roles that have other keys in the target than the legacy guard gave them."""
    with _opened(migration) as view:
        return list(roles.changed(view))


def own_requests(migration: Migration) -> list[OwnRequests]:
    """What legacy allowed to everyone, and which roles hold no key for it in the target."""
    with _opened(migration) as view:
        return roles.lack_own_keys(view, PROFILES[migration.settings.application.profile])


def accept(migration: Migration, name: str, items: Collection[str], reason: str, *, everything: bool) -> list[GateItem]:
    """Accept findings of a rule, those named or every one; returns which. Raises GateError for what it does not find."""
    with _opened(migration) as view:
        found = _acceptable(state(view), name)
        chosen = [item for item in found if everything or item.name in items]
        if unknown := sorted(set(items) - {item.name for item in chosen}):
            listed = ", ".join(item.name for item in found[:_FEW]) or "nothing"
            raise GateError(f"{name}: {', '.join(unknown)} is not open there; open is {listed}. Nothing was changed.")
        approvals.accept(view, name, chosen, reason)
        return chosen


def approve(migration: Migration, reason: str, until: datetime, *, needs_second: bool) -> GateState:
    """Approve what there is now, as the first or the second person; returns the gate afterwards.

    Raises GateError where a rule does not pass, `until` is over, or the same person approves twice; StageError before the
    migration is finalized; LockedError while a run or another command is in work.
    """
    with _alone(migration, "gate approve") as view:
        found = state(view)
        if found.blocking:
            names = ", ".join(one.rule.name for one in found.blocking)
            raise GateError(f"{names}: not so. remoteiq-etl gate status says what mends it. Nothing was approved.")
        if until <= view.now:
            raise GateError(f"until {moment(until)}: it is {moment(view.now)} already. Nothing was approved.")
        if _awaits_second(found, view):
            _second(view, found.approval)
        else:
            approvals.approve(view, found.seen, reason, until, needs_second=needs_second)
        return state(view)


def revoke(migration: Migration, reason: str) -> Approval:
    """Take the last approval back. Raises GateError where none stands."""
    with _opened(migration) as view:
        approval = approvals.last(view)
        if approval is None or approval.revoked_at is not None:
            raise GateError("nobody's approval stands: there is nothing to take back.")
        approvals.revoke(view, approval, reason)
        return approval


# --- approvals --------------------------------------------------------------------------------------------------------


def _void(view: GateView, approval: Approval | None, now: Seen) -> Iterator[str]:
    """Why an approval does not hold."""
    if approval is None:
        yield "nobody has approved"
    elif approval.revoked_at is not None:
        yield f"{approval.revoked_by} has taken the approval back: {approval.revoke_reason}"
    elif approval.until <= view.now:
        yield f"the approval ended at {moment(approval.until)}"
    else:
        yield from (f"since it was approved, {one}" for one in moved(approval.seen, now))
        if approval.needs_second and approval.second_at is None:
            yield "a second person has to approve, too"


def _awaits_second(found: GateState, view: GateView) -> bool:
    one = found.approval
    stands = one is not None and one.revoked_at is None and one.until > view.now and one.seen == found.seen
    return one is not None and stands and one.needs_second and one.second_at is None


def _second(view: GateView, approval: Approval | None) -> None:
    if approval is None or approval.actor == actor():
        raise GateError("the second person must be another one than the first. Nothing was approved.")
    approvals.add_second(view, approval)


# --- findings ---------------------------------------------------------------------------------------------------------


def _state(view: GateView, one: GateRule, known: Mapping[tuple[str, str, str], Acceptance]) -> RuleState:
    items = one.items(view)
    taken = [(item, known[key]) for item in items if (key := (one.name, item.name, item.detail)) in known]
    held = {item for item, _ in taken}
    return RuleState(one, tuple(item for item in items if item not in held), tuple(taken), one.limit(view))


def _acceptable(found: GateState, name: str) -> Sequence[GateItem]:
    can = [one.name for one in RULES if one.can_be_accepted]
    if name not in can:
        known = rule(name)
        what = f"{known.title}: that is mended, not accepted. {known.todo}" if known else f"there is no rule {name}."
        raise GateError(f"{what} Accepted can be what is found by {', '.join(can)}.")
    return next(one.open for one in found.rules if one.rule.name == name)


# --- views ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened(migration: Migration) -> Iterator[GateView]:
    with contextlib.closing(migration.target.connect()) as session, gate_view(migration, session) as view:
        yield view


@contextlib.contextmanager
def _alone(migration: Migration, command: str) -> Iterator[GateView]:
    """A view while nobody else works on the stage of the source and no run can begin."""
    with contextlib.closing(migration.target.connect()) as session:
        place = State(migration.target, migration.settings.state_schema)
        if not place.exists(session) or (found := store.source_of(session, place, migration.settings.source)) is None:
            raise GateError("no run of this source has begun yet in this target: there is nothing to approve.")
        with store.claim(session, place, found, command):
            store.require(session, place, found, command)
            _refuse_run(session, found)
            with gate_view(migration, session) as view:
                yield view


def _refuse_run(session: Session, source_id: int) -> None:
    if is_locked(session, run_lock(source_id)):
        raise LockedError("a run of the source is in work: wait for its end, then look at the gate again.")
