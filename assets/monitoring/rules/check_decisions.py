"""What is decided about checks before the first is written, in the form in which it is recorded.

One function for each rule: the check of an assignment, the name of a check, the synthesized check that a defined one takes
over and gives back. Belongs here: that, and what is reported of it. Does not belong here: how it is worked out (see
check_matches and given_names), and target columns (see checks).
"""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from assets.monitoring.rules.check_matches import (
    TAKEN,
    Ref,
    Row,
    Wanted,
    checks_meant,
    defined_by_key,
    taking_synthesized_checks_over,
)
from assets.monitoring.rules.given_names import NamedCheck, names_given, names_wanted
from assets.monitoring.rules.maps import SYNTHESIZED_CHECKS
from remoteiq_etl.frames.dtypes import TEXT, by_distinct, to_arrow
from remoteiq_etl.spec.decisions import SAME_AS, TAKES_ROW_OF, Decision, StoredDecisions, Warned, warned
from remoteiq_etl.spec.transform_context import Context

MATCHED, SYNTHESIZED, TAKES_OVER, LAPSED, NAME = "matched", "synthesized", "takes_over", "lapsed", "name"


@dataclass(frozen=True)
class CheckPlan:
    """What is decided about all checks of a source."""

    #: The defined checks.
    checks: Sequence[Row]
    #: The check that each natural key means.
    found: Mapping[str, Ref]
    #: The defined checks (→ natural key) that take over a synthesized one.
    over: Mapping[str, str]
    #: The synthesized checks that get a row.
    made: Mapping[str, Wanted]
    #: What they ask to be called, in the order in which they are asked …
    order: Sequence[NamedCheck]
    #: … and what they are called.
    names: Mapping[Ref, str]


def planned(
    checks: Sequence[Row], wanted: Mapping[str, Wanted], recorded: StoredDecisions, mapped: Set[Ref]
) -> CheckPlan:
    """Decide about all checks. `mapped`: the checks that earlier runs wrote."""
    found = checks_meant(wanted, checks, recorded)
    over = taking_synthesized_checks_over(checks, found, recorded, mapped)
    made = {key: wanted[key] for key, ref in found.items() if ref[0] == "derived" and key not in over.values()}
    order = names_wanted(checks, made, recorded)
    left = mapped - {one.ref for one in order} - {("derived", key) for key in over.values()}
    return CheckPlan(checks, found, over, made, order, names_given(order, recorded, left))


def expected_ids(plan: CheckPlan, context: Context) -> dict[Ref, str]:
    """The id of each check as it is expected: given before, taken over, kept or derived."""
    keys = pd.Series(sorted({*plan.found, *plan.over.values()}), dtype=TEXT)
    derived = context.lookup(*SYNTHESIZED_CHECKS).find(keys).fillna(ids_of_synthesized(keys, context))
    ids: dict[Ref, str] = {("derived", key): new for key, new in zip(keys, derived, strict=True)}
    checks = pd.Series([check["id"] for check in plan.checks], dtype=TEXT)
    own = context.kept_or_derived("checks", "checks", checks)
    given = context.lookup("checks").find(checks)
    for key, before, new in zip(checks, to_arrow(given).to_pylist(), own, strict=True):
        ids["checks", key] = before or (ids["derived", plan.over[key]] if key in plan.over else new)
    return ids


def ids_of_synthesized(keys: pd.Series, context: Context) -> pd.Series:
    """The id derived from each natural key."""
    return by_distinct(keys, lambda key: context.derive("checks", "derived", *json.loads(key)))


def decisions_of(plan: CheckPlan, ids: Mapping[Ref, str], recorded: StoredDecisions) -> list[Decision]:
    """The decisions of a plan, and those of earlier runs that it says nothing about."""
    given_back = synthesized_checks_given_back(plan, recorded)
    had_by = {str(decision.values[TAKEN]): check for check, decision in given_back.items()}
    fresh = [
        *given_back.values(),
        *synthesized_checks_taken_over(plan, recorded),
        *(check_of_assignment(key, ref, plan, ids, recorded.get("assignment", key)) for key, ref in plan.found.items()),
        *(name_of_check(one, plan, ids, had_by) for one in plan.order),
    ]
    return list({**recorded.decisions, **{(one.legacy_table, one.legacy_key): one for one in fresh}}.values())


def check_of_assignment(
    key: str, ref: Ref, plan: CheckPlan, ids: Mapping[Ref, str], earlier: Decision | None
) -> Decision:
    """The check that an assignment of this type and name means; a defined one is named, also where it takes one over."""
    taking_over = {over: check for check, over in plan.over.items()}.get(key)
    check = ref[1] if ref[0] == "checks" else taking_over
    values = {SAME_AS: list(ref)} | ({"check": check} if check else {})
    new_key = ids.get(ref) or (earlier.new_key if earlier else None)
    return Decision("assignment", key, MATCHED if ref[0] == "checks" else SYNTHESIZED, values, new_key)


def name_of_check(one: NamedCheck, plan: CheckPlan, ids: Mapping[Ref, str], had_by: Mapping[str, str]) -> Decision:
    """What a check is called, and whose row it has where that is not its own."""
    values: dict[str, Any] = {"name": plan.names[one.ref], "of": one.name}
    table, key = one.ref
    if table == "checks" and key in plan.over:
        taken = {TAKEN: plan.over[key], TAKES_ROW_OF: ["derived", plan.over[key]]}
        return Decision(table, key, TAKES_OVER, values | taken, ids[one.ref])
    if table == "derived" and key in had_by:
        values[TAKES_ROW_OF] = ["checks", had_by[key]]
    return Decision(table, key, NAME if table == "checks" else SYNTHESIZED, values)


def synthesized_checks_taken_over(plan: CheckPlan, recorded: StoredDecisions) -> list[Decision]:
    """The synthesized checks that a defined one takes over: what they once inherited counts no more."""
    earlier = [decision for key in plan.over.values() if (decision := recorded.get("derived", key)) is not None]
    return [replace(one, values={k: v for k, v in one.values.items() if k != TAKES_ROW_OF}) for one in earlier]


def synthesized_checks_given_back(plan: CheckPlan, recorded: StoredDecisions) -> dict[str, Decision]:
    """The defined checks that had taken over a synthesized one and are gone from legacy: that one has its row back."""
    return {
        check: Decision("checks", check, LAPSED, {TAKEN: decision.values[TAKEN]}, decision.new_key)
        for check, decision in recorded.of("checks").items()
        if TAKEN in decision.values and check not in plan.over
    }


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
