"""First runs that many tests begin with: made once, and copied by every other test.

A first run of six tables takes half a second of processor time, a copy of the two databases that it leaves a tenth of that.
Belongs here: when one may be copied, and copying it. Does not belong here: what a run is (see migrating).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.support.server import Server

if TYPE_CHECKING:
    from tests.support.migrating import Migration

_ANYWHERE = EngineDatabase("", "public")


@dataclass(frozen=True)
class Kind:
    """What a first run depends on: of which databases these are copies, and everything that is asked of the run."""

    legacy: str
    target: str
    tables: Sequence[str]
    before: str
    plan: RunPlan


@dataclass(frozen=True)
class FirstRun:
    """The names of the databases that it left, and its reports."""

    kind: Kind
    legacy: str
    target: str
    reports: dict[str, TableReport]


_MADE: dict[str, list[FirstRun]] = {}


def copied(
    migration: "Migration", tables: Sequence[str], before: str, changes: Mapping[str, Any]
) -> dict[str, TableReport]:
    """Let the databases of a migration be as its first run leaves them. Both must be copies that nobody has used yet."""
    legacy, target = migration.legacy, migration.target
    assert not {legacy.name, target.name} & target.server.used, "they are used: a run is needed, not a copy of one"
    assert migration.plan.target.observer is None, "a copy has nothing that could be observed"
    plan = replace(migration.plan, **changes, legacy=_ANYWHERE, target=_ANYWHERE)
    kind = Kind(legacy.template, target.template, tables, before, plan)
    known = _MADE.setdefault(target.server.directory.name, [])
    made = next((one for one in known if one.kind == kind), None)
    if made is None:
        made = _made(migration, kind, changes)
        known.append(made)
    if before:
        legacy.become(made.legacy)
    target.become(made.target)
    migration.accept_copy()
    return made.reports


def _made(migration: "Migration", kind: Kind, changes: Mapping[str, Any]) -> FirstRun:
    server: Server = migration.target.server
    legacy, target = (server.create_database(template=name) for name in (kind.legacy, kind.target))
    if kind.before:
        legacy.execute(kind.before)
    reports = migration.on(legacy, target).run(*kind.tables, **changes)
    return FirstRun(kind, legacy.name, target.name, reports)
