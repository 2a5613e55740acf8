"""`run`, `verify`, `undo` and `reset` move the stage of a migration as is honest, and `status` begins with it."""

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Cli, Migrated


def state(cli: Cli, migrated: Migrated) -> dict[str, Any]:
    ended = cli("status", "--json", legacy=migrated.legacy, target=migrated.target)
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)["state"]
    return found


def moves(migrated: Migrated) -> list[str]:
    with migrated.target.connect() as connection:
        rows = connection.execute("SELECT stage FROM remoteiq_etl.stage_history ORDER BY id").fetchall()
    return [row[0] for row in rows]


def test_status_begins_with_the_stage(cli: Cli, migrated: Migrated) -> None:
    shown = cli("status", legacy=migrated.legacy, target=migrated.target).out
    print(shown)
    assert shown.splitlines()[0] == "The migration of default is in step"
    found = state(cli, migrated)
    assert (found["stage"], found["next"], found["command"], found["back"]) == (
        "in step", "verified", "remoteiq-etl verify", "remoteiq-etl undo --all",
    )  # fmt: skip


def test_runs_verifications_undo_and_reset_move_it(cli: Cli, migrated: Migrated, tmp_path: Path) -> None:
    both = {"legacy": migrated.legacy, "target": migrated.target}
    ended = cli("verify", **both)
    assert ended.code == 0, ended.out
    assert state(cli, migrated)["stage"] == "verified"
    cli("run", **both)
    assert state(cli, migrated)["stage"] == "verified"
    migrated.legacy.execute("UPDATE tickets SET title = title || '!' WHERE id IN (SELECT id FROM tickets LIMIT 2)")
    cli("run", **both)
    assert state(cli, migrated)["stage"] == "in step"
    cli("verify", "tickets", **both)
    assert state(cli, migrated)["stage"] == "verified"
    print(moves(migrated))
    migrated.target.execute("UPDATE tickets SET title = 'no such' WHERE title LIKE '%!'")
    plan = tmp_path / "plan.json"
    cli("undo", "--table", "agent_software", "--out", str(plan), **both)
    ended = cli("undo", "--execute", str(plan), **both)
    assert ended.code == 0, ended.out + ended.err
    found = state(cli, migrated)
    print(found)
    assert found["stage"] == "loading"
    cli("run", **both)
    assert state(cli, migrated)["stage"] == "in step"
    print(cli("reset", "permissions", "--yes", **both).out)
    assert state(cli, migrated)["stage"] == "in step"
    print(moves(migrated))
    cli("undo", "--all", "--out", str(plan), **both)
    ended = cli("undo", "--execute", str(plan), **both)
    print(ended)
    found = state(cli, migrated)
    print(found)
