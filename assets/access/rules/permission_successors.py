"""Whose row a permission key is: that of a legacy permission, of a word in role_meta, or of the catalogue.

One row per key stands in the target, and its key is all that names it. It goes to a legacy permission that comes later, and
back to the word when that one is gone. Belongs here: these decisions. Does not belong here: which of several legacy
permissions of one key wins (see permissions).
"""

from collections.abc import Collection, Iterator, Mapping

from assets.access.rules.maps import PERMISSION_OF_WORD
from assets.shared.seed import SEED, entries
from assets.shared.winners import WINNER
from remoteiq_etl.spec.decisions import TAKES_ROW_OF, Decision, StoredDecisions
from remoteiq_etl.spec.transform_context import Context

WINNERS = "permissions.key"
"""The name under which the winner of each key is recorded."""
TAKES_OVER, TAKEN, HAS_BACK, LAPSED = "takes_over_word", "taken_over", "has_row_back", "lapsed"


def taking_over_seeds(winner: Mapping[str, str], context: Context) -> list[Decision]:
    """Legacy permissions that came after the catalogue was written: they take the row of their key over."""
    seeds = set(context.lookup("permissions", SEED).keys.to_pylist())
    written = set(context.lookup("permissions", "permissions").keys.to_pylist())
    return [
        Decision("permissions", legacy_key, "takes_over_seed", {TAKES_ROW_OF: [SEED, key]}, key)
        for key, legacy_key in winner.items()
        if key in seeds and legacy_key not in written
    ]


def taking_over_words(winner: Mapping[str, str], recorded: StoredDecisions, context: Context) -> Iterator[Decision]:
    """Legacy permissions of keys that role_meta alone had known: they take the row over, once.

    One that has a row under its former key takes this one over when that row moves.
    """
    words, written = recorded.of("derived"), entries(context.lookup("permissions", "permissions"))
    made = set(context.lookup(*PERMISSION_OF_WORD).keys.to_pylist())
    for key, legacy_key in winner.items():
        if key in made and (key not in words or words[key].rule != TAKEN):
            if written.get(legacy_key, key) == key:
                yield Decision("permissions", legacy_key, TAKES_OVER, {TAKES_ROW_OF: ["derived", key]}, key)
            yield Decision("derived", key, TAKEN, {}, key)


def having_back(
    words: Collection[str], present: Collection[str], recorded: StoredDecisions, context: Context
) -> Iterator[Decision]:
    """Words whose legacy permission is gone have its row. What that one once took over counts no more, should it return.

    `present`: legacy permissions that stand for another key now; each takes its row along, and the word gets one of its own.
    """
    written = set(context.lookup("permissions", "permissions").keys.to_pylist())
    winners = {key: one for (name, key), one in recorded.former.items() if name == WINNERS} | recorded.of(WINNERS)
    for word in words:
        former = str(winners[word].values[WINNER]) if word in winners else ""
        if former in written and former not in present:
            yield Decision("derived", word, HAS_BACK, {TAKES_ROW_OF: ["permissions", former]}, word)
            yield Decision("permissions", former, LAPSED)
