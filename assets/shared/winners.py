"""Winners: which row stands for several legacy rows of one normalised key. Decided once, then read from the map.

Belongs here: how such a choice is taken, joined and recorded. Does not belong here: what makes a row better than
another, or what becomes of the others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import TAKES_ROW_OF, Decision, StoredDecisions, Warned, warned
from remoteiq_etl.spec.transform_context import Context

GROUP = "_group"  # what the rows of one group have in common: a normalised name, an address
WINNER = "winner"
REDECIDED = "chosen_anew"


@dataclass(frozen=True)
class Winners:
    """Who won: `winner` by group, and for each other row (`losers`) the winner it gives way to."""

    winner: Mapping[str, str]
    losers: Mapping[str, str]
    decisions: list[Decision]
    warnings: list[Warned]


def decide_winners(
    rows: pd.DataFrame, recorded: StoredDecisions, name: str, rule: str, successors_of: str | None = None
) -> Winners:
    """The winner of each group of rows (KEY, GROUP; best first; a null group takes no part).

    A recorded winner stays while it is a member of its group; where another would win today, that is only told.
    The decisions are recorded under `name`, by group; it begins with the legacy table of the rows. `successors_of`: that table,
    where a winner that is chosen again takes the row over that the former one had.
    """
    members = [(group, key) for group, key in zip(rows[GROUP], rows[KEY], strict=True) if isinstance(group, str)]
    best = dict(reversed(members))
    present = set(members)
    kept = {
        group: decision
        for group, decision in recorded.of(name).items()
        if (group, decision.values.get(WINNER)) in present
    }
    winner = {**best, **{group: decision.values[WINNER] for group, decision in kept.items()}}
    overruled = [best[group] for group, key in winner.items() if best[group] != key]
    return Winners(
        winner=winner,
        losers={key: winner[group] for group, key in members if winner[group] != key},
        decisions=[
            *(kept.get(group) or Decision(name, group, rule, {WINNER: key}) for group, key in winner.items()),
            *(_successors(winner, recorded, name, successors_of) if successors_of else ()),
        ],
        warnings=warned("decided_otherwise_today", name.partition(".")[0], overruled),
    )


def _successors(winner: Mapping[str, str], recorded: StoredDecisions, name: str, table: str) -> Iterator[Decision]:
    for (named, group), former in recorded.former.items():
        if named == name and winner.get(group) not in (None, former.values[WINNER]):
            yield Decision(table, winner[group], REDECIDED, {TAKES_ROW_OF: [table, former.values[WINNER]]})


def recorded_winners(context: Context, entity: str, name: str, groups: pd.Series) -> pd.Series:
    """The winner of each group as the map of an entity records it under `name`; null where none is."""
    return context.lookup(entity, name).decided(groups, WINNER)


def winners_of(batch: Batch, losers: Mapping[str, str]) -> pd.Series:
    """For each row that lost the legacy key of its winner, else null."""
    return pd.Series([losers.get(key) for key in batch.keys], index=batch.keys.index, dtype=TEXT)
