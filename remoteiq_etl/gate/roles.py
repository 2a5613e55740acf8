"""Which roles may do more, or less, in the target than the legacy guard let them.

The guard took role_meta.permissions where that is not empty, and role_permissions otherwise. Belongs here: that comparison,
both sides read as they are now, or with what a run would grant. Does not belong here: who accepts a gain.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from remoteiq_etl.frames.text import normalise
from remoteiq_etl.gate.view import GateView
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.run_options import ROLE_META_FIRST

SQL = statements(__file__)
_TABLES = ("roles", "role_permissions", "permissions", "role_meta")


@dataclass(frozen=True)
class RoleRights:
    """What a role (`role`: its legacy name) gains over what the legacy guard gave it, and what it loses; keys in order."""

    role: str
    gained: tuple[str, ...]
    lost: tuple[str, ...]

    def __str__(self) -> str:
        """In one line."""
        both = (("gains", self.gained), ("loses", self.lost))
        return f"{self.role}: " + "; ".join(f"{what} {', '.join(keys)}" for what, keys in both if keys)


def would_change(legacy: Session, database: Database, role_grants: str) -> list[RoleRights]:
    """One entry per legacy role that a run under this setting gives other keys than the guard; roles of one name share theirs."""
    roles = [(name, set(rows), set(meta)) for _, name, rows, meta in _held_in_legacy(legacy, database)]
    given: defaultdict[str, set[str]] = defaultdict(set)
    for name, rows, meta in roles:
        counted = guarded(rows, meta) if role_grants == ROLE_META_FIRST else _keys(rows) | _keys(meta)
        given[normalise(name) or ""] |= counted
    found = (_rights(name, given[normalise(name) or ""], guarded(rows, meta)) for name, rows, meta in roles)
    return [one for one in found if one.gained or one.lost]


def _rights(name: str, granted: set[str], guard: set[str]) -> RoleRights:
    return RoleRights(name, tuple(sorted(granted - guard)), tuple(sorted(guard - granted)))


def _held_in_legacy(legacy: Session, database: Database) -> list[tuple[str, str, list[str], list[str]]]:
    return legacy.rows(SQL["held_in_legacy"].format(**{name: database.table(name) for name in _TABLES}))


def changed(view: GateView) -> Iterator[RoleRights]:
    """One entry per legacy role that has other keys in the target than the guard gave it."""
    granted: defaultdict[str, set[str]] = defaultdict(set)
    for legacy_key, key in view.ask(SQL["held_in_target"]):
        granted[legacy_key].add(key)
    for role_id, name, rows, meta in _held_in_legacy(view.legacy, view.plan.legacy):
        rights = _rights(name, granted[role_id], guarded(rows, meta))
        if rights.gained or rights.lost:
            yield rights


def gains(view: GateView) -> Iterator[tuple[str, str]]:
    """One pair per role that gains: its legacy name, and the keys that the guard did not give it."""
    yield from ((one.role, ", ".join(one.gained)) for one in changed(view) if one.gained)


def guarded(rows: Iterable[str | None], meta: Iterable[str | None]) -> set[str]:
    """The keys that the legacy guard gave, in the form in which the target holds them."""
    return _keys(meta) or _keys(rows)


def _keys(spelled: Iterable[str | None]) -> set[str]:
    return {key.strip().lower() for key in spelled if key} - {""}
