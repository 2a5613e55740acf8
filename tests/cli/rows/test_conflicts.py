"""`conflicts`: listing rows that both sides changed, and deciding about them."""

import json

import pytest

from tests.cli.conftest import Cli, Ended
from tests.support.migrating import Migration, bare_target
from tests.support.server import Database, Server

ADA, OTTO = "c5000000-0000-4000-8000-000000000001", "c5000000-0000-4000-8000-000000000018"


class Contested:
    """Ada's name was changed on both sides; Otto was disabled in the target."""

    def __init__(self, cli: Cli, legacy: Database, migration: Migration) -> None:
        self.cli, self.legacy, self.migration = cli, legacy, migration

    def __call__(self, *arguments: str) -> Ended:
        return self.cli("conflicts", *arguments, legacy=self.legacy, target=self.migration.target)

    def run(self) -> None:
        self.migration.run("organizations", "users")

    def name(self) -> str:
        return str(self.migration.query("SELECT last_name FROM users WHERE id = %s", ADA)[0][0])


@pytest.fixture
def conflicts(cli: Cli, server: Server, edge_db: Database) -> Contested:
    migration = Migration.of(edge_db, bare_target(server))
    migration.run("organizations", "users")
    migration.target.execute(
        f"UPDATE users SET last_name = 'Target', password_hash = 'secret-t' WHERE id = '{ADA}';"
        f"UPDATE users SET status = 'disabled' WHERE id = '{OTTO}'"
    )
    edge_db.execute(
        f"UPDATE users SET name = 'Ada Legacy', password_hash = 'secret-l' WHERE id = '{ADA}';"
        f"UPDATE users SET name = 'Otto Legacy' WHERE id = '{OTTO}'"
    )
    migration.run("organizations", "users")
    return Contested(cli, edge_db, migration)


def test_before_the_first_run_there_is_no_conflict(cli: Cli, edge_db: Database, empty_db: Database) -> None:
    listed = cli("conflicts", "list", legacy=edge_db, target=empty_db)
    assert (listed.code, listed.out) == (0, "No conflict is open.\n")
    shown = cli("conflicts", "show", "users", ADA, legacy=edge_db, target=empty_db)
    assert (shown.code, "No conflict of users" in shown.err) == (1, True)


def test_conflicts_are_listed_shown_and_decided(conflicts: Contested) -> None:
    """All three sides, of a secret the name only; what is decided is done by the next run and stays in the list."""
    listed = conflicts("list")
    assert listed.code == 0
    assert "2 conflicts" in listed.out
    assert "one-way door" in listed.out
    shown = conflicts("show", "users", ADA)
    assert all(side in shown.out for side in ("Lovelace", "Target", "Legacy", "password_hash", "(secret)"))
    assert "secret-" not in shown.out
    decided = conflicts("resolve", "users", ADA, "--take", "--reason", "asked her")
    assert (decided.code, "1 to take" in decided.out) == (0, True)
    assert conflicts.name() == "Target"
    conflicts.run()
    assert conflicts.name() == "Legacy"
    rows = {row["new_key"]: row for row in json.loads(conflicts("list", "--all", "--json").out)["rows"]}
    assert (rows[ADA]["resolution"], rows[ADA]["decision_reason"]) == ("take", "asked her")
    assert [row["new_key"] for row in json.loads(conflicts("list", "--json").out)["rows"]] == [OTTO]
    assert json.loads(conflicts("list", "--json", "--table", "clients").out)["rows"] == []


def test_what_a_one_way_door_refuses_can_only_be_kept(conflicts: Contested) -> None:
    refused = conflicts("resolve", "users", OTTO, "--take")
    assert (refused.code, "one-way door" in refused.err) == (1, True)
    everything = conflicts("resolve", "--all", "--take")
    assert "1 are left open" in everything.out
    assert conflicts("resolve", "users", OTTO, "--keep").code == 0
    conflicts.run()
    assert json.loads(conflicts("list", "--json").out)["rows"] == []
    assert conflicts.migration.query("SELECT status::text FROM users WHERE id = %s", OTTO) == [("disabled",)]


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", ADA),
        ("users", ADA, "--keep", "--take"),
        ("users", "--keep"),
        ("users", ADA, "--all", "--keep"),
        ("userz", "--all", "--keep"),
    ],
)
def test_a_decision_says_what_it_is_about(
    cli: Cli, edge_db: Database, empty_db: Database, arguments: tuple[str, ...]
) -> None:
    assert cli("conflicts", "resolve", *arguments, legacy=edge_db, target=empty_db).code == 2


def test_nothing_is_decided_about_a_row_without_a_conflict(cli: Cli, edge_db: Database, empty_db: Database) -> None:
    ended = cli("conflicts", "resolve", "users", "no-such-key", "--keep", legacy=edge_db, target=empty_db)
    assert (ended.code, "No conflict of users no-such-key is open" in ended.err) == (1, True)


def test_a_run_follows_the_policy_that_its_options_name(conflicts: Contested) -> None:
    """Through Dagster, as `run` goes. A table that does not exist, and a decision that stands, are refused by name."""

    def run(*options: str) -> Ended:
        tables = ("--table", "organizations", "--table", "users")
        return conflicts.cli("run", *tables, *options, legacy=conflicts.legacy, target=conflicts.migration.target)

    failed = run("--conflicts", "users=fail")
    assert (failed.code, ADA in failed.err, "the policy is to fail" in failed.err) == (1, True, True)
    assert conflicts.name() == "Target"
    assert "there is no table userz" in run("--conflicts", "userz=fail").err
    assert "users stands while the row that won is there" in run("--redecide", "users").err
    assert run("--conflicts", "keep_target", "--conflicts", "users=take_legacy").code in (0, 3)
    assert conflicts.name() == "Legacy"
