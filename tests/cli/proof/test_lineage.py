"""`lineage` shows both ways what becomes of columns, and checks that all are accounted for. It reaches no database."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from remoteiq_etl.cli import selection
from tests.cli.conftest import Cli, Ended

NOWHERE = "postgresql://etl@127.0.0.1:1/nowhere"
ROOT = Path(__file__).parents[3]


def call(cli: Cli, *arguments: str) -> Ended:
    return cli("lineage", *arguments, legacy=NOWHERE, target=NOWHERE, COLUMNS="200")


def test_a_legacy_column_is_shown_with_what_it_fills(cli: Cli) -> None:
    ended = call(cli, "tickets.title")
    assert ended.code == 0
    assert [line.split() for line in ended.out.splitlines() if "tickets." in line] == [
        ["tickets.title", "mapped", "tickets.subject"],
        ["tickets.subject", "tickets.title", "unchanged"],
    ]


def test_a_target_column_is_shown_with_what_fills_it(cli: Cli) -> None:
    out = call(cli, "users.first_name").out
    assert "all words but the last" in out
    assert [line.split()[:2] for line in out.splitlines() if line.strip().startswith("users.name")] == [
        ["users.name", "mapped"]
    ]


def test_a_retired_column_says_why(cli: Cli) -> None:
    out = call(cli, "users.totp_secret").out
    assert "retired" in out
    assert "a stale leftover" in out


def test_a_table_of_both_sides_is_shown_both_ways(cli: Cli) -> None:
    said = json.loads(call(cli, "check_runs", "--json").out)
    assert said.pop("format") == "lineage 1"
    assert {one["table"] for side in said.values() for one in side} == {"check_runs"}
    assert {side: len(columns) for side, columns in said.items()} == {"legacy": 10, "target": 10}


def test_json_names_targets_with_their_rules(cli: Cli) -> None:
    [column] = json.loads(call(cli, "personal_tokens.name", "--json").out)["legacy"]
    assert column["targets"] == {"personal_access_tokens.description": "unchanged"}
    assert [one["kind"] for one in column["dispositions"]] == ["mapped"]


def test_without_a_name_all_columns_are_counted(cli: Cli) -> None:
    assert [line.split() for line in call(cli).out.splitlines() if line.split()[:1] in (["all"], ["sessions"])] == [
        ["sessions", "10", "9", "-", "-", "1", "-"],
        ["all", "319", "293", "6", "17", "2", "1"],
    ]


@pytest.mark.parametrize(("name", "hint"), [("usres", "'users' is meant?"), ("users.emial", "'users.email' is meant?")])
def test_an_unknown_name_is_a_usage_error(cli: Cli, name: str, hint: str) -> None:
    ended = call(cli, name)
    assert ended.code == 2
    assert hint in ended.err


def test_check_says_that_all_are_accounted_for(cli: Cli) -> None:
    ended = call(cli, "--check")
    assert (ended.code, ended.out, ended.err) == (0, "319 of 319 legacy columns accounted for.\n", "")


def test_check_fails_on_a_column_that_is_not(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = dict(selection.all_tables())
    checks = tables["checks"]
    tables["checks"] = replace(checks, spec=replace(checks.spec, dispositions={}))
    monkeypatch.setattr(selection, "all_tables", lambda: tables)
    ended = call(cli, "--check")
    assert (ended.code, ended.out) == (1, "318 of 319 legacy columns accounted for.\n")
    assert ended.err.startswith("checks.updated_by: expected exactly one disposition, found none.")
    said = json.loads(call(cli, "--check", "--json").out)
    assert (said["accounted"], said["columns"], len(said["problems"])) == (318, 319, 1)


def test_the_document_is_printed_as_it_is_kept(cli: Cli) -> None:
    assert call(cli, "--markdown").out == (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
