"""Ids that we make are ones that the application routes; those that a map records stay, whatever they are."""

from collections.abc import Iterator

import pytest

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.frames import derived_ids
from tests.conftest import with_legacy_schema
from tests.support import small_installation
from tests.support.migrating import Migration, foreign_target
from tests.support.server import Server

DERIVED = ("organizations", "clients", "sites", "agents", "agent_software", "agent_task_runs", "contacts")


@pytest.fixture
def former(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Migration]:
    """A small installation that a program migrated whose derived ids were of version 5."""
    legacy, target = server.clone("legacy", with_legacy_schema), foreign_target(server)
    with monkeypatch.context() as patched:
        patched.setattr(derived_ids, "VERSION", 5)
        small_installation.migrated(legacy, target)
    yield Migration.of(legacy, target)
    legacy.drop()
    target.drop()


def versions(migration: Migration, table: str) -> set[str]:
    version = f"SELECT DISTINCT substr(new_key::text, 15, 1) FROM remoteiq_etl.legacy_{table}_map"
    derived = f"{version} WHERE rule NOT IN ('kept', 'adopted')"
    return {row[0] for row in migration.query(derived)}


def test_a_backfill_of_an_existing_target_keeps_its_ids_and_gives_new_rows_ids_of_version_4(former: Migration) -> None:
    assert {table: versions(former, table) for table in DERIVED} == {table: {"5"} for table in DERIVED}
    written = former.versions()
    former.run(*small_installation.TABLES, mode=Mode.FULL)
    assert former.versions() == written
    former.legacy.execute(
        "INSERT INTO agents (id, device_id, hostname, os, arch, version, client, site)"
        " VALUES (99, 'late', 'late', 'linux', 'x64', '1.0', 'Late', 'Hall')"
    )
    former.run(*small_installation.TABLES)
    late = "SELECT substr(new_key::text, 15, 1) FROM remoteiq_etl.legacy_{}_map WHERE legacy_key::text = %s"
    assert former.query(late.format("agents"), "99") == former.query(late.format("clients"), "late") == [("4",)]
    kept = {table: versions(former, table) for table in ("organizations", "agent_software", "contacts")}
    assert kept == {table: {"5"} for table in kept}
