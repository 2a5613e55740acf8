"""`undo`: the plan as text, as JSON and as a file, and its execution."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Ended
from tests.support.migrating import Migration, build_target
from tests.support.server import Database, Server

ADA = "c5000000-0000-4000-8000-000000000001"


class Undoable:
    """Organizations and users, loaded by run 1; the name of one user edited in the target since."""

    def __init__(self, cli: Cli, legacy: Database, migration: Migration) -> None:
        self.cli, self.legacy, self.migration = cli, legacy, migration

    def __call__(self, *arguments: str) -> Ended:
        return self.cli("undo", *arguments, legacy=self.legacy, target=self.migration.target)

    def users(self) -> int:
        return int(self.migration.query("SELECT count(*) FROM users")[0][0])


@pytest.fixture
def undo(cli: Cli, server: Server, edge_db: Database, empty_db: Database) -> Undoable:
    build_target(empty_db, foreign_keys=True)
    migration = Migration.of(edge_db, empty_db)
    migration.run("organizations", "users")
    migration.target.execute(f"UPDATE users SET last_name = 'Edited' WHERE id = '{ADA}'")
    return Undoable(cli, edge_db, migration)


@pytest.mark.parametrize("arguments", [(), ("--all", "--run", "1"), ("--table", "nosuch"), ("--execute", "f", "--all")])
def test_there_is_no_default_and_one_scope(undo: Undoable, arguments: tuple[str, ...]) -> None:
    assert undo(*arguments).code == 2


def test_a_run_that_never_was_is_named(undo: Undoable) -> None:
    ended = undo("--run", "77")
    assert (ended.code, "has no run 77" in ended.err) == (1, True)


def test_a_plan_says_what_would_be_done_within_100_columns_and_writes_nothing(undo: Undoable) -> None:
    users = undo.users()
    ended = undo("--all")
    assert ended.code == 0
    assert "Undo of everything" in ended.out
    assert f"users: edited in target\n{ADA}" in "\n".join(line.strip() for line in ended.out.splitlines())
    assert max(map(len, ended.out.splitlines())) <= 100
    assert undo.users() == users


def test_a_plan_is_kept_in_a_file_and_executed_once(undo: Undoable, tmp_path: Path) -> None:
    path, users = tmp_path / "plan.json", undo.users()
    assert undo("--all", "--out", str(path)).code == 0
    plan = json.loads(path.read_text())
    assert [row["key"] for row in plan["kept"] if row["table"] == "users"] == [ADA]
    done = undo("--execute", str(path))
    assert (done.code, "Proven by checksum" in done.out) == (0, True), done
    assert undo.users() == 1 < users
    again = undo("--execute", str(path), "--json")
    assert (again.code, json.loads(again.out)["before"]) == (0, True)


def test_an_edited_plan_is_refused(undo: Undoable, tmp_path: Path) -> None:
    path, users = tmp_path / "plan.json", undo.users()
    undo("--all", "--out", str(path))
    path.write_text(path.read_text().replace('"remarks": []', '"remarks": ["x"]'))
    ended = undo("--execute", str(path))
    assert (ended.code, "it was edited" in ended.err) == (1, True)
    assert undo.users() == users


def test_rows_of_the_application_block_and_are_named(undo: Undoable, tmp_path: Path) -> None:
    """Its trusted device refers to a user that would go, and the foreign key would cascade."""
    path, users = tmp_path / "plan.json", undo.users()
    undo("--all", "--out", str(path))
    undo.migration.target.execute(
        f"INSERT INTO trusted_devices (user_id, device_fingerprint)"
        f" SELECT id, 'x' FROM users WHERE id <> '{ADA}' LIMIT 1"
    )
    ended = undo("--all")
    assert ended.code == 1
    assert "referred to by a row that is not ours" in ended.out
    assert "trusted_devices" in ended.out
    refused = undo("--execute", str(path))
    assert (refused.code, "block the undo" in refused.err) == (1, True)
    assert undo.users() == users
