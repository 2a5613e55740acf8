"""A migrated target with all that the application needs, made once for all tests beside this."""

from collections.abc import Iterator

import pytest

from tests.application.target import install
from tests.support.migrating import Migration, migrated_target
from tests.support.server import Server


@pytest.fixture(scope="session")
def installed_templates(server: Server, edge_template: str) -> tuple[str, str]:
    """The names of the edge-case database and of its target, migrated before and after the installation, to be cloned."""
    legacy = server.create_database(template=edge_template)
    migration = migrated_target(server, legacy)
    install(migration.target)
    migration.run()
    return legacy.name, migration.target.name


@pytest.fixture
def paired(server: Server, installed_templates: tuple[str, str]) -> Iterator[Migration]:
    """A pair of databases like that, of the test's own."""
    legacy, target = (server.create_database(template=name) for name in installed_templates)
    migration = Migration.of(legacy, target)
    migration.accept_copy()
    yield migration
    target.drop()
    legacy.drop()
