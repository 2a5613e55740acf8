"""Migrations that several tests look at."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from remoteiq_etl.backfill.context.report import TableReport
from tests.conftest import with_legacy_schema
from tests.support import small_installation
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


@pytest.fixture(scope="module")
def settled(server: Server, edge_template: str) -> Iterator[Migration]:
    """The same for all tests of a module. Only to be looked at."""
    legacy = server.create_database(template=edge_template)
    migration = migrated_target(server, legacy)
    yield migration
    migration.target.drop()
    legacy.drop()


Loaded = tuple[Migration, dict[str, TableReport]]


@pytest.fixture(scope="session")
def first_loads(server: Server, edge_template: str) -> Callable[[Callable[[Server], Database]], Loaded]:
    """Loads the edge-case database into a target of a kind, once, and gives it with the reports. Only to be looked at."""

    @cache
    def loaded(kind: Callable[[Server], Database]) -> Loaded:
        migration = Migration.of(server.create_database(template=edge_template), kind(server))
        return migration, migration.run()

    return loaded


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(bare_target, id="our target", marks=pytest.mark.one_backfill),
        pytest.param(foreign_target, id="foreign target"),
    ],
)
def migrated(request: pytest.FixtureRequest, first_loads: Callable[[Callable[[Server], Database]], Loaded]) -> Loaded:
    """The edge-case database loaded once, and the reports of that load. Only to be looked at."""
    return first_loads(request.param)


@pytest.fixture(scope="session")
def migrated_templates(server: Server) -> tuple[str, str]:
    """The names of a small legacy installation and of the target that it was migrated to, to be cloned."""
    legacy, target = server.clone("legacy", with_legacy_schema), foreign_target(server)
    small_installation.migrated(legacy, target)
    return legacy.name, target.name


@pytest.fixture
def pair(server: Server, migrated_templates: tuple[str, str]) -> Iterator[Migration]:
    """A small installation and its target, of the test's own, as the last run left them."""
    yield from _cloned(server, migrated_templates)


@pytest.fixture(scope="module")
def module_pair(server: Server, migrated_templates: tuple[str, str]) -> Iterator[Migration]:
    """The same for all tests of a module."""
    yield from _cloned(server, migrated_templates)


def _cloned(server: Server, names: tuple[str, str]) -> Iterator[Migration]:
    legacy, target = (server.create_database(template=name) for name in names)
    migration = Migration.of(legacy, target)
    migration.accept_copy()
    yield migration
    legacy.drop()
    target.drop()


@pytest.fixture(params=[bare_target, foreign_target], ids=["our target", "foreign target"])
def either(request: pytest.FixtureRequest, server: Server, edge_db: Database) -> Iterator[Migration]:
    """The edge-case database and an empty target of each kind, nothing loaded yet."""
    target = request.param(server)
    yield Migration.of(edge_db, target)
    target.drop()
