"""`seal` and `archive`: what an operator does about secrets without a home, and what they are told."""

import json
import re
from collections.abc import Iterator

import pytest

from remoteiq_etl.sensitive.keys import new_key, parse
from remoteiq_etl.sensitive.sealing import Sealer
from tests.cli.conftest import Cli, Ended, Migrated
from tests.support.server import Database, Server

TOKEN = "agenttokenhash-1"
TABLES = (
    "--table",
    "organizations",
    "--table",
    "clients",
    "--table",
    "sites",
    "--table",
    "devices",
    "--table",
    "agents",
)


def key_id(key: str) -> str:
    return Sealer(parse(key, ""), "").key_id


KEYS = new_key(), new_key()


@pytest.fixture
def keys() -> tuple[str, str]:
    return KEYS


@pytest.fixture
def agents(server: Server, cli: Cli, edge_db: Database) -> Iterator[tuple[Database, Database]]:
    """The agents of the edge cases, migrated with the first key: once per session, and the result cloned."""

    def build(target: Database) -> None:
        ended = cli("run", *TABLES, legacy=edge_db, target=target, REMOTEIQ_SEALING_KEY=KEYS[0])
        assert ended.code in (0, 3), ended.err
        assert "withheld" not in ended.out

    target = server.clone("sealed_agents", build)
    yield edge_db, target
    target.drop()


def called(cli: Cli, agents: tuple[Database, Database], *arguments: str, key: str = "") -> Ended:
    ended = cli(*arguments, legacy=agents[0], target=agents[1], REMOTEIQ_SEALING_KEY=key)
    assert not key or not any(part in ended.out + ended.err for part in key.split(","))
    return ended


def test_a_new_key_is_all_that_is_on_stdout_and_its_id_is_on_stderr(cli: Cli) -> None:
    ended = cli(
        "seal", "new-key", legacy="postgresql://nowhere.example.com/a", target="postgresql://nowhere.example.com/b"
    )
    assert ended.code == 0
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}=\n", ended.out)
    assert key_id(ended.out) in ended.err
    assert ended.out.strip() not in ended.err


def test_a_sealed_value_is_shown_to_who_asks_for_it_and_has_the_key(
    cli: Cli, agents: tuple[Database, Database], keys: tuple[str, str]
) -> None:
    [(agent,)] = rows(agents[1], "SELECT legacy_key FROM remoteiq_etl.legacy_archive WHERE \"column\" = 'token_hash'")
    row = ("agents", str(agent))
    ended = called(cli, agents, "seal", "show", *row, "--column", "token_hash", key=keys[0])
    assert (ended.code, ended.out) == (0, f"{TOKEN}\n")
    ended = called(cli, agents, "seal", "show", *row, key=keys[0])
    assert f"legacy_archive / agents / {agent} / token_hash: {TOKEN}\n" in ended.out
    for key, why in (("", "no key is given"), (keys[1], key_id(keys[0]))):
        ended = called(cli, agents, "seal", "show", *row, "--column", "token_hash", key=key)
        assert (ended.code, ended.out) == (1, "")
        assert why in ended.err
    ended = called(cli, agents, "seal", "show", "agents", "no such", key=keys[0])
    assert ended.code == 1
    assert "nothing is kept of agents / no such" in ended.err


def rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.connect() as connection:
        return connection.execute(query.encode()).fetchall()


def test_rotation_says_how_many_rows_are_under_which_key(
    cli: Cli, agents: tuple[Database, Database], keys: tuple[str, str]
) -> None:
    refused = called(cli, agents, "seal", "rotate", key=keys[1])
    assert refused.code == 1
    assert f"rows under {key_id(keys[0])}" in refused.err
    assert called(cli, agents, "seal", "rotate").code == 1
    found = json.loads(called(cli, agents, "seal", "rotate", "--json", key=f"{keys[1]},{keys[0]}").out)
    assert found["rotated"] > 0
    assert found["keys"] == {key_id(keys[1]): found["rotated"]}
    again = called(cli, agents, "seal", "rotate", key=f"{keys[1]},{keys[0]}")
    assert "0 rows were sealed anew" in again.out
    assert "No other key is needed any more." in again.out


def test_the_archive_is_counted_per_legacy_column_and_shows_no_value(
    cli: Cli, agents: tuple[Database, Database]
) -> None:
    found = json.loads(called(cli, agents, "archive", "--table", "agents", "--json").out)["rows"]
    [token] = [one for one in found if one["column"] == "token_hash"]
    assert (token["rule"], token["rows"], token["clear"], token["sealed"], token["withheld"]) == (
        "must_enrol_again", 1, 0, 1, 0,
    )  # fmt: skip
    assert json.loads(called(cli, agents, "archive", "--table", "agents", "--run", "1", "--json").out)["rows"] == found
    ended = called(cli, agents, "archive")
    assert ended.code == 0
    assert "agents.token_hash" in ended.out
    assert TOKEN not in ended.out
    assert called(cli, agents, "archive", "--table", "nobody").code == 2


def test_without_a_key_the_run_and_the_archive_say_what_is_withheld(cli: Cli, migrated: Migrated) -> None:
    assert json.loads(migrated.said)["tables"]["agents"]["remarks"]["secret_withheld"] == 1
    ended = cli("archive", legacy=migrated.legacy, target=migrated.target)
    assert "values are withheld" in ended.out
    assert "users.totp_secret" in ended.out
    ended = cli("run", "--table", "agents", legacy=migrated.legacy, target=migrated.target)
    assert "withheld" in ended.out


def test_a_value_that_was_withheld_cannot_be_shown(cli: Cli, migrated: Migrated) -> None:
    [(agent,)] = rows(
        migrated.target, "SELECT legacy_key FROM remoteiq_etl.legacy_archive WHERE \"column\" = 'token_hash'"
    )
    row = ("agents", str(agent), "--column", "token_hash")
    ended = cli("seal", "show", *row, legacy=migrated.legacy, target=migrated.target)
    assert (ended.code, ended.out) == (1, "")
    assert "is withheld" in ended.err


def test_before_the_first_run_there_is_nothing_sealed(
    cli: Cli, edge_db: Database, empty_db: Database, keys: tuple[str, str]
) -> None:
    assert "holds nothing" in cli("archive", legacy=edge_db, target=empty_db).out
    ended = cli("seal", "rotate", legacy=edge_db, target=empty_db, REMOTEIQ_SEALING_KEY=keys[0])
    assert (ended.code, ended.out.startswith("0 rows")) == (0, True)


def test_an_older_state_schema_is_upgraded_before_it_is_looked_at(
    cli: Cli, agents: tuple[Database, Database], keys: tuple[str, str]
) -> None:
    """What an older program left withheld and what it never recorded are none of them an error."""
    agents[1].execute(
        "ALTER TABLE remoteiq_etl.before_images DROP COLUMN sealed, DROP COLUMN key_id, DROP COLUMN withheld;"
        " DROP TABLE remoteiq_etl.archive_counts; UPDATE remoteiq_etl.meta SET schema_version = 1"
    )
    for command in (("seal", "rotate"), ("archive",)):
        ended = called(cli, agents, *command, key=keys[0])
        assert ended.code == 0, ended.err
    assert "agents.token_hash" in ended.out


def test_a_malformed_key_is_refused_before_anything_is_reached(cli: Cli) -> None:
    nowhere = "postgresql://nowhere.example.com/a"
    ended = cli(
        "run", legacy=nowhere, target="postgresql://nowhere.example.com/b", REMOTEIQ_SEALING_KEY="hunter2,hunter3"
    )
    assert ended.code == 1
    assert "REMOTEIQ_SEALING_KEY, key 1 of 2" in ended.err
    assert "hunter" not in ended.err + ended.out
