"""Which roles may do more in the target than the legacy guard let them.

The guard took role_meta.permissions where that is not empty, and role_permissions otherwise. Belongs here: that comparison,
both sides read as they are now. Does not belong here: who accepts a gain.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from remoteiq_etl.gate.view import GateView
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)
_TABLES = ("roles", "role_permissions", "permissions", "role_meta")


def gains(view: GateView) -> Iterator[tuple[str, str]]:
    """One pair per role that gains: its legacy name, and the keys that the guard did not give it."""
    granted: defaultdict[str, set[str]] = defaultdict(set)
    for legacy_key, key in view.ask(SQL["held_in_target"]):
        granted[legacy_key].add(key)
    tables = {name: view.plan.legacy.table(name) for name in _TABLES}
    for role_id, name, rows, meta in view.legacy.rows(SQL["held_in_legacy"].format(**tables)):
        gained = granted[role_id] - guarded(rows, meta)
        if gained:
            yield name, ", ".join(sorted(gained))


def guarded(rows: Iterable[str | None], meta: Iterable[str | None]) -> set[str]:
    """The keys that the legacy guard gave, in the form in which the target holds them."""
    return _keys(meta) or _keys(rows)


def _keys(spelled: Iterable[str | None]) -> set[str]:
    return {key.strip().lower() for key in spelled if key} - {""}
