"""Which check an assignment means, by type and name: a defined one, else one that is synthesized for that key.

Belongs here: that, and the defined checks that take a synthesized one over. Does not belong here: what checks are called (see
given_names), or the form in which it is recorded (see check_decisions).
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assets.inventory.rules import spelling
from assets.monitoring.rules.check_names import UNATTRIBUTED, check_key, check_name
from assets.shared.recorded import too_many_deleted
from remoteiq_etl.frames.text import tidy
from remoteiq_etl.spec.decisions import SAME_AS, Decision, StoredDecisions

Row = Mapping[str, Any]
Ref = tuple[str, str]  # table ("checks" or "derived") and key of a check

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


def checks_meant(wanted: Iterable[str], checks: Sequence[Row], recorded: StoredDecisions) -> dict[str, Ref]:
    """The check of each key: ("checks", legacy id) or ("derived", key). A recorded one stays while it is there."""
    ids = {check["id"] for check in checks}
    earlier: dict[str, Ref] = {key: _means(decision) for key, decision in recorded.of("assignment").items()}
    gone = {key for key, (table, check) in earlier.items() if table == "checks" and check not in ids}
    lapsed = set() if too_many_deleted(len(gone), len(earlier)) else gone
    defined = {key: ("checks", check) for key, check in defined_by_key(checks).items()}
    kept = {key: ref for key, ref in earlier.items() if key not in lapsed}
    return {key: kept.get(key) or defined.get(key) or ("derived", key) for key in wanted}


def defined_by_key(checks: Sequence[Row]) -> dict[str, str]:
    """The legacy id of each defined check by natural key; of equal ones the oldest."""
    order = sorted(checks, key=age, reverse=True)
    return {check_key(check["type"], check["name"]): check["id"] for check in order}


def taking_synthesized_checks_over(
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


def age(check: Row) -> tuple[Any, ...]:
    """For sorting, the oldest first. A check without a time (one that is not carried is none) counts as the youngest."""
    return check["created_at"] is None, check["created_at"] or 0, check["id"]


def _means(decision: Decision) -> Ref:
    table, key = decision.values[SAME_AS]
    return table, key
