"""Which spelling of a name is used: the one used most often, and once chosen it stays while somebody uses it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping


def by_key(uses: Iterable[tuple[str | None, str | None, int]]) -> dict[str, Counter[str]]:
    """How often each spelling is used, by (key, spelling, uses); a key without spelling is there with no uses."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for key, spelling, number in uses:
        if key is not None:
            counts[key].update({spelling: number} if spelling is not None else {})
    return counts


def most_used(uses: Counter[str]) -> str | None:
    """The spelling used most often, of equally frequent ones the first alphabetically; None without any."""
    return min(uses, key=lambda spelling: (-uses[spelling], spelling)) if uses else None


def overruled(uses: Mapping[str, Counter[str]], names: Mapping[str, str]) -> list[str]:
    """The keys whose name would be spelt otherwise today."""
    return [key for key, name in names.items() if most_used(uses[key]) not in (None, name)]


def chosen(recorded: str | None, uses: Counter[str], fallback: str) -> str:
    """The recorded spelling while somebody uses it (or nobody spells the name at all), else the one used most."""
    if recorded is not None and (recorded in uses or not uses):
        return recorded
    return most_used(uses) or fallback
