"""What many tests begin with is made once: each gets a copy of the databases that it left.

A first run of six tables takes half a second of processor time, a copy of both databases a tenth of that.
Belongs here: what may be copied, and copying it. Does not belong here: what a test begins with.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.support.server import Database

if TYPE_CHECKING:
    from tests.support.migrating import Migration

_NONE = EngineDatabase("", "public")


@dataclass(frozen=True)
class Kind:
    """What the result depends on: what is done, of which databases ours are copies, and all else of the migration."""

    make: Callable[..., Any]
    choices: tuple[Hashable, ...]
    legacy: str
    target: str
    plan: RunPlan


@dataclass(frozen=True)
class Made:
    """The names of the databases that were left, and what was returned."""

    kind: Kind
    legacy: str
    target: str
    returned: Any


_MADE: dict[str, list[Made]] = {}


def of(migration: "Migration", make: Callable[..., Any], *choices: Hashable) -> Any:
    """Let the databases of a migration be as `make(migration, *choices)` leaves them, and return what that returned.

    Nobody may have used them yet: what a test did to them before would be lost. `make` depends on nothing but its arguments.
    """
    legacy, target, server = migration.legacy, migration.target, migration.target.server
    assert {legacy.name, target.name} <= server.copies.keys(), "they were used before: call it without made_once"
    assert migration.plan.target.observer is None, "of a copy nothing is observed"
    plan = replace(migration.plan, legacy=_NONE, target=_NONE)
    kind = Kind(make, choices, server.copies[legacy.name], server.copies[target.name], plan)
    known = _MADE.setdefault(server.directory.name, [])
    made = next((one for one in known if one.kind == kind), None)
    if made is None:
        made = _made(migration, kind)
        known.append(made)
    if made.legacy != kind.legacy:
        legacy.become(made.legacy)
    target.become(made.target)
    migration.accept_copy()
    return made.returned


def _made(migration: "Migration", kind: Kind) -> Made:
    server = migration.target.server
    legacy, target = (server.create_database(template=name) for name in (kind.legacy, kind.target))
    returned = kind.make(migration.on(legacy, target), *kind.choices)
    if server.copies.get(legacy.name) != kind.legacy:
        return Made(kind, legacy.name, target.name, returned)
    legacy.drop()
    return Made(kind, kind.legacy, target.name, returned)


@contextmanager
def unused(*databases: Database) -> Iterator[None]:
    """What is done within the block is no use of these databases."""
    copies = {one.name: one.server.copies[one.name] for one in databases if one.name in one.server.copies}
    yield
    for one in databases:
        if one.name in copies:
            one.server.copies[one.name] = copies[one.name]
