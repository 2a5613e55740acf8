"""`prepare` looks first, makes the target or recognises what another made, prints its SQL, and can be taken back."""

import json

import pytest

from tests.cli.conftest import Cli, Migrated
from tests.support.server import Database


def stage(cli: Cli, legacy: Database, target: Database) -> str:
    found = json.loads(cli("status", "--json", legacy=legacy, target=target).out)
    return str(found["state"]["stage"])


def tables(target: Database) -> int:
    with target.connect() as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.every_postgres
def test_it_makes_the_target_once_and_takes_it_back(cli: Cli, edge_db: Database, empty_db: Database) -> None:
    both = {"legacy": edge_db, "target": empty_db}
    first = cli("prepare", **both)
    assert first.code == 0, first.err
    assert "The target is prepared: 48 tables created" in first.out
    assert "75 foreign keys and indexes come after the load" in first.out
    assert (stage(cli, **both), tables(empty_db)) == ("prepared", 48)
    again = json.loads(cli("prepare", "--json", **both).out)
    assert (again["prepared"]["created"], len(again["prepared"]["existing"]), again["blocks"]) == ([], 48, False)
    empty_db.execute("INSERT INTO organizations (name, slug) VALUES ('Example', 'example')")
    refused = cli("prepare", "--back", **both)
    assert refused.code == 1
    assert "1 tables that prepare made have rows: organizations. Nothing was dropped." in refused.err
    empty_db.execute("DELETE FROM organizations; CREATE VIEW of_others AS SELECT * FROM clients")
    refused = cli("prepare", "--back", **both)
    assert "view of_others depends on table clients" in refused.err
    empty_db.execute("DROP VIEW of_others")
    assert "48 empty tables were dropped" in cli("prepare", "--back", **both).out
    assert (stage(cli, **both), tables(empty_db)) == ("not prepared", 0)
    with empty_db.connect() as connection:
        left = "SELECT proname FROM pg_proc WHERE proname = 'set_updated_at' UNION SELECT typname FROM pg_type WHERE typtype = 'e'"
        assert connection.execute(left).fetchall() == []
    assert "48 tables created" in cli("prepare", **both).out


def test_what_another_made_is_recognised_and_checked_and_stays_at_the_way_back(
    cli: Cli, edge_db: Database, application_target: Database
) -> None:
    both = {"legacy": edge_db, "target": application_target}
    application_target.execute("ALTER TABLE tickets ADD COLUMN of_others text")
    ended = cli("prepare", **both)
    assert ended.code == 0, ended.err
    assert "0 tables created" in ended.out
    assert "48 tables were there already" in ended.out
    assert "extra column: tickets.of_others" in ended.out
    assert "0 empty tables were dropped" in cli("prepare", "--back", **both).out
    assert tables(application_target) == 48


def test_what_stands_in_the_way_is_found_first_and_nothing_is_made(
    cli: Cli, edge_db: Database, empty_db: Database
) -> None:
    """The SQL is printed all the same: who may run it is somebody else."""
    role = empty_db.select_only_role()
    ended = cli("prepare", legacy=edge_db, target=empty_db.url_as(role))
    assert ended.code == 1
    assert "may not create" in ended.out
    assert "The target was not prepared" in ended.err
    script = cli("prepare", "--dry-run", legacy=edge_db, target=empty_db.url_as(role))
    assert script.code == 0
    assert f"{role} may not create the 48 tables that are missing" in script.err
    assert script.out.startswith("-- prepare of public for default.")
    assert script.out.count("CREATE TABLE") > 48
    assert tables(empty_db) == 0


def test_settings_of_the_role_and_the_clock_are_looked_at(cli: Cli, edge_db: Database, empty_db: Database) -> None:
    with empty_db.connect() as connection:
        name = connection.info.dbname
    empty_db.execute(f"ALTER DATABASE {name} SET session_replication_role = 'replica'")
    found = json.loads(cli("prepare", "--json", legacy=edge_db, target=empty_db).out)
    subjects = {one["subject"]: one for one in found["target"]["findings"]}
    assert subjects["settings"]["verdict"] == "blocks"
    assert "session_replication_role = replica, set by the database" in subjects["settings"]["found"]
    assert {"disk space", "clock", "collation"} <= subjects.keys()
    assert found["prepared"] is None
    empty_db.execute(f"ALTER DATABASE {name} RESET session_replication_role")
    empty_db.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    found = json.loads(cli("doctor", "--json", legacy=edge_db, target=empty_db).out)
    settings = next(one for one in found["target"]["findings"] if one["subject"] == "settings")
    assert (settings["verdict"], settings["found"]) == ("warning", "synchronous_commit, set by the database")


def test_it_does_not_fit_after_the_cut_over(cli: Cli, migrated: Migrated) -> None:
    migrated.target.execute("UPDATE remoteiq_etl.stages SET stage = 'cut over'")
    ended = cli("prepare", legacy=migrated.legacy, target=migrated.target)
    assert ended.code == 1
    assert "remoteiq-etl prepare needs a migration that is not prepared" in ended.err
