"""What each check is called: names are unique within the organization, and given once.

Defined checks take theirs first, by age, then the synthesized ones; a name that is taken gets the type behind it. Belongs
here: that order. Does not belong here: the form of such a name (see check_names).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assets.inventory.rules import spelling
from assets.monitoring.rules.check_matches import Ref, Row, Wanted, age
from assets.monitoring.rules.check_names import NAMELESS, free_name
from remoteiq_etl.spec.decisions import Decision, StoredDecisions


@dataclass(frozen=True)
class NamedCheck:
    """A check and the name that it asks for."""

    ref: Ref
    name: str
    type: str | None


def names_wanted(checks: Sequence[Row], wanted: Mapping[str, Wanted], recorded: StoredDecisions) -> list[NamedCheck]:
    """The checks in the order in which they choose their names: defined ones by age, then synthesized ones."""
    defined = [NamedCheck(("checks", check["id"]), check["name"], check["type"]) for check in sorted(checks, key=age)]
    earlier = recorded.of("derived")
    synthesized = [
        NamedCheck(("derived", key), _spelling(earlier.get(key), one), one.type) for key, one in sorted(wanted.items())
    ]
    return [*defined, *synthesized]


def names_given(order: Sequence[NamedCheck], recorded: StoredDecisions, left: Iterable[Ref] = ()) -> dict[Ref, str]:
    """The name of each check. One that asks for the same as before keeps what it was given; then the order decides.

    `left`: checks that nothing in legacy asks for any more, but whose rows, and so their names, are still in the target.
    """
    names = names_kept(order, recorded)
    earlier = [decision for ref in left if (decision := recorded.get(*ref)) is not None]
    taken = {str(decision.values["name"]) for decision in earlier if "name" in decision.values} | set(names.values())
    for one in order:
        if one.ref not in names:
            names[one.ref] = free_name(one.name, one.type, taken)
            taken.add(names[one.ref])
    return names


def names_kept(order: Iterable[NamedCheck], recorded: StoredDecisions) -> dict[Ref, str]:
    """The names given by earlier runs to checks that still ask for the same."""
    kept: dict[Ref, str] = {}
    for one in order:
        given = recorded.get(*one.ref)
        if given is not None and given.values.get("of") == one.name:
            kept[one.ref] = str(given.values["name"])
    return kept


def _spelling(earlier: Decision | None, one: Wanted) -> str:
    return spelling.chosen(earlier.values.get("of") if earlier else None, one.names, NAMELESS)
