"""Migrations that several tests look at."""

from collections.abc import Iterator

import pytest

from remoteiq_etl.backfill.accounts import TableReport
from tests.support.migrating import Migration, bare_target, foreign_target, migrated_target
from tests.support.server import Database, Server


@pytest.fixture
def our_target(server: Server) -> Iterator[Database]:
    database = bare_target(server)
    yield database
    database.drop()


@pytest.fixture
def application_target(server: Server) -> Iterator[Database]:
    database = foreign_target(server)
    yield database
    database.drop()


@pytest.fixture
def migration(edge_db: Database, our_target: Database) -> Migration:
    """The edge-case database and an empty target, nothing loaded yet."""
    return Migration.of(edge_db, our_target)


@pytest.fixture
def again(edge_db: Database, server: Server) -> Iterator[Migration]:
    """The edge-case database, migrated once before: the next run is an incremental one."""
    migration = migrated_target(server, edge_db)
    yield migration
    migration.target.drop()


@pytest.fixture(scope="module", params=[bare_target, foreign_target], ids=["our target", "foreign target"])
def migrated(
    request: pytest.FixtureRequest, server: Server, edge_template: str
) -> Iterator[tuple[Migration, dict[str, TableReport]]]:
    """The edge-case database loaded once, and the reports of that load. Only to be looked at."""
    legacy, target = server.create_database(template=edge_template), request.param(server)
    migration = Migration.of(legacy, target)
    yield migration, migration.run()
    legacy.drop()
    target.drop()
