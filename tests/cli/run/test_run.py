"""`run` and `plan`: what they do, what they say, how they end, and what a plan leaves alone."""

import json
from pathlib import Path
from typing import NoReturn

import pytest

from remoteiq_etl.cli.run import run as run_module
from tests.cli.conftest import Cli, Migrated
from tests.support.server import Database

# What may differ between a plan and the run that follows it.
MEASURED = {"seconds", "rows_per_second", "bytes", "rows_in_target"}


def counts(out: str) -> dict[str, dict[str, object]]:
    tables = json.loads(out)["tables"]
    return {
        name: {what: value for what, value in found.items() if what not in MEASURED} for name, found in tables.items()
    }


def versions(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """The system columns of every row of every table in public: any write changes them."""
    with database.connect() as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        return {
            name: connection.execute(
                f"SELECT xmin::text, xmax::text, ctid::text FROM public.{name} ORDER BY ctid".encode()
            ).fetchall()
            for (name,) in tables
        }


def test_a_plan_says_what_a_run_does(cli: Cli, migrated: Migrated, empty_db: Database) -> None:
    """Into a target that is still empty, and of which nothing is there afterwards."""
    plan = cli("plan", "--json", legacy=migrated.legacy, target=empty_db)
    assert plan.code == 3
    assert versions(empty_db) == {}
    assert counts(plan.out) == counts(migrated.said)


def test_a_plan_of_a_migrated_target_writes_nothing_to_it(cli: Cli, migrated: Migrated) -> None:
    migrated.legacy.execute("UPDATE devices SET os = 'Plan 9'")
    before = versions(migrated.target)
    plan = cli("plan", "--domain", "inventory", "--json", legacy=migrated.legacy, target=migrated.target)
    assert plan.code == 3
    assert int(str(counts(plan.out)["devices"]["updated"])) > 0
    assert versions(migrated.target) == before


def test_a_run_of_some_tables_loads_only_these(cli: Cli, edge_db: Database, target_db: Database) -> None:
    ended = cli("run", "--table", "organizations", "--table", "permissions", legacy=edge_db, target=target_db)
    assert ended.code == 0, ended.err
    assert "Dagster run " in ended.out
    assert "permissions: 10 rows" in ended.err
    assert [len(versions(target_db)[name]) > 0 for name in ("organizations", "permissions", "roles")] == [
        True,
        True,
        False,
    ]


def test_a_full_run_reads_what_has_not_changed(cli: Cli, migrated: Migrated) -> None:
    databases = {"legacy": migrated.legacy, "target": migrated.target}
    cli("run", "--table", "permissions", **databases)  # the copy of the databases is another one to it
    again = cli("run", "--table", "permissions", **databases)
    assert "Nothing changed in 1 table." in again.out
    assert "Read full: asked for: permissions." in cli("plan", "--full", "--table", "permissions", **databases).out
    assert "Read full: asked for: permissions." in cli("run", "--full", "--table", "permissions", **databases).out


def test_a_run_that_fails_says_why(cli: Cli, empty_db: Database, target_db: Database) -> None:
    ended = cli("run", "--table", "organizations", legacy=empty_db, target=target_db)
    assert ended.code == 1
    assert "target_schema failed: DriftError: The legacy schema 'public' is not as expected" in ended.err


def test_a_failed_run_is_no_success_in_json(cli: Cli, empty_db: Database, target_db: Database) -> None:
    ended = cli("run", "--table", "organizations", "--json", legacy=empty_db, target=target_db)
    said = json.loads(ended.out)
    assert (ended.code, said["success"], list(said["errors"])) == (1, False, ["target_schema"])


def test_words_for_a_value_map_that_does_not_exist_are_refused(
    cli: Cli, edge_db: Database, target_db: Database, tmp_path: Path
) -> None:
    config = tmp_path / "remoteiq.toml"
    config.write_text('[values."tickets.state"]\n"on hold" = "pending"\n', encoding="utf-8")
    ended = cli("plan", legacy=edge_db, target=target_db, REMOTEIQ_CONFIG=str(config))
    assert ended.code == 1
    assert "no table has the value map tickets.state." in ended.err
    assert "tickets.status" in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[values."tickets.status"]\n"on hold" = "waiting"\n',
            "'waiting', which is no label of that column. The labels are: open",
        ),
        ('[conflicts]\ntickts = "fail"\n', "there is no table tickts. 'tickets' is meant?"),
    ],
)
def test_names_in_the_configuration_file_that_nothing_has_are_refused_and_doctor_says_so(
    cli: Cli, edge_db: Database, target_db: Database, tmp_path: Path, text: str, said: str
) -> None:
    """With what is legal there. A label that the target alone has is legal, too."""
    config = tmp_path / "remoteiq.toml"
    config.write_text(text, encoding="utf-8")
    given = {"legacy": edge_db, "target": target_db, "REMOTEIQ_CONFIG": str(config), "COLUMNS": "400"}
    for command in ("plan", "doctor"):
        ended = cli(command, **given)
        assert ended.code == 1
        assert said in " ".join((ended.out + ended.err).split())
    if "waiting" in text:
        target_db.execute(
            "CREATE TYPE ticket_status AS ENUM ('open', 'waiting'); CREATE TABLE tickets (status ticket_status)"
        )
        assert "is no label" not in cli("doctor", **given).out


def interrupted(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def test_ctrl_c_says_what_is_kept(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, edge_db: Database, target_db: Database
) -> None:
    monkeypatch.setattr(run_module, "execute_job", interrupted)
    ended = cli("run", legacy=edge_db, target=target_db)
    assert ended.code == 130
    assert "\nInterrupted. Every batch that was committed is kept" in ended.err
