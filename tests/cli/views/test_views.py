"""`views` and `verify --round-trip`: what they say to people and to programs, and how they end."""

import json

from tests.cli.conftest import Cli, Migrated
from tests.support.migrating import Migration
from tests.support.server import Database


def test_views_are_made_looked_at_read_back_and_dropped(cli: Cli, migrated: Migrated) -> None:
    Migration.of(migrated.legacy, migrated.target).accept_copy()
    both = {"legacy": migrated.legacy, "target": migrated.target}
    missing = cli("views", "check", "--json", **both)
    assert missing.code == 1
    assert "users is not there" in json.loads(missing.out)["problems"]
    refused = cli("verify", "--round-trip", **both)
    assert (refused.code, "views install" in refused.err) == (1, True)
    assert "37 views made or renewed; 0 rows" in _plain(cli("views", "install", **both).out)
    assert "all views were as they should be" in _plain(cli("views", "install", **both).out)
    assert cli("views", "check", **both).code == 0
    found = json.loads(cli("verify", "--round-trip", "roles", "users", "--json", **both).out)
    assert (found["passed"], [one["table"] for one in found["tables"]]) == (True, ["roles", "users"])
    lost = {one["column"]: one["rows"] for one in found["tables"][1]["inexact"]}
    assert lost["totp_secret"] == {"not recoverable": 1}
    said = cli("verify", "--round-trip", "users", **both)
    assert said.code == 0, said.err
    assert "21 of 26 columns come back exactly; every difference is explained." in _plain(said.out)
    assert "37 views of remoteiq_legacy were dropped" in _plain(cli("views", "remove", **both).out)


def test_a_wrong_view_ends_the_round_trip_with_1_and_names_the_row(cli: Cli, migrated: Migrated) -> None:
    Migration.of(migrated.legacy, migrated.target).accept_copy()
    both = {"legacy": migrated.legacy, "target": migrated.target}
    cli("views", "install", **both)
    migrated.target.execute(
        "CREATE OR REPLACE VIEW remoteiq_legacy.login_challenges AS"
        " SELECT id, user_id, created_at + interval '1 day' AS created_at FROM login_challenges"
    )
    ended = cli("verify", "--round-trip", "login_challenges", **both)
    assert ended.code == 1
    assert "BUG: login_challenges 1c000001-0000-4000-8000-000000000000: changed created_at" in _plain(ended.out)


def test_wrong_names_and_options_are_usage_errors(cli: Cli, edge_db: Database, empty_db: Database) -> None:
    for words in (("agent_tasks",), ("--quick",), ("--full",)):
        assert cli("verify", "--round-trip", *words, legacy=edge_db, target=empty_db).code == 2
    ended = cli("views", "install", legacy=edge_db, target=empty_db)
    assert (ended.code, "no run of the source" in ended.err) == (1, True)


def _plain(text: str) -> str:
    return " ".join(text.split())
