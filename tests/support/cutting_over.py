"""Migrations that are ready to be cut over, of two databases and of one, and short ways to do it and to look.

Belongs here: the databases, copied for each test, and the stage that they are in. Does not belong here: what must come of it.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.config.cutover import CutOverSettings
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle import migration as engine
from remoteiq_etl.lifecycle.cutover.execute import CutOverReport, CutOverTools, cut_over, plan
from remoteiq_etl.lifecycle.cutover.place import CutOverPlace
from remoteiq_etl.lifecycle.cutover.settle import Settled
from remoteiq_etl.lifecycle.cutover.steps import CutOverStep
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.stage import Stage
from remoteiq_etl.lifecycle.target.finalize import finalize
from remoteiq_etl.lifecycle.target.prepare import prepare
from remoteiq_etl.postgres.database import Observer
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import VerificationVerdict
from tests.conftest import with_legacy_schema
from tests.support import made_once
from tests.support.migrating import specs
from tests.support.server import Database, Server

SEVERAL = ("devices", "backup_jobs", "backups_config")
"""Of those domains that a cut-over does something about, with what they refer to; and jobs, which the application writes."""
ROWS = """
INSERT INTO backups_config (id, enabled, targets, schedule, retention_days, destination, encrypt, notifications)
    VALUES ('singleton', true, '["users"]', 'daily', 14, '{"kind": "local", "path": "/backup"}', false, '{}');
INSERT INTO devices (id, hostname, os, arch, status, client, site, agent_uuid, last_seen)
    SELECT ('d0000000-0000-4000-8000-0000000000' || to_char(n, 'fm00'))::uuid, 'host-' || n, 'linux', 'x64', 'online', 'Acme',
        'HQ', ('a0000000-0000-4000-8000-0000000000' || to_char(n, 'fm00'))::uuid, now() - interval '1 hour'
    FROM generate_series(1, 4) n;
INSERT INTO agents (id, device_id, hostname, os, arch, version, client, site, agent_uuid, last_seen_at)
    SELECT n, 'text-' || n, 'host-' || n, 'linux', 'x64', '1.0', 'Acme', 'HQ',
        ('a0000000-0000-4000-8000-0000000000' || to_char(n, 'fm00'))::uuid, now() - n * interval '1 day'
    FROM generate_series(1, 4) n;
INSERT INTO backup_jobs (id, started_at, finished_at, status, note)
    SELECT ('70000000-0000-4000-8000-0000000000' || to_char(n, 'fm00'))::uuid, '2024-01-01', '2024-01-02', 'success', 'job ' || n
    FROM generate_series(1, 20) n
"""


def with_parents(assets: Sequence[str]) -> frozenset[str]:
    """These assets and all that they read maps of, without seeds."""
    found = list(assets)
    for asset in found:
        found += {*specs()[asset].dependencies} - {*found}
    return frozenset(found)


class OpenGate:
    """A gate that lets everybody through."""

    def closed_by(self) -> Sequence[str]:
        return ()


@dataclass(frozen=True)
class Passed:
    """A verdict that was asked of nobody."""

    passed: bool = True
    word: str = "verified"


@dataclass(frozen=True)
class Ready:
    """One migration that is finalized. `target` is `legacy` where both are schemas of one database."""

    legacy: Database
    target: Database
    home: Path
    schemas: tuple[str, str] = ("public", "public")
    cutover: CutOverSettings = field(default_factory=CutOverSettings)
    verifies: bool = True
    tables: Sequence[str] = SEVERAL
    observer: Observer | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def one_database(self) -> bool:
        return self.legacy == self.target

    @property
    def settings(self) -> Settings:
        return Settings(
            legacy_url=self.legacy.url,
            # Two URLs of one database are told apart by what they say besides.
            target_url=self.target.url,
            legacy_schema=self.schemas[0],
            target_schema=self.schemas[1],
            home=self.home,
            cutover=self.cutover,
            **self.more,
        )

    def changed(self, **changes: Any) -> "Ready":
        """The same with other settings of the cut-over."""
        return replace(self, cutover=self.cutover.model_copy(update=changes))

    @contextlib.contextmanager
    def migration(self) -> Iterator[engine.Migration]:
        """The engine's migration, of some tables."""
        declared = {name: spec for name, spec in specs().items() if name in with_parents(self.tables)}
        with engine.connected(self.settings, declared) as found:
            legacy, target = (replace(one, observer=self.observer) for one in (found.legacy, found.target))
            yield replace(found, legacy=legacy, target=target)

    @contextlib.contextmanager
    def place(self) -> Iterator[CutOverPlace]:
        with self.migration() as found:
            yield CutOverPlace.of(found)

    def cut_over(self, **tools: Any) -> CutOverReport | Settled:
        given = {"gate": OpenGate(), "verify": self.verdict} | tools
        with self.place() as place:
            return cut_over(place, CutOverTools(**given))

    def dry_run(self) -> list[CutOverStep]:
        with self.place() as place:
            return [found.step for found in plan(place)]

    def verdict(self, plan: RunPlan) -> VerificationVerdict | Passed:
        """Of a real verification, or for tests that are about something else, of none."""
        if self.verifies:
            return verify(plan)
        self.query(_VERIFIED)
        return Passed()

    def run(self) -> None:
        with self.migration() as found, found.run() as run:
            run.load_all()

    def make_ready(self) -> None:
        """Load, verify and finalize, as far as that is still to be done."""
        self.run()
        with self.migration() as found:
            self.verdict(found.plan())
            found.after_verification()
            with contextlib.closing(found.target.connect()) as session:
                state = State(found.target, found.settings.state_schema)
                finalize(session, target_schema=found.target.schema, state=state)
                source_id = store.source_of(session, state, found.settings.source)
                assert source_id is not None
                entry = store.current(session, state, source_id)
                if entry is not None and entry.stage is Stage.VERIFIED:
                    with session.transaction():
                        store.move(session, state, source_id, Stage.FINALIZED, reason="for a test")
        assert self.stage() == "finalized"

    # --- looking ------------------------------------------------------------------------------------------------------

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.target.connect() as connection:
            connection.execute("SET default_transaction_read_only = off")  # of one database, the fence is for all
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def in_legacy(self, statement: str) -> list[tuple[Any, ...]]:
        with self.legacy.connect() as connection:
            connection.execute(f"SET search_path TO {self.schemas[0]}, public")
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def in_target(self, statement: str, schema: str | None = None) -> list[tuple[Any, ...]]:
        with self.target.connect() as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f"SET search_path TO {schema or self.schemas[1]}, public".encode())
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def stage(self) -> str:
        return str(self.query("SELECT stage FROM remoteiq_etl.stages")[0][0])

    def phases(self) -> list[str]:
        return [row[0] for row in self.query("SELECT phase FROM remoteiq_etl.cutovers ORDER BY id")]

    def fence_stands(self) -> bool:
        """Whether anything of a read-only fence is set, or recorded."""
        recorded = self.query("SELECT count(*) FROM remoteiq_etl.cutovers WHERE fence IS NOT NULL")[0][0]
        return bool(recorded) or self.read_only_settings() != []

    def read_only_settings(self) -> list[tuple[Any, ...]]:
        return self.in_legacy(
            "SELECT setrole::regrole::text, setting FROM pg_db_role_setting, unnest(setconfig) AS c (setting)"
            " WHERE setting LIKE 'default_transaction_read_only%' AND setdatabase ="
            " (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1"
        )


#: As if every table had been verified, for a migration of which nobody asks that.
_VERIFIED = """
INSERT INTO remoteiq_etl.verifications
    (source_id, table_name, verification_id, status, verified_at, confirmed_at, snapshot, seconds, rows_compared, bugs, counts, checks,
    findings, matrices)
SELECT source_id, table_name, 0, 'verified', clock_timestamp(), clock_timestamp(), '', 0, 0, 0, '{}', '{}', '[]', '{}'
FROM remoteiq_etl.assets
ON CONFLICT (source_id, table_name) DO UPDATE SET status = 'verified', confirmed_at = clock_timestamp()
"""


def two_databases(server: Server, home: Path, **settings: Any) -> Ready:
    """A small installation and its target, finalized."""
    target = server.clone("cutover_target", lambda database: _make_two(server, database, home))
    legacy = server.create_database(template=server.templates["cutover_legacy"])
    ready = Ready(legacy, target, home, cutover=CutOverSettings(**settings))
    accept_copy(ready)
    return ready


def one_database(server: Server, home: Path, **settings: Any) -> Ready:
    """The same as two schemas of one database."""
    database = server.clone("cutover_both", lambda database: _make_one(database, home))
    ready = Ready(database, database, home, ("public", "redesigned"), CutOverSettings(**settings))
    accept_copy(ready)
    return ready


def _make_two(server: Server, target: Database, home: Path) -> None:
    legacy = server.create_database("template_cutover_legacy")
    server.templates["cutover_legacy"] = legacy.name
    with_legacy_schema(legacy)
    legacy.execute(ROWS)
    _make(Ready(legacy, target, home, verifies=False))


def _make_one(database: Database, home: Path) -> None:
    with_legacy_schema(database)
    database.execute(ROWS)
    _make(Ready(database, database, home, ("public", "redesigned"), verifies=False))


def _make(ready: Ready) -> None:
    with ready.migration() as found, contextlib.closing(found.target.connect()) as session:
        state = State(found.target, found.settings.state_schema)
        prepare(session, target_schema=found.target.schema, state=state)
    ready.run()
    ready.make_ready()  # what recalls a map that was loaded after it settles in the second run


def accept_copy(ready: Ready) -> None:
    """Let the state take a copy of the legacy database for the one that was read: its rows have the same ids."""
    with made_once.unused(ready.legacy, ready.target):
        oid = ready.in_legacy("SELECT oid::text FROM pg_database WHERE datname = current_database()")[0][0]
        ready.query(
            "UPDATE remoteiq_etl.assets SET database = split_part(database, '/', 1) || '/' || split_part(database, '/', 2)"
            f" || '/{oid}/' || split_part(database, '/', 4)"
        )
