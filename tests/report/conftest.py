"""A migrated target and its report, for tests that only look; a way to make one of a target of a test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import assets
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.orchestration.assets.discovery import find_tables
from remoteiq_etl.report.make import ReportScope, Written, write
from tests.support import chromium
from tests.support.migrating import Migration, migrated_target
from tests.support.server import Server

TABLES = find_tables(assets)
SCOPE = ReportScope(
    {name: one.spec for name, one in TABLES.items()}, {name: one.domain for name, one in TABLES.items()}
)
#: A device with an agent, a hostname that was taken, and archived values.
DEVICE = "d0000001-0000-4000-8000-000000000000"


def report_of(migration: Migration, home: Path, *record: str) -> Written:
    """The report of a migration, written below a directory."""
    settings = Settings(legacy_url=migration.legacy.url, target_url=migration.target.url, home=home)
    return write(settings, SCOPE, record=record)


@pytest.fixture(scope="package")
def looked_at(server: Server, edge_template: str) -> Iterator[Migration]:
    """The edge cases, migrated. Only to be looked at."""
    legacy = server.create_database(template=edge_template)
    migration = migrated_target(server, legacy)
    yield migration
    migration.target.drop()
    legacy.drop()


@pytest.fixture
def again(server: Server, edge_template: str) -> Iterator[Migration]:
    """The same, of a test's own."""
    legacy = server.create_database(template=edge_template)
    migration = migrated_target(server, legacy)
    yield migration
    migration.target.drop()
    legacy.drop()


@pytest.fixture(scope="package")
def written(looked_at: Migration, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Its report, with one record explained."""
    return report_of(looked_at, tmp_path_factory.mktemp("report"), "devices", DEVICE)


collect_ignore = [] if chromium.found() else ["test_browser.py"]
