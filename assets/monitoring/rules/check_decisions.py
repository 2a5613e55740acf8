"""What is decided about checks before the first is written: which one an assignment means, and what each is called.

Belongs here: that, in the form in which it is recorded. Does not belong here: target columns (see checks).
"""

import json
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from assets.inventory.rules import spelling
from assets.monitoring.rules.check_names import NAMELESS, UNATTRIBUTED, check_key, check_name, free_name
from assets.shared.recorded import too_many_gone
from remoteiq_etl.frames.text import tidy
from remoteiq_etl.spec.decisions import SAME_AS, TAKES_ROW_OF, Decision, StoredDecisions, Warned, warned

Row = Mapping[str, Any]
Ref = tuple[str, str]  # table ("checks" or "derived") and key of a check

MATCHED, SYNTHESIZED, TAKES_OVER, LAPSED, NAME = "matched", "synthesized", "takes_over", "lapsed", "name"
TAKEN = "taken"  # value of a decision: natural key of the synthesized check that was taken over


@dataclass
class Wanted:
    """A check that assignments mean: how they spell its type and its name."""

    types: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)

    @property
    def type(self) -> str | None:
        """The spelling of its type used most often; None for the null type."""
        return spelling.most_used(self.types)


@dataclass(frozen=True)
class NamedCheck:
    """A check and the name that it asks for."""

    ref: Ref
    name: str
    type: str | None


@dataclass(frozen=True)
class CheckPlan:
    """What is decided about all checks of a source.

    `found`: the check that each natural key means; `over`: defined checks (→ natural key) that take over a synthesized
    one; `made`: the synthesized checks that get a row; `order` and `names`: what they ask for and are given.
    """

    checks: Sequence[Row]
    found: Mapping[str, Ref]
    over: Mapping[str, str]
    made: Mapping[str, Wanted]
    order: list[NamedCheck]
    names: Mapping[Ref, str]


def planned(
    checks: Sequence[Row], wanted: Mapping[str, Wanted], recorded: StoredDecisions, mapped: Set[Ref]
) -> CheckPlan:
    """Decide about all checks. `mapped`: the checks that earlier runs wrote."""
    found = matched(wanted, checks, recorded)
    over = taking_over(checks, found, recorded, mapped)
    made = {key: wanted[key] for key, ref in found.items() if ref[0] == "derived" and key not in over.values()}
    order = names_wanted(checks, made, recorded)
    left = mapped - {one.ref for one in order} - {("derived", key) for key in over.values()}
    return CheckPlan(checks, found, over, made, order, names_given(order, recorded, left))


def decided(plan: CheckPlan, ids: Mapping[Ref, str], recorded: StoredDecisions) -> list[Decision]:
    """The decisions of a plan, and those of earlier runs that it says nothing about."""
    lapsed = _lapsed(plan, recorded)
    successors = {str(decision.values[TAKEN]): check for check, decision in lapsed.items()}
    fresh = [
        *lapsed.values(),
        *_stepped_back(plan, recorded),
        *(_of_assignments(key, ref, plan, ids, recorded.get("assignment", key)) for key, ref in plan.found.items()),
        *(_of_check(one, plan, ids, successors) for one in plan.order),
    ]
    return list({**recorded.decisions, **{(one.legacy_table, one.legacy_key): one for one in fresh}}.values())


def _lapsed(plan: CheckPlan, recorded: StoredDecisions) -> dict[str, Decision]:
    """The checks that had taken over a synthesized one and are gone from legacy: that one has its row back."""
    return {
        check: Decision("checks", check, LAPSED, {TAKEN: decision.values[TAKEN]}, decision.new_key)
        for check, decision in recorded.of("checks").items()
        if TAKEN in decision.values and check not in plan.over
    }


def _stepped_back(plan: CheckPlan, recorded: StoredDecisions) -> list[Decision]:
    """The synthesized checks that are taken over: what they once inherited counts no more."""
    earlier = [decision for key in plan.over.values() if (decision := recorded.get("derived", key)) is not None]
    return [replace(one, values={k: v for k, v in one.values.items() if k != TAKES_ROW_OF}) for one in earlier]


def _of_assignments(key: str, ref: Ref, plan: CheckPlan, ids: Mapping[Ref, str], earlier: Decision | None) -> Decision:
    successor = {over: check for check, over in plan.over.items()}.get(key)
    check = ref[1] if ref[0] == "checks" else successor
    values = {SAME_AS: list(ref)} | ({"check": check} if check else {})
    new_key = ids.get(ref) or (earlier.new_key if earlier else None)
    return Decision("assignment", key, MATCHED if ref[0] == "checks" else SYNTHESIZED, values, new_key)


def _of_check(one: NamedCheck, plan: CheckPlan, ids: Mapping[Ref, str], successors: Mapping[str, str]) -> Decision:
    values: dict[str, Any] = {"name": plan.names[one.ref], "of": one.name}
    table, key = one.ref
    if table == "checks" and key in plan.over:
        taken = {TAKEN: plan.over[key], TAKES_ROW_OF: ["derived", plan.over[key]]}
        return Decision(table, key, TAKES_OVER, values | taken, ids[one.ref])
    if table == "derived" and key in successors:
        values[TAKES_ROW_OF] = ["checks", successors[key]]
    return Decision(table, key, NAME if table == "checks" else SYNTHESIZED, values)


def warnings_of(plan: CheckPlan) -> list[Warned]:
    """What is reported: checks made up and taken over, names that were taken, matches that would be others today."""
    today = defined_by_key(plan.checks)
    others = [key for key, ref in plan.found.items() if key in today and ref != ("checks", today[key])]
    return [
        *warned("check_synthesized", "derived", plan.made),
        *warned("check_taken_over", "checks", plan.over),
        *(Warned("check_name_taken", *one.ref) for one in plan.order if plan.names[one.ref] != one.name),
        *warned("check_match_would_change", "assignment", [key for key in others if plan.over.get(today[key]) != key]),
    ]


def wanted_checks(pairs: Iterable[Row]) -> dict[str, Wanted]:
    """The checks that assignments mean, by natural key, from (check_type, check_name, uses)."""
    wanted: dict[str, Wanted] = {}
    for row in pairs:
        one = wanted.setdefault(check_key(row["check_type"], row["check_name"]), Wanted())
        one.names[check_name(row["check_type"], row["check_name"])] += row["uses"]
        if tidy(row["check_type"]):
            one.types[str(tidy(row["check_type"]))] += row["uses"]
    return wanted


def unattributed() -> Wanted:
    """The check of runs that no assignment claims."""
    return Wanted(names=Counter({UNATTRIBUTED: 1}))


def matched(wanted: Iterable[str], checks: Sequence[Row], recorded: StoredDecisions) -> dict[str, Ref]:
    """The check of each key: ("checks", legacy id) or ("derived", key). A recorded one stays while it is there."""
    ids = {check["id"] for check in checks}
    earlier: dict[str, Ref] = {key: _means(decision) for key, decision in recorded.of("assignment").items()}
    gone = {key for key, (table, check) in earlier.items() if table == "checks" and check not in ids}
    lapsed = set() if too_many_gone(len(gone), len(earlier)) else gone
    defined = {key: ("checks", check) for key, check in defined_by_key(checks).items()}
    kept = {key: ref for key, ref in earlier.items() if key not in lapsed}
    return {key: kept.get(key) or defined.get(key) or ("derived", key) for key in wanted}


def _means(decision: Decision) -> Ref:
    table, key = decision.values[SAME_AS]
    return table, key


def defined_by_key(checks: Sequence[Row]) -> dict[str, str]:
    """The legacy id of each defined check by natural key; of equal ones the oldest."""
    order = sorted(checks, key=_age, reverse=True)
    return {check_key(check["type"], check["name"]): check["id"] for check in order}


def taking_over(
    checks: Sequence[Row], found: Mapping[str, Ref], recorded: StoredDecisions, mapped: Container[Ref]
) -> dict[str, str]:
    """The defined checks (→ natural key) that take over a synthesized one: recorded ones, and new equal ones."""
    ids, written = {check["id"] for check in checks}, recorded.of("derived")
    earlier = {
        check: str(decision.values[TAKEN])
        for check, decision in recorded.of("checks").items()
        if TAKEN in decision.values and check in ids
    }
    new = {
        check: key
        for key, check in defined_by_key(checks).items()
        if key in written and found.get(key, ("derived", key)) == ("derived", key) and ("checks", check) not in mapped
    }
    return {check: key for check, key in new.items() if key not in earlier.values()} | earlier


def names_wanted(checks: Sequence[Row], wanted: Mapping[str, Wanted], recorded: StoredDecisions) -> list[NamedCheck]:
    """The checks in the order in which they choose their names: defined ones by age, then synthesized ones."""
    defined = [NamedCheck(("checks", check["id"]), check["name"], check["type"]) for check in sorted(checks, key=_age)]
    earlier = recorded.of("derived")
    synthesized = [
        NamedCheck(("derived", key), _spelling(earlier.get(key), one), one.type) for key, one in sorted(wanted.items())
    ]
    return [*defined, *synthesized]


def names_given(order: list[NamedCheck], recorded: StoredDecisions, left: Iterable[Ref] = ()) -> dict[Ref, str]:
    """The name of each check. One that asks for the same as before keeps what it was given; then the order decides.

    `left`: checks that nothing in legacy asks for any more, but whose rows, and so their names, are still in the target.
    """
    kept: dict[Ref, str] = {}
    for one in order:
        given = recorded.get(*one.ref)
        if given is not None and given.values.get("of") == one.name:
            kept[one.ref] = str(given.values["name"])
    names = dict(kept)
    earlier = [decision for ref in left if (decision := recorded.get(*ref)) is not None]
    taken = {str(decision.values["name"]) for decision in earlier if "name" in decision.values} | set(kept.values())
    for one in order:
        if one.ref not in kept:
            names[one.ref] = free_name(one.name, one.type, taken)
            taken.add(names[one.ref])
    return names


def id_parts(key: str) -> tuple[str, str]:
    """Type and name of a natural key."""
    check_type, name = json.loads(key)
    return check_type, name


def _spelling(earlier: Decision | None, one: Wanted) -> str:
    return spelling.chosen(earlier.values.get("of") if earlier else None, one.names, NAMELESS)


def _age(check: Row) -> tuple[Any, ...]:
    """A check without a time (an infinite one is none) counts as the youngest."""
    return check["created_at"] is None, check["created_at"] or 0, check["id"]
