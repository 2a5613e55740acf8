"""A verification on the oldest PostgreSQL that is found, and one whose two servers are of different versions."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import VerificationVerdict
from tests.conftest import with_edge_cases
from tests.support import migrating
from tests.support.migrating import Migration
from tests.support.server import Server, found_bin_dirs, major_version

#: What is migrated from one version to the other: decisions, owners, ranges, checksums.
TABLES = ("organizations", "users", "sessions", "clients", "sites", "devices", "contacts", "tickets", "ticket_tags")


@pytest.fixture(scope="module")
def oldest(server_pool: Callable[[Path], Server]) -> Server:
    """The server of the oldest version that is found; the bundled one where there is no other."""
    return server_pool(min(found_bin_dirs(), key=major_version))


@pytest.fixture(scope="module")
def migrated_there(oldest: Server) -> Iterator[Migration]:
    legacy = oldest.clone("edge", with_edge_cases)
    migration = migrating.migrated_target(oldest, legacy)
    yield migration
    migration.target.drop()
    legacy.drop()


def told(verdict: VerificationVerdict) -> list[tuple[object, ...]]:
    """Everything that a verdict says, without times."""
    return [
        (table.table, table.status, table.error, table.rows_compared, table.labels, checks, findings)
        for table in verdict.tables
        for checks in [[(one.name, one.looked_at, one.differences) for one in table.checks]]
        for findings in [sorted((one.check, one.kind, one.label, one.key or "", one.detail) for one in table.findings)]
    ]


def test_the_verdict_of_every_opinion_and_rule_is_that_of_the_bundled_version(
    migrated: Migration, migrated_there: Migration
) -> None:
    assert told(verify(migrated_there.plan)) == told(verify(migrated.plan))


def test_a_migration_from_an_older_version_to_the_bundled_one_is_verified(
    oldest: Server, server: Server, migrated_there: Migration
) -> None:
    target = migrating.bare_target(server)
    mixed = Migration.of(migrated_there.legacy, target)
    mixed.run(*TABLES)
    mixed.run(*TABLES)
    verdict = verify(mixed.plan, TABLES)
    assert [(one.table, one.error) for one in verdict.tables if one.error] == []
    assert (verdict.passed, verdict.labels.get("changed_in_legacy_since")) == (True, None)
    assert sum(check.looked_at for one in verdict.tables for check in one.checks if check.name == "checksums") > 10
    key = mixed.query("SELECT min(id::text) FROM tickets")[0][0]
    target.execute(f"UPDATE tickets SET subject = 'edited' WHERE id = '{key}'")
    (tickets,) = verify(mixed.plan, ["tickets"]).tables
    assert {one.key for one in tickets.findings if "subject" in one.columns} == {key}
    target.drop()
