"""`status` and `quarantine list`: what earlier runs left behind."""

import json

import pytest

from tests.cli.conftest import Cli, Migrated
from tests.support.server import Database


def test_before_the_first_run_there_is_nothing_to_show(cli: Cli, edge_db: Database, empty_db: Database) -> None:
    status = cli("status", legacy=edge_db, target=empty_db)
    assert status.code == 0
    assert "No run of the source 'default' has begun yet" in status.out
    assert json.loads(cli("status", "--json", legacy=edge_db, target=empty_db).out)["runs"] == []
    listed = cli("quarantine", "list", legacy=edge_db, target=empty_db)
    assert (listed.code, listed.out) == (0, "No row is in quarantine.\n")


def test_status_shows_runs_and_tables(cli: Cli, migrated: Migrated) -> None:
    ended = cli("status", legacy=migrated.legacy, target=migrated.target)
    assert ended.code == 0
    assert "succeeded" in ended.out
    found = json.loads(cli("status", "--json", legacy=migrated.legacy, target=migrated.target).out)
    [run] = found["runs"]
    tables = {table["name"]: table for table in found["tables"]}
    assert (run["id"], run["status"], run["rows_read"] > 400) == (1, "succeeded", True)
    assert (tables["users"]["mapped"], tables["users"]["quarantined"]) == (16, 8)
    assert tables["agent_software"]["held"] == 1


def test_status_tells_how_far_each_table_is_behind(cli: Cli, migrated: Migrated) -> None:
    found = json.loads(cli("status", "--json", legacy=migrated.legacy, target=migrated.target).out)
    users = {table["name"]: table for table in found["tables"]}["users"]
    assert users["last_run"] == 1
    assert users["behind"] > 0
    assert users["full_pass_at"] == found["runs"][0]["started_at"] == users["passed_at"]
    assert (users["swept_at"], users["changed"], users["ignored"]) == (None, None, 0)
    assert users["oldest_quarantined_at"] > users["passed_at"]
    shown = cli("status", legacy=migrated.legacy, target=migrated.target).out
    assert "swept" not in shown  # nobody has
    assert max(map(len, shown.splitlines())) <= 100


def test_a_run_without_changes_brings_a_table_up_to_date(cli: Cli, migrated: Migrated) -> None:
    migrated.target.execute("UPDATE remoteiq_etl.passes SET passed_at = passed_at - interval '3 days'")
    assert "3 d" in cli("status", legacy=migrated.legacy, target=migrated.target).out
    cli("run", "--table", "permissions", legacy=migrated.legacy, target=migrated.target)
    found = json.loads(cli("status", "--json", legacy=migrated.legacy, target=migrated.target).out)
    tables = {table["name"]: table for table in found["tables"]}
    assert (tables["permissions"]["last_run"], tables["permissions"]["behind"] < 3600) == (2, True)
    assert (tables["tickets"]["last_run"], tables["tickets"]["behind"] > 2 * 86_400) == (1, True)


def test_changed_legacy_rows_are_counted_when_asked_for(cli: Cli, migrated: Migrated) -> None:
    """Where a table cannot be read any more the figure is left open."""
    cli("run", "--table", "permissions", "--table", "tickets", legacy=migrated.legacy, target=migrated.target)
    migrated.legacy.execute("UPDATE tickets SET title = title || '!' WHERE id IN (SELECT id FROM tickets LIMIT 2)")
    migrated.legacy.execute("ALTER TABLE permissions RENAME TO permissions_of_old")
    ended = cli("status", "--changes", "--json", legacy=migrated.legacy, target=migrated.target)
    assert ended.code == 0, ended.err
    tables = {table["name"]: table["changed"] for table in json.loads(ended.out)["tables"]}
    assert (tables["tickets"], tables["permissions"]) == (2, None)
    shown = cli("status", "--changes", legacy=migrated.legacy, target=migrated.target).out
    assert "changed" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_another_source_has_a_status_of_its_own(cli: Cli, migrated: Migrated) -> None:
    ended = cli("status", legacy=migrated.legacy, target=migrated.target, REMOTEIQ_SOURCE="branch")
    assert "No run of the source 'branch'" in ended.out


@pytest.mark.every_postgres
def test_a_run_is_running_only_while_its_lock_is_held(cli: Cli, edge_db: Database, target_db: Database) -> None:
    """A killed run cannot say that it ended."""
    cli("plan", "--table", "organizations", legacy=edge_db, target=target_db)
    target_db.execute("UPDATE remoteiq_etl.runs SET status = 'running'")
    assert "interrupted" in cli("status", legacy=edge_db, target=target_db).out
    with target_db.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(hashtextextended('remoteiq_etl/1', 0))")
        assert "running" in cli("status", legacy=edge_db, target=target_db).out


def keys(cli: Cli, migrated: Migrated, *options: str) -> list[tuple[str, str]]:
    ended = cli("quarantine", "list", "--json", *options, legacy=migrated.legacy, target=migrated.target)
    return [(row["table"], row["rule"]) for row in json.loads(ended.out)["rows"]]


def test_quarantine_is_filtered_by_table_and_rule(cli: Cli, migrated: Migrated) -> None:
    everything = keys(cli, migrated)
    users = keys(cli, migrated, "--table", "users")
    assert {"users", "user_roles"} <= {table for table, _ in users}  # the legacy table, or the target table
    assert set(keys(cli, migrated, "--rule", "unknown_word")) == {one for one in everything if one[1] == "unknown_word"}
    both = keys(cli, migrated, "--table", "users", "--rule", "duplicate_email", "--rule", "unknown_word")
    assert {rule for _, rule in both} == {"duplicate_email", "unknown_word"}
    assert set(keys(cli, migrated, "--table", "clients")) == set()
    assert len(keys(cli, migrated, "--limit", "3")) == 3
    assert len(everything) > 40


def test_quarantine_says_which_row_and_why(cli: Cli, migrated: Migrated) -> None:
    ended = cli("quarantine", "list", "--limit", "5", legacy=migrated.legacy, target=migrated.target, COLUMNS="80")
    assert ended.code == 0
    assert "1b000010-0000-4000-8000-000000000000" in ended.out
    assert "5 of " in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_what_the_migration_takes_up_is_measured_per_legacy_row(cli: Cli, migrated: Migrated) -> None:
    given = {"legacy": migrated.legacy, "target": migrated.target}
    parts = {one["part"]: one for one in json.loads(cli("status", "--sizes", "--json", **given).out)["sizes"]}
    assert list(parts) == ["target tables", "identity maps", "archive", "before images", "other state"]
    assert parts["target tables"]["tables"] == 48
    [(rows,)] = _fetched(
        migrated,
        "SELECT sum(n) FROM (SELECT max(legacy_rows) AS n FROM remoteiq_etl.passes GROUP BY legacy_table) AS t",
    )
    assert parts["archive"]["per_row"] == pytest.approx(parts["archive"]["bytes"] / int(str(rows)))
    assert "bytes per legacy row" in cli("status", "--sizes", **given).out
    assert json.loads(cli("status", "--json", **given).out)["sizes"] == []


def _fetched(migrated: Migrated, query: str) -> list[tuple[object, ...]]:
    with migrated.target.connect() as connection:
        return connection.execute(query.encode()).fetchall()
