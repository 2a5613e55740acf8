"""`pause`, `resume` and `stop`, and what `run` and `status` say about them."""

import json

from tests.cli.conftest import Cli
from tests.support.server import Database


def test_a_pause_holds_across_commands_until_resume(cli: Cli, edge_db: Database, target_db: Database) -> None:
    paused = cli("pause", "--reason", "backup window", legacy=edge_db, target=target_db)
    assert (paused.code, "No run begins until remoteiq-etl resume" in " ".join(paused.out.split())) == (0, True)
    ran = cli("run", "--table", "permissions", legacy=edge_db, target=target_db)
    assert ran.code == 1
    assert "SourcePaused: the source is paused by" in ran.err
    assert "backup window" in ran.err
    planned = cli("plan", "--table", "permissions", legacy=edge_db, target=target_db)
    assert (planned.code, "the source is paused" in planned.err) == (1, True)
    resumed = cli("resume", legacy=edge_db, target=target_db)
    assert (resumed.code, resumed.out) == (0, "The source 'default' goes on.\n")
    assert cli("plan", "--table", "permissions", legacy=edge_db, target=target_db).code == 0
    assert cli("resume", legacy=edge_db, target=target_db).out == "The source 'default' was not paused.\n"


def test_status_shows_who_paused_when_and_why(cli: Cli, edge_db: Database, target_db: Database) -> None:
    cli("pause", "--reason", "backup window", legacy=edge_db, target=target_db)
    shown = cli("status", legacy=edge_db, target=target_db)
    assert "Paused by" in shown.out
    assert "backup window" in shown.out
    found = json.loads(cli("status", "--json", legacy=edge_db, target=target_db).out)["pause"]
    assert found["reason"] == "backup window"
    assert "@" in found["actor"]
    assert found["given_at"].startswith("20")
    cli("resume", legacy=edge_db, target=target_db)
    assert json.loads(cli("status", "--json", legacy=edge_db, target=target_db).out)["pause"] is None


def test_another_source_is_not_paused(cli: Cli, edge_db: Database, target_db: Database) -> None:
    other = {"REMOTEIQ_SOURCE": "branch", "REMOTEIQ_ORGANIZATION_SLUG": "branch"}
    cli("pause", legacy=edge_db, target=target_db)
    assert cli("plan", "--table", "permissions", legacy=edge_db, target=target_db, **other).code == 0


def test_stop_without_a_run_says_so(cli: Cli, edge_db: Database, target_db: Database) -> None:
    ended = cli("stop", legacy=edge_db, target=target_db)
    assert (ended.code, ended.out) == (0, "No run and no verification of the source 'default' is in work.\n")


def test_stop_names_what_happens_to_the_run_in_work(cli: Cli, edge_db: Database, target_db: Database) -> None:
    cli("plan", "--table", "permissions", legacy=edge_db, target=target_db)
    with target_db.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(hashtextextended('remoteiq_etl/1', 0))")
        ended = cli("stop", "--reason", "wrong target", legacy=edge_db, target=target_db)
        assert "ends after its current batch" in ended.out
        stop = json.loads(cli("status", "--json", legacy=edge_db, target=target_db).out)["stop"]
    assert stop["reason"] == "wrong target"


def test_pause_and_stop_name_what_happens_to_the_verification_in_work(
    cli: Cli, edge_db: Database, target_db: Database
) -> None:
    cli("plan", "--table", "permissions", legacy=edge_db, target=target_db)
    with target_db.connect() as connection:
        connection.execute("SELECT pg_advisory_lock(hashtextextended('remoteiq_etl/verify/1', 0))")
        paused = cli("pause", legacy=edge_db, target=target_db)
        assert "The verification in work waits after its current rows." in " ".join(paused.out.split())
        ended = cli("stop", legacy=edge_db, target=target_db)
    assert "the next remoteiq-etl verify goes on from there" in " ".join(ended.out.split())
    assert "The run ends" not in ended.out
