"""Drift on the command line: named with the option that accepts it, remembered, and what is not loaded by name."""

import json
from pathlib import Path

from tests.cli.conftest import Cli
from tests.support.server import Database

EXTRA = 'ALTER TABLE company_profile ADD "shoe size" int DEFAULT 44; CREATE TABLE more (id int PRIMARY KEY)'
RUN = ("run", "--table", "organizations")


def test_drift_is_named_accepted_and_remembered(cli: Cli, edge_db: Database, target_db: Database) -> None:
    edge_db.execute(EXTRA)
    for command in (("plan", "--table", "organizations"), RUN):
        refused = cli(*command, legacy=edge_db, target=target_db)
        assert refused.code == 1
        assert "--accept-drift 'company_profile.shoe size':" in refused.err
        assert "--accept-drift more:" in refused.err
    names = ("--accept-drift", "company_profile.shoe size", "--accept-drift", "more")
    plan = cli("plan", "--table", "organizations", *names, "--json", legacy=edge_db, target=target_db)
    assert (plan.code, [text for text in json.loads(plan.out)["warnings"] if "shoe size" in text] != []) == (0, True)
    accepted = cli(*RUN, *names, legacy=edge_db, target=target_db)
    assert accepted.code == 0, accepted.err
    assert "Warning: extra column: company_profile.shoe size: found integer: accepted" in accepted.err
    again = cli(*RUN, "--json", legacy=edge_db, target=target_db)
    assert again.code == 0
    said = json.loads(again.out)
    with edge_db.connect() as connection:
        [(rows,)] = connection.execute("SELECT count(*) FROM company_profile").fetchall()
    assert said["tables"]["accepted_drift"]["archived only"] == rows > 0
    assert [text for text in said["warnings"] if "company_profile.shoe size" in text]


def test_the_configuration_file_accepts(cli: Cli, edge_db: Database, target_db: Database, tmp_path: Path) -> None:
    edge_db.execute(EXTRA)
    config = tmp_path / "remoteiq.toml"
    config.write_text('accept_drift = ["company_profile.shoe size", "more"]\n', encoding="utf-8")
    ended = cli(*RUN, legacy=edge_db, target=target_db, REMOTEIQ_CONFIG=str(config))
    assert ended.code == 0, ended.err
    config.write_text('accept_drift = "more"\n', encoding="utf-8")
    refused = cli(*RUN, legacy=edge_db, target=target_db, REMOTEIQ_CONFIG=str(config))
    assert 'expected a list such as ["name", "another name"], found \'more\'' in refused.err


def test_doctor_tells_what_stops_what_blocks_and_what_was_accepted(
    cli: Cli, edge_db: Database, target_db: Database
) -> None:
    edge_db.execute(EXTRA)
    before = cli("doctor", "--json", legacy=edge_db, target=target_db)
    differences = {one["where"]: one for one in json.loads(before.out)["legacy"]["differences"]}
    assert before.code == 1
    assert differences["more"]["scope"] == "the run, until accepted"
    names = ("--accept-drift", "company_profile.shoe size", "--accept-drift", "more")
    assert cli(*RUN, *names, legacy=edge_db, target=target_db).code == 0
    after = cli("doctor", legacy=edge_db, target=target_db, COLUMNS="140")
    assert after.code == 0, after.out
    assert "extra table, warning" in after.out
    edge_db.execute("ALTER TABLE tickets DROP site")
    blocked = cli("doctor", legacy=edge_db, target=target_db, COLUMNS="140")
    assert blocked.code == 1
    assert "missing column, blocks its tables" in blocked.out


def test_a_plan_and_a_run_name_the_tables_that_are_not_loaded(cli: Cli, edge_db: Database, target_db: Database) -> None:
    edge_db.execute("ALTER TABLE tickets DROP site")
    some = ("--table", "organizations", "--table", "clients", "--table", "sites")
    plan = cli("plan", *some, legacy=edge_db, target=target_db)
    assert plan.code == 1
    assert "Not loaded: clients: missing column: tickets.site" in plan.out
    assert "Not loaded: sites: " in plan.out
    run = cli("run", *some, legacy=edge_db, target=target_db)
    assert run.code == 1
    assert "clients failed: TableBlocked: clients was not loaded" in run.err
    assert "Not done because of that: sites." in run.err
    said = json.loads(cli("run", *some, "--json", legacy=edge_db, target=target_db).out)
    assert (said["success"], said["skipped"], list(said["errors"])) == (False, ["sites"], ["clients"])
    assert said["tables"]["clients"]["blocked"].startswith("missing column: tickets.site")
    assert said["tables"]["organizations"]["blocked"] is None


def test_doctor_looks_at_the_legacy_database_without_a_target(cli: Cli, edge_db: Database) -> None:
    """What was accepted is remembered there, so nothing counts as accepted."""
    edge_db.execute("CREATE TABLE more (id int)")
    ended = cli("doctor", "--json", legacy=edge_db, target="postgresql://nobody@192.0.2.1:1/none?connect_timeout=1")
    differences = json.loads(ended.out)["legacy"]["differences"]
    assert [one["scope"] for one in differences if one["where"] == "more"] == ["the run, until accepted"]
