"""Which roles may do more, or less, in the target than the legacy guard let them.

The guard took role_meta.permissions where that is not empty, and role_permissions otherwise. Belongs here: that comparison,
both sides read as they are now, or with what a run would grant. Does not belong here: who accepts a gain.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from remoteiq_etl.frames.text import normalise
from remoteiq_etl.gate.view import GateView
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.run_options import ROLE_META_FIRST
from schemas.application.model import Profile

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


@dataclass(frozen=True)
class OwnRequests:
    """What legacy allowed to everyone and the new application asks a key for, and which roles (legacy names) hold none of these."""

    requests: tuple[str, ...]
    keys: str
    roles: tuple[str, ...]

    def __str__(self) -> str:
        """In one line."""
        return (
            f"requests for {', '.join(self.requests)} ask for a key that begins with {self.keys}, which legacy asked of nobody;"
            f" none is held by {', '.join(self.roles)}"
        )


def would_lack_own_keys(
    legacy: Session, database: Database, profile: Profile, granted_keys: Iterable[str]
) -> list[OwnRequests]:
    """One entry, if some legacy role would hold no key for one's own things; `granted_keys`: what every role gets by the settings."""
    given: defaultdict[str, set[str]] = defaultdict(lambda: set(granted_keys))
    for _, name, rows, meta in _held_in_legacy(legacy, database):
        given[name] |= _keys(rows) | _keys(meta)
    return _lacking(profile, given)


def lack_own_keys(view: GateView, profile: Profile) -> list[OwnRequests]:
    """One entry, if some legacy role holds no key for one's own things in the target."""
    granted = _granted(view)
    return _lacking(profile, {name: granted[key] for key, name, *_ in _held_in_legacy(view.legacy, view.plan.legacy)})


def _lacking(profile: Profile, held: Mapping[str, set[str]]) -> list[OwnRequests]:
    lacking = [name for name, keys in held.items() if not any(key.startswith(profile.own_keys) for key in keys)]
    return [OwnRequests(profile.own_requests, profile.own_keys, tuple(lacking))] if lacking else []


def _rights(name: str, granted: set[str], guard: set[str]) -> RoleRights:
    return RoleRights(name, tuple(sorted(granted - guard)), tuple(sorted(guard - granted)))


def _held_in_legacy(legacy: Session, database: Database) -> list[tuple[str, str, list[str], list[str]]]:
    return legacy.rows(SQL["held_in_legacy"].format(**{name: database.table(name) for name in _TABLES}))


def changed(view: GateView) -> Iterator[RoleRights]:
    """One entry per legacy role that has other keys in the target than the guard gave it."""
    granted = _granted(view)
    for role_id, name, rows, meta in _held_in_legacy(view.legacy, view.plan.legacy):
        rights = _rights(name, granted[role_id], guarded(rows, meta))
        if rights.gained or rights.lost:
            yield rights


def _granted(view: GateView) -> defaultdict[str, set[str]]:
    """The keys in the target by the key of the legacy role."""
    granted: defaultdict[str, set[str]] = defaultdict(set)
    for legacy_key, key in view.ask(SQL["held_in_target"]):
        granted[legacy_key].add(key)
    return granted


def gains(view: GateView) -> Iterator[tuple[str, str]]:
    """One pair per role that gains: its legacy name, and the keys that the guard did not give it."""
    yield from ((one.role, ", ".join(one.gained)) for one in changed(view) if one.gained)


def guarded(rows: Iterable[str | None], meta: Iterable[str | None]) -> set[str]:
    """The keys that the legacy guard gave, in the form in which the target holds them."""
    return _keys(meta) or _keys(rows)


def _keys(spelled: Iterable[str | None]) -> set[str]:
    return {key.strip().lower() for key in spelled if key} - {""}
