"""`quarantine show`, `retry` and `ignore`: one row, looking again, and accepting."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Cli, Ended, Migrated
from tests.support.server import Database

#: A user that is quarantined because its status is a word that no map knows.
LOCKED = "c5000000-0000-4000-8000-000000000019"


def call(cli: Cli, migrated: Migrated, *arguments: str) -> Ended:
    return cli("quarantine", *arguments, legacy=migrated.legacy, target=migrated.target)


def shown(cli: Cli, migrated: Migrated) -> dict[str, Any]:
    """What `show` tells of the row for the target table of users; it reaches others neither."""
    rows = json.loads(call(cli, migrated, "show", "users", LOCKED, "--json").out)["rows"]
    [row] = [row for row in rows if row["table"] == "users"]
    assert isinstance(row, dict)
    return row


def test_show_tells_all_of_a_row_but_its_secrets(cli: Cli, migrated: Migrated) -> None:
    row = shown(cli, migrated)
    assert (row["rule"], row["attempts"], row["first_run"], row["history"]) == ("unknown_word", 1, 1, [])
    assert row["row"]["email"] == "lou.locked@example.com" or "@" in row["row"]["email"]
    assert row["row"]["password_hash"] == "[redacted]"
    ended = call(cli, migrated, "show", "users", LOCKED)
    assert ended.code == 0
    assert "unknown_word" in ended.out
    assert "Lou Locked" in ended.out
    assert "edgecasehash" not in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def test_a_key_that_was_never_in_quarantine_is_named(cli: Cli, migrated: Migrated) -> None:
    ended = call(cli, migrated, "show", "users", "no-such-key")
    assert (ended.code, "was ever in quarantine" in " ".join(ended.err.split())) == (2, True)


def test_decisions_that_somebody_should_know_of_are_listed(cli: Cli, migrated: Migrated) -> None:
    found = json.loads(call(cli, migrated, "warnings", "--rule", "global_script_not_assigned", "--json").out)["rows"]
    assert {(one["table"], one["legacy_table"], one["run"]) for one in found} == {("check_assignments", "checks", 1)}
    ended = call(cli, migrated, "warnings", "--table", "check_assignments")
    assert ended.code == 0
    assert all(one["legacy_key"] in ended.out for one in found)
    assert "global_script_not_assigned" in ended.out
    assert "1 of " in call(cli, migrated, "warnings", "--limit", "1").out
    assert call(cli, migrated, "warnings", "--rule", "none").out == "There is no warning like this.\n"


def test_an_ignored_row_is_listed_apart_until_it_is_taken_back(cli: Cli, migrated: Migrated) -> None:
    ended = call(cli, migrated, "ignore", "users", LOCKED, "--reason", "left the company")
    assert (ended.code, "rows are ignored until they change" in ended.out) == (0, True)
    assert LOCKED not in call(cli, migrated, "list", "--table", "users", "--json", "--rule", "unknown_word").out
    assert "more are ignored: quarantine list --ignored" in call(cli, migrated, "list").out
    listed = call(cli, migrated, "list", "--ignored")
    assert "left the company" in " ".join(listed.out.split())
    keys = {row["legacy_key"] for row in json.loads(call(cli, migrated, "list", "--ignored", "--json").out)["rows"]}
    assert keys == {LOCKED}
    assert "rows are no longer ignored" in call(cli, migrated, "ignore", "--undo", "users", LOCKED).out
    assert call(cli, migrated, "list", "--ignored").out == "No row is ignored.\n"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["ignore", "--reason", "all of them"], "name a row by TABLE and KEY"),
        (["ignore", "users", LOCKED], "give either --reason"),
        (["ignore", "users", LOCKED, "--reason", "x", "--undo"], "give either --reason"),
        (["retry", "--table", "usres"], "'users' is meant?"),
    ],
)
def test_rows_and_reasons_must_be_named(cli: Cli, migrated: Migrated, arguments: list[str], hint: str) -> None:
    ended = call(cli, migrated, *arguments)
    assert ended.code == 2
    assert hint in " ".join(ended.err.replace("│", " ").split())


def test_retry_looks_again_and_says_what_was_released(cli: Cli, migrated: Migrated) -> None:
    """The mended row becomes a row; the other stays, and is shown with its reason."""
    row = shown(cli, migrated)
    migrated.legacy.execute(f"UPDATE users SET status = 'active' WHERE id::text = '{LOCKED}'")
    ended = call(cli, migrated, "retry", "users", LOCKED)
    assert ended.code == 0, ended.out + ended.err
    assert "rows were released, 0 stay." in ended.out
    after = shown(cli, migrated)
    assert after["released_run"] == row["last_run"] + 1
    again = call(cli, migrated, "retry", "--rule", "duplicate_email", "--table", "users")
    assert again.code == 3
    assert "0 of " in again.out
    assert "duplicate_email" in again.out
    assert call(cli, migrated, "retry", "users", LOCKED).out == "No row like this is in quarantine.\n"


def test_ignored_rows_alone_do_not_ask_for_attention(cli: Cli, migrated: Migrated) -> None:
    table = json.loads(migrated.said)["tables"]["dkim_keys"]
    assert (table["quarantined"] > 0, table["held"]) == (True, 0)
    before = cli("run", "--table", "dkim_keys", legacy=migrated.legacy, target=migrated.target)
    assert before.code == 3
    call(cli, migrated, "ignore", "--reason", "agreed", "--table", "dkim_keys")
    after = cli("run", "--table", "dkim_keys", legacy=migrated.legacy, target=migrated.target)
    assert after.code == 0
    assert "of them ignored" in after.out


def test_the_list_shows_the_word_that_no_map_knows(cli: Cli, migrated: Migrated) -> None:
    rows = json.loads(call(cli, migrated, "list", "--rule", "unknown_word", "--json").out)["rows"]
    words = {row["legacy_key"]: row["word"] for row in rows}
    [(status,)] = fetched(migrated.legacy, f"SELECT status FROM users WHERE id::text = '{LOCKED}'")
    assert words[LOCKED] == status
    assert f"unknown_word: status: {status!r}: not in" in " ".join(call(cli, migrated, "list").out.split())
    [other] = {
        row["word"] for row in json.loads(call(cli, migrated, "list", "--json").out)["rows"] if "dup" in row["rule"]
    }
    assert other is None


ASSIGNMENT = "ca000010-0000-4000-8000-000000000000"


def fetched(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.connect() as connection:
        return connection.execute(query.encode()).fetchall()


def test_held_rows_are_listed_by_the_parent_that_is_missing(cli: Cli, migrated: Migrated) -> None:
    """With what became of it: stopped by a rule, waiting itself, or not found."""
    given = {"legacy": migrated.legacy, "target": migrated.target}
    rows = json.loads(cli("held", "list", "--json", **given).out)["rows"]
    open_rows = fetched(migrated.target, "SELECT count(*) FROM remoteiq_etl.held WHERE released_run IS NULL")
    assert [(len(rows),)] == open_rows
    parents = {(row["parent_table"], row["parent_key"]): (row["parent_rule"], row["parent_waits"]) for row in rows}
    assert parents["check_assignments", ASSIGNMENT] == ("unresolvable_device", False)
    assert parents["agent_tasks", "5"] == (None, True)
    assert parents["agents", "999"] == parents["roles", "Ghost role"] == (None, False)
    shown = cli("held", "list", **given, COLUMNS="200").out
    assert f"check_assignments {ASSIGNMENT}" in shown
    assert "in quarantine" in shown
    assert "not found" in shown
    some = json.loads(cli("held", "list", "--table", "agent_software", "--json", **given).out)["rows"]
    assert {row["table"] for row in some} == {"agent_software"}
    assert "waits for a parent" in cli("held", "list", "--table", "clients", **given).out
