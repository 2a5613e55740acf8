"""`doctor` names what blocks a run, warns of what does not, and changes nothing."""

import json

import pytest

from tests.cli.conftest import Cli, Ended, Migrated
from tests.support.server import Database


def verdicts(ended: Ended, side: str) -> dict[str, str]:
    return {one["subject"]: one["verdict"] for one in json.loads(ended.out)[side]["findings"]}


def advice(ended: Ended, side: str, subject: str) -> str:
    [found] = [one["advice"] for one in json.loads(ended.out)[side]["findings"] if one["subject"] == subject]
    return str(found)


@pytest.mark.every_postgres
def test_a_role_that_may_only_select_and_an_empty_target_suffice(
    cli: Cli, edge_db: Database, empty_db: Database
) -> None:
    reader = edge_db.url_as(edge_db.select_only_role())
    ended = cli("doctor", "--json", legacy=reader, target=empty_db)
    assert ended.code == 0
    assert set(verdicts(ended, "legacy").values()) | set(verdicts(ended, "target").values()) == {"ok"}
    with empty_db.connect() as connection:
        assert connection.execute("SELECT FROM pg_namespace WHERE nspname = 'remoteiq_etl'").fetchall() == []


def test_an_empty_legacy_database_blocks(cli: Cli, empty_db: Database, target_db: Database) -> None:
    ended = cli("doctor", legacy=empty_db, target=target_db)
    assert ended.code == 1
    assert "empty schema, blocks" in ended.out
    assert "1 of these block a run." in ended.out


def test_more_rights_than_needed_are_a_warning(cli: Cli, edge_db: Database, target_db: Database) -> None:
    ended = cli("doctor", "--json", legacy=edge_db, target=target_db)
    assert ended.code == 0
    assert verdicts(ended, "legacy")["no more rights"] == "warning"


def test_a_table_that_may_not_be_read_blocks(cli: Cli, edge_db: Database, target_db: Database) -> None:
    reader = edge_db.select_only_role()
    edge_db.execute(f"REVOKE SELECT ON users FROM {reader}")
    ended = cli("doctor", "--json", legacy=edge_db.url_as(reader), target=target_db)
    assert (ended.code, verdicts(ended, "legacy")["rights"]) == (1, "blocks")
    assert f"TO {reader}" in advice(ended, "legacy", "rights")


def test_rows_hidden_by_a_policy_block(cli: Cli, edge_db: Database, target_db: Database) -> None:
    """They would be taken for deleted. A plan says so, too."""
    reader = edge_db.select_only_role()
    edge_db.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    ended = cli("doctor", "--json", legacy=edge_db.url_as(reader), target=target_db)
    assert (ended.code, verdicts(ended, "legacy")["row security"]) == (1, "blocks")
    assert f"ALTER ROLE {reader} BYPASSRLS" in advice(ended, "legacy", "row security")
    planned = cli("plan", "--table", "users", legacy=edge_db.url_as(reader), target=target_db)
    assert planned.code == 1
    assert f"row security hides rows of users from role {reader}" in " ".join(planned.out.split())


def test_rows_of_the_target_hidden_by_a_policy_block(cli: Cli, migrated: Migrated) -> None:
    """They would be taken for deleted by a user. The tables' owner is held to the policy as well where that is forced."""
    migrated.target.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY")
    role = migrated.target.select_only_role("public", "remoteiq_etl")
    ended = cli("doctor", "--json", legacy=migrated.legacy, target=migrated.target.url_as(role))
    assert (ended.code, verdicts(ended, "target")["row security"]) == (1, "blocks")
    hidden = [one for one in json.loads(ended.out)["target"]["differences"] if one["difference"] == "hidden rows"]
    assert [(one["where"], one["found"], one["blocks"]) for one in hidden] == [("users", f"role {role}", "yes")]


def test_a_target_that_may_not_be_written_blocks(cli: Cli, edge_db: Database, empty_db: Database) -> None:
    ended = cli("doctor", "--json", legacy=edge_db, target=empty_db.url_as(empty_db.select_only_role()))
    assert ended.code == 1
    blocking = {name for name, verdict in verdicts(ended, "target").items() if verdict == "blocks"}
    assert blocking == {"extension pgcrypto", "extension citext", "rights", "state schema remoteiq_etl"}


def test_state_of_an_older_program_is_fine_and_that_of_a_newer_one_blocks(cli: Cli, migrated: Migrated) -> None:
    migrated.target.execute("UPDATE remoteiq_etl.meta SET schema_version = schema_version - 1")
    ended = cli("doctor", "--json", legacy=migrated.legacy, target=migrated.target)
    assert (ended.code, verdicts(ended, "target")["state schema remoteiq_etl"]) == (0, "ok")
    migrated.target.execute("UPDATE remoteiq_etl.meta SET schema_version = schema_version + 2")
    ended = cli("doctor", "--json", legacy=migrated.legacy, target=migrated.target)
    assert (ended.code, verdicts(ended, "target")["state schema remoteiq_etl"]) == (1, "blocks")


@pytest.mark.parametrize("columns", ["80", "100", "140"])
def test_the_report_fits_the_terminal(cli: Cli, edge_db: Database, target_db: Database, columns: str) -> None:
    ended = cli("doctor", legacy=edge_db, target=target_db, COLUMNS=columns)
    assert max(map(len, ended.out.splitlines())) <= int(columns)
    assert "agent_jobs.agent_id" in ended.out
