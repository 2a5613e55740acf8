"""The number of a ticket in the new system: given once.

Both systems number by max + 1, so equal numbers are different tickets. Belongs here: who keeps a number and who gets
the next free one. Does not belong here: the tickets themselves.
"""

from collections.abc import Iterator, Mapping, Set
from itertools import count

import pandas as pd

from remoteiq_etl.spec.decisions import SAME_AS, Decision

KEPT = "number_kept"
DUPLICATE = "number_duplicate"
TAKEN = "number_taken"
HIGHEST = 2**63 - 1
"""What a bigint holds."""


def numbered(
    tickets: pd.DataFrame, recorded: Mapping[str, Decision], in_target: Set[int], written: Set[str]
) -> list[Decision]:
    """One decision per ticket; `tickets` (id, number) in order of time, the earliest first.

    `in_target` are the numbers that the target organization uses now, `written` the legacy ids of tickets that have
    their row there. A recorded number stands, unless a ticket of the target took it before ours was ever written.
    """
    standing = {
        key: choice
        for key, choice in recorded.items()
        if key in written or choice.values["ticket_number"] not in in_target
    }
    taken = in_target | {choice.values["ticket_number"] for choice in standing.values()}
    following = free_numbers({*taken, *tickets["number"].to_list()})
    first = set(tickets.drop_duplicates("number")["id"])
    decisions = list(standing.values())
    for key, number in zip(tickets["id"], tickets["number"], strict=True):
        if key not in standing:
            decisions.append(decision(key, int(number), key in first, taken, following))
    return decisions


def free_numbers(used: Set[int]) -> Iterator[int]:
    """Numbers for tickets that get another one: those above the highest, as both systems count; then the lowest free ones."""
    yield from range(max(used, default=0) + 1, HIGHEST + 1)
    yield from (number for number in count(1) if number not in used)


def decision(key: str, number: int, is_first: bool, taken: Set[int], following: Iterator[int]) -> Decision:
    """The number of one ticket: its own when that is free, and no earlier ticket has the same."""
    if is_first and number not in taken:
        return Decision("tickets", key, KEPT, {"ticket_number": number, "legacy_number": number})
    rule = TAKEN if is_first else DUPLICATE
    return Decision("tickets", key, rule, {"ticket_number": next(following), "legacy_number": number})


def references(tickets: pd.DataFrame, recorded: Mapping[str, Decision]) -> list[Decision]:
    """Which ticket `[TICKET:#n]` means: of those numbered n the earliest. Decided again when that one is gone."""
    present = set(tickets["id"])
    found = {number: choice for number, choice in recorded.items() if choice.values[SAME_AS][1] in present}
    first = tickets.drop_duplicates("number")
    for number, key in zip(first["number"], first["id"], strict=True):
        found.setdefault(str(number), Decision("number", str(number), "legacy_number", {SAME_AS: ["tickets", key]}))
    return list(found.values())
