"""`verify`: what it says of a migrated target, to people and to programs, and how it ends."""

import json

from tests.cli.conftest import Cli, Migrated
from tests.support.migrating import Migration
from tests.support.server import Database


def test_after_a_run_every_difference_is_explained(cli: Cli, migrated: Migrated) -> None:
    ended = cli("verify", "--json", legacy=migrated.legacy, target=migrated.target)
    found = json.loads(ended.out)
    assert [one for one in found["differences"] if one["label"] == "BUG"] == []
    assert (ended.code, found["verdict"], found["bugs"]) == (0, "explained", 0), ended.err
    assert {one["table"] for one in found["tables"]} >= {"users", "check_runs", "tickets"}
    assert all({"table", "key", "columns", "label"} <= one.keys() for one in found["differences"])
    assert "quarantined" in found["labels"]


def test_a_bug_is_named_and_ends_the_command_with_1(cli: Cli, migrated: Migrated) -> None:
    """What was lost here is not quarantined, held or left out: its entry in the map is gone."""
    Migration.of(migrated.legacy, migrated.target).accept_copy()
    migrated.target.execute("DELETE FROM remoteiq_etl.legacy_backup_restores_map")
    ended = cli("verify", "backup_restores", legacy=migrated.legacy, target=migrated.target)
    assert ended.code == 1, ended.out
    assert "BUG" in ended.out
    assert "Do not cut over" in ended.out
    said = cli("verify", "backup_restores", "--json", legacy=migrated.legacy, target=migrated.target)
    found = json.loads(said.out)
    assert (said.code, found["verdict"], {one["table"] for one in found["tables"]}) == (1, "BUG", {"backup_restores"})


def test_a_role_that_may_only_read_legacy_can_verify(cli: Cli, migrated: Migrated) -> None:
    reader = migrated.legacy.url_as(migrated.legacy.select_only_role())
    ended = cli("verify", "roles", legacy=reader, target=migrated.target)
    assert ended.code == 0, ended.err
    assert "Verified" in ended.out


def test_a_table_that_nobody_knows_is_a_usage_error(cli: Cli, edge_db: Database, empty_db: Database) -> None:
    ended = cli("verify", "user", legacy=edge_db, target=empty_db)
    assert (ended.code, "'users' is meant?" in ended.err) == (2, True)


def test_before_the_first_run_there_is_nothing_to_verify(cli: Cli, edge_db: Database, empty_db: Database) -> None:
    ended = cli("verify", legacy=edge_db, target=empty_db)
    assert (ended.code, "there is nothing to verify" in " ".join(ended.err.split())) == (1, True)


def test_status_says_how_fresh_each_verdict_is(cli: Cli, migrated: Migrated) -> None:
    Migration.of(migrated.legacy, migrated.target).accept_copy()
    both = {"legacy": migrated.legacy, "target": migrated.target}
    assert "43 never" in cli("status", **both).out
    assert cli("verify", "roles", "permissions", **both).code == 0
    assert "2 verified" in cli("status", **both).out
    migrated.legacy.execute("UPDATE roles SET description = 'new'")
    assert "1 verified, 1 stale (roles)" in cli("status", "--changes", **both).out
    cli("run", "--table", "roles", **both)
    found = json.loads(cli("status", "--json", **both).out)
    said = {table["name"]: table["verification"] for table in found["tables"]}
    assert (said["roles"]["freshness"], said["users"]["freshness"]) == ("stale", "never")
    assert said["roles"]["why"].endswith("has written rows of it since")
