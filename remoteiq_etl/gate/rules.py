"""The rules of the gate: what each asks for, what it finds, and what to do about it.

Belongs here: the rules as data, and their look at both databases. Does not belong here: acceptances and approvals (see
approvals), and what is said of a gate as a whole (see gate).
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from remoteiq_etl.gate import roles
from remoteiq_etl.gate.seen import catalogue, code_of, shape
from remoteiq_etl.gate.view import GateView
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.stage import Stage, word
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.verify.checks.unmanaged import unmanaged_rows
from remoteiq_etl.verify.coverage import Coverage
from remoteiq_etl.verify.incremental.freshness import Freshness, freshness

SQL = statements(__file__)


@dataclass(frozen=True, order=True)
class GateItem:
    """One thing that a rule finds: the name to accept it by, and what is said of it."""

    name: str
    detail: str

    def __str__(self) -> str:
        """The item in words."""
        return f"{self.name}: {self.detail}" if self.detail else self.name


@dataclass(frozen=True)
class GateRule:
    """One rule. `find` gives names and details; `todo`: what mends them. `limit`: so many items need no acceptance."""

    name: str
    title: str
    todo: str
    find: Callable[[GateView], Iterable[tuple[str, str]]]
    can_be_accepted: bool = False
    limit: Callable[[GateView], int] = lambda _: 0

    def items(self, view: GateView) -> tuple[GateItem, ...]:
        """What stands in the way, in order."""
        return tuple(GateItem(name, detail) for name, detail in self.find(view))


def _stage(view: GateView) -> Iterator[tuple[str, str]]:
    entry = store.current(view.session, view.state, view.source_id)
    stage = None if entry is None else entry.stage
    if stage is not Stage.FINALIZED:
        yield "the migration", f"is {word(stage)}, not {word(Stage.FINALIZED)}"


def _loaded(view: GateView) -> Iterator[tuple[str, str]]:
    coverage = Coverage.read(view.session, view.state, view.source_id)
    specs = view.live_specs()
    yield from sorted({**coverage.outdated(view.plan, specs), **coverage.gaps(view.plan.specs)}.items())


def _verified(view: GateView) -> Iterator[tuple[str, str]]:
    """What legacy has written since, the final re-sync of the cut-over reads, and its verification compares."""
    for one in freshness(view.session, view.state, view.source_id, view.declared):
        if one.freshness is not Freshness.VERIFIED and not one.by_legacy:
            yield one.table, f"{one.freshness}{f': {one.why}' if one.why else ''}"


def _bugs(view: GateView) -> Iterator[tuple[str, str]]:
    for one in freshness(view.session, view.state, view.source_id, view.declared):
        if one.bugs:
            yield one.table, f"{one.bugs:,} differences that nothing explains"


def _legacy_drift(view: GateView) -> Iterator[tuple[str, str]]:
    yield from ((drift.where, str(drift.kind).replace("_", " ")) for drift in view.drift.blocking)


def _rehearsed(view: GateView) -> Iterator[tuple[str, str]]:
    found = view.ask(SQL["rehearsal"])
    if not found:
        yield "the rehearsal", "there is none"
        return
    number, verdict, code, legacy, target, _, ended_at = found[0]
    name = f"rehearsal {number}"
    if verdict != "passed":
        yield name, "failed"
    if view.now - ended_at > timedelta(days=view.limits.rehearsal_days):
        yield name, f"is older than {view.limits.rehearsal_days} days"
    if code != code_of(view.plan.specs):
        yield name, "was of another version of this program"
    if legacy != catalogue(view.legacy, view.plan.legacy.schema):
        yield name, "was of another legacy schema: it has changed since"
    if target != shape(view.session, view.plan.target.schema):
        yield name, "was of another target schema: its tables have changed since"


def _unmanaged_grants(view: GateView) -> Iterator[tuple[str, str]]:
    """Rows of the target as it is now that no run of ours wrote, and that give a row of ours more."""
    for spec in view.plan.specs.values():
        if spec.grants_to is not None and view.state.has_map(view.session, spec.name):
            rows = unmanaged_rows(view.session, view.state, view.plan.target, spec)
            for key, grants in rows:
                if grants and json.loads(key)[-1] not in view.granted_keys:
                    yield f"{spec.name} {key}", "no run of ours granted it"


def _stated(name: str) -> Callable[[GateView], list[tuple[str, str]]]:
    def rows(view: GateView) -> list[tuple[str, str]]:
        return [(str(key), str(detail or "")) for key, detail in view.ask(SQL[name])]

    return rows


RULES = (
    GateRule("stage", "The migration is finalized", "remoteiq-etl status says what is missing.", _stage),
    GateRule("tables", "Every table is loaded by this version", "remoteiq-etl run", _loaded),
    GateRule(
        "schema_parts",
        "Every foreign key and index is there and valid",
        "remoteiq-etl finalize",
        _stated("schema_parts"),
    ),
    GateRule("verdicts", "Every table is verified, and no run has written since", "remoteiq-etl verify", _verified),
    GateRule("bugs", "No difference is unexplained", "remoteiq-etl verify says which rows differ.", _bugs),
    GateRule(
        "conflicts",
        "No conflict is open",
        "remoteiq-etl conflicts list, conflicts resolve, and run.",
        _stated("conflicts"),
    ),
    GateRule(
        "quarantined_rows",
        "Quarantined rows are mended or accepted",
        "remoteiq-etl quarantine list; mend them in legacy, or accept them: quarantine ignore.",
        _stated("quarantined_rows"),
        limit=lambda view: view.limits.quarantined_rows,
    ),
    GateRule(
        "held_rows",
        "No row waits for a parent",
        "They follow their parents; or accept them.",
        _stated("held_rows"),
        can_be_accepted=True,
        limit=lambda view: view.limits.held_rows,
    ),
    GateRule("legacy_drift", "The legacy schema is as expected", "remoteiq-etl doctor", _legacy_drift),
    GateRule(
        "rehearsal", "A fresh rehearsal of this code and these schemas passed", "remoteiq-etl rehearse", _rehearsed
    ),
    GateRule(
        "role_gains",
        "Every role that may do more than the legacy guard let it is accepted by name",
        "Look at each, and accept it.",
        roles.gains,
        can_be_accepted=True,
    ),
    GateRule(
        "unmanaged_grants",
        "Every grant and role link that somebody else gave a migrated role or user is accepted",
        "Take it away in the new application, or accept it.",
        _unmanaged_grants,
        can_be_accepted=True,
    ),
    GateRule(
        "agents_to_enrol",
        "Agents that must enrol again are known",
        "Plan their enrolment, and accept them.",
        _stated("agents_to_enrol"),
        can_be_accepted=True,
    ),
    GateRule(
        "accounts_to_merge",
        "Accounts of one address are merged, or accepted as they are",
        "Decide in legacy which of them stays, or accept that the person uses the other one.",
        _stated("accounts_to_merge"),
        can_be_accepted=True,
    ),
)
"""In the order in which they are shown and mended."""


def rule(name: str) -> GateRule | None:
    """The rule of this name."""
    return next((one for one in RULES if one.name == name), None)
