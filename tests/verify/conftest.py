"""A migrated target, and opinions asked of it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pytest
from psycopg import Rollback

from remoteiq_etl.backfill.source.snapshot import Snapshot
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.expected.compare import RowDifference, ask
from remoteiq_etl.verify.expected.expectation import Expectation
from remoteiq_etl.verify.expected.legacy_copy import LegacyCopy
from tests.support import migrating
from tests.support.migrating import Migration
from tests.support.server import Database, Server


@dataclass(frozen=True)
class Bench:
    """A session of the target in which opinions can be asked."""

    migration: Migration
    legacy_copy: LegacyCopy

    def differences(self, expectation: Expectation) -> list[RowDifference]:
        """What an opinion finds but for rows of which the state says that they wait or became nothing of their own."""
        waiting = self.waiting(expectation.target)
        found = [
            difference for asked in ask(expectation, self.legacy_copy, "public") for difference in asked.differences
        ]
        return [one for one in found if (one.legacy_table, one.legacy_key) not in waiting]

    def waiting(self, table: str) -> set[tuple[str, str]]:
        query = (
            "SELECT legacy_table, legacy_key FROM remoteiq_etl.quarantine WHERE table_name = %s AND released_run IS NULL"
            " UNION SELECT legacy_table, legacy_key FROM remoteiq_etl.held WHERE table_name = %s AND released_run IS NULL"
            " UNION SELECT legacy_table, legacy_key FROM remoteiq_etl.left_out WHERE table_name = %s"
        )
        return {(row[0], row[1]) for row in self.migration.query(query, table, table, table)}


@contextmanager
def bench(migration: Migration, **more: int) -> Iterator[Bench]:
    plan = migration.plan
    with Snapshot(plan.legacy) as snapshot, closing(plan.target.connect()) as target:
        legacy_copy = LegacyCopy(snapshot.session, target, **more)
        state = State(plan.target, plan.state_schema)
        legacy_copy.offer_maps(state, _source_id(target), sorted({spec.name for spec in plan.specs.values()}))
        organization = target.value("SELECT new_key::text FROM map_organizations WHERE state = 'live'")
        legacy_copy.offer_settings((plan.source, plan.organization_slug, organization), plan.options, plan.words)
        legacy_copy.offer_labels("public")
        yield Bench(migration, legacy_copy)


@contextmanager
def undone(bench: Bench) -> Iterator[None]:
    """Changes of the target that are rolled back; its trigger lets updated_at alone meanwhile."""
    with bench.legacy_copy.session.connection.transaction():
        bench.legacy_copy.session.execute("SET LOCAL session_replication_role = replica")
        yield
        raise Rollback


def _source_id(session: Session) -> int:
    return int(session.value("SELECT id FROM remoteiq_etl.sources"))


@pytest.fixture(scope="module")
def migrated(server: Server, edge_template: str) -> Iterator[Migration]:
    """A migrated target for tests that change nothing."""
    legacy = server.clone("edge", _is_there)
    migration = migrating.migrated_target(server, legacy)
    yield migration
    migration.target.drop()
    legacy.drop()


def _is_there(database: Database) -> None:
    raise AssertionError(f"the template of {database.name} should be there")


@pytest.fixture(scope="module")
def asking(migrated: Migration) -> Iterator[Bench]:
    with bench(migrated) as opened:
        yield opened


@pytest.fixture
def copy(server: Server, edge_template: str) -> Iterator[Migration]:
    """A migrated target and its legacy database, to be changed."""
    legacy = server.clone("edge", _is_there)
    migration = migrating.migrated_target(server, legacy)
    yield migration
    migration.target.drop()
    legacy.drop()
