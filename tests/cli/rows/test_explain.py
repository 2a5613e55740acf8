"""`explain`: one row as text and as JSON, and what it says where nothing is known."""

import json

from tests.cli.conftest import Cli, Migrated
from tests.support.server import Database

DEVICE = "d0000001-0000-4000-8000-000000000000"


def test_a_legacy_row_is_told_with_what_it_became_the_rules_and_the_runs(cli: Cli, migrated: Migrated) -> None:
    ended = cli("explain", "devices", DEVICE, legacy=migrated.legacy, target=migrated.target)
    assert ended.code == 0
    assert f"devices {DEVICE}, in the legacy database" in ended.out
    assert f"became devices {DEVICE} (hostname), by run 1" in ended.out
    assert f"devices {DEVICE}: ours, in the target" in ended.out
    for words in ("devices.arch, agents.arch", "agents 1", "pair_agent_uuid", "insert", "Runs that are named"):
        assert words in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def test_secrets_are_named_and_not_shown(cli: Cli, migrated: Migrated) -> None:
    ended = cli("explain", "agents", "1", legacy=migrated.legacy, target=migrated.target)
    assert "token_hash      [redacted]" in ended.out
    assert "token_hash  (withheld)  must_enrol_again" in ended.out
    user = "c5000000-0000-4000-8000-000000000001"
    assert "(secret)" in cli("explain", "users", "--new", user, legacy=migrated.legacy, target=migrated.target).out


def test_json_holds_the_whole_tree(cli: Cli, migrated: Migrated) -> None:
    ended = cli("explain", "--new", DEVICE, "--json", legacy=migrated.legacy, target=migrated.target)
    told = json.loads(ended.out)
    assert [(row["table"], row["key"], row["origin"]) for row in told["target"]] == [("devices", DEVICE, "ours")]
    assert {"devices", "agents", "device_text"} == {row["table"] for row in told["legacy"]}
    assert told["runs"]["1"]["status"] == "succeeded"


def test_an_unknown_key_fails_and_names_where_it_looked_and_keys_like_it(cli: Cli, migrated: Migrated) -> None:
    ended = cli("explain", "agents", "22", legacy=migrated.legacy, target=migrated.target)
    assert (ended.code, ended.out) == (1, "")
    assert "Nothing is known of agents 22." in ended.err
    assert "Looked in the legacy table agents, the target table agents, the maps, quarantine, held rows" in ended.err
    assert "Keys like it: 23, 21" in ended.err or "Keys like it: 21, 23" in ended.err


def test_a_misspelt_table_is_a_usage_error_that_says_what_is_meant(cli: Cli, migrated: Migrated) -> None:
    ended = cli("explain", "devcies", DEVICE, legacy=migrated.legacy, target=migrated.target)
    assert ended.code == 2
    assert "'devices' is meant?" in ended.err
    assert cli("explain", "devices", legacy=migrated.legacy, target=migrated.target).code == 2


def test_an_unreachable_legacy_database_is_said_and_the_rest_is_told(cli: Cli, migrated: Migrated) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    ended = cli("explain", "devices", DEVICE, legacy=nowhere, target=migrated.target)
    assert ended.code == 0
    assert "The legacy database cannot be reached" in ended.err
    assert f"became devices {DEVICE}" in ended.out


def test_before_the_first_run_nothing_is_known(cli: Cli, edge_db: Database, target_db: Database) -> None:
    ended = cli("explain", "devices", DEVICE, legacy=edge_db, target=target_db)
    assert ended.code == 1
    assert "No run of this source has begun yet" in ended.err
