"""`report`: where it writes, what it says, and how it refuses."""

import json
from pathlib import Path

from tests.cli.conftest import Cli, Migrated
from tests.support.server import Database

DEVICE = "d0000001-0000-4000-8000-000000000000"


def test_it_says_the_verdict_what_is_to_settle_and_where_the_files_are(
    cli: Cli, migrated: Migrated, tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "migration.html"
    ended = cli("report", "--out", str(out), legacy=migrated.legacy, target=migrated.target)
    assert (ended.code, ended.err) == (0, "")
    assert "default: not verified yet" in ended.out
    assert "6 accounts to merge" in ended.out
    assert f"The report: {out}" in ended.out
    assert out.read_text().startswith("<!doctype html>")
    assert json.loads(out.with_suffix(".json").read_text())["source"] == "default"


def test_a_record_is_linked_to(cli: Cli, migrated: Migrated, tmp_path: Path) -> None:
    ended = cli("report", "--explain", "devices", DEVICE, legacy=migrated.legacy, target=migrated.target)
    assert f"{(tmp_path / 'home' / 'reports' / 'migration-default.html').as_uri()}#record" in ended.out


def test_json_names_files_verdict_and_tasks(cli: Cli, migrated: Migrated) -> None:
    told = json.loads(cli("report", "--json", legacy=migrated.legacy, target=migrated.target).out)
    assert told["verdict"] == "not verified yet"
    assert told["tasks"]["agents_to_enrol"] == 1
    assert Path(told["page"]).exists()


def test_an_unreachable_legacy_database_hinders_nobody(cli: Cli, migrated: Migrated) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    ended = cli("report", "--json", "--explain", "devices", DEVICE, legacy=nowhere, target=migrated.target)
    assert ended.code == 0
    told = json.loads(Path(json.loads(ended.out)["data"]).read_text())
    assert [row["present"] for row in told["record"]["legacy"]] == [None]


def test_a_misspelt_table_and_a_json_file_are_usage_errors(cli: Cli, migrated: Migrated) -> None:
    ended = cli("report", "--explain", "devcies", "1", legacy=migrated.legacy, target=migrated.target)
    assert (ended.code, "'devices' is meant?" in ended.err) == (2, True)
    ended = cli("report", "--out", "report.json", legacy=migrated.legacy, target=migrated.target)
    assert (ended.code, "the JSON is written beside it" in ended.err) == (2, True)


def test_before_the_first_run_there_is_nothing_to_report(cli: Cli, edge_db: Database, target_db: Database) -> None:
    ended = cli("report", legacy=edge_db, target=target_db)
    assert ended.code == 1
    assert "No run of the source default has begun yet" in ended.err
