"""`run`, `verify`, `undo` and `reset` move the stage of a migration as is honest, and `status` begins with it."""

import contextlib
import json
from pathlib import Path
from typing import Any

from remoteiq_etl.lifecycle.stages import moves as moves_of
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.state.schema import State
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
    first, second, *rest = shown.splitlines()
    assert first == "The migration of default is in step"
    assert second.startswith("Every table holds what the last run read. It is in step since 20")
    assert "For verified:" in rest
    assert any("43 tables are not verified (never verified)" in line for line in rest)
    assert any("then remoteiq-etl verify makes it so" in line for line in rest)
    found = state(cli, migrated)
    assert (found["stage"], found["next"], found["command"], found["back"], found["run_id"]) == (
        "in step", "verified", "remoteiq-etl verify", "remoteiq-etl undo --all", 1,
    )  # fmt: skip
    branch = cli("status", legacy=migrated.legacy, target=migrated.target, REMOTEIQ_SOURCE="branch")
    assert branch.out.startswith("The migration of branch is not prepared\nFor prepared:\n")


def test_runs_verifications_undo_and_reset_move_it(cli: Cli, migrated: Migrated, tmp_path: Path) -> None:
    """Each command of the way once, on one target."""
    both, plan = {"legacy": migrated.legacy, "target": migrated.target}, tmp_path / "plan.json"

    def after(*command: str, code: int | None = 0) -> str:
        ended = cli(*command, **both)
        assert code is None or ended.code == code, ended.out + ended.err
        return moves(migrated)[-1]

    # What recalls a map that was loaded after it settles in the second run.
    assert after("run", code=3) == "in step"
    assert after("verify") == "verified"
    assert after("run", code=3) == "verified", "it wrote nothing"
    migrated.legacy.execute("UPDATE tickets SET title = title || '!' WHERE id IN (SELECT id FROM tickets LIMIT 2)")
    assert after("run", code=3) == "in step"
    assert after("verify", "tickets") == "verified", "of the others nothing has moved"
    migrated.target.execute("UPDATE remoteiq_etl.verifications SET bugs = 1 WHERE table_name = 'users'")
    assert after("verify", "clients") == "in step", "the verdict of users speaks against it"
    cli("undo", "--table", "agent_software", "--out", str(plan), **both)
    assert after("undo", "--execute", str(plan)) == "loading"
    assert state(cli, migrated)["missing"][0] == {
        "sentence": "1 tables are not loaded: agent_software.", "command": "remoteiq-etl run",
    }  # fmt: skip
    assert after("run", code=3) == "in step"
    assert after("reset", "permissions", "--yes", code=None) == "in step"
    cli("undo", "--all", "--out", str(plan), **both)
    assert after("undo", "--execute", str(plan)) == "prepared"
    assert moves(migrated)[-8:] == [
        "loading", "loading", "in step", "loading", "loading", "in step", "loading", "prepared",
    ]  # fmt: skip


def test_after_the_cut_over_a_run_moves_nothing_and_an_undo_is_refused(
    cli: Cli, migrated: Migrated, tmp_path: Path
) -> None:
    both, plan = {"legacy": migrated.legacy, "target": migrated.target}, tmp_path / "plan.json"
    cli("undo", "--table", "agent_software", "--out", str(plan), **both)
    migrated.target.execute("UPDATE remoteiq_etl.stages SET stage = 'cut over'")
    assert cli("run", "--table", "tickets", **both).code in (0, 3)
    assert state(cli, migrated)["stage"] == "cut over"
    for command in (("undo", "--execute", str(plan)), ("reset", "tickets", "--yes")):
        refused = cli(*command, **both)
        assert refused.code == 1
        assert "this one is cut over. Next: remoteiq-etl cutover --back. Nothing was changed." in refused.err
    migrated.target.execute("UPDATE remoteiq_etl.stages SET stage = 'cleaned up'")
    assert "There is no way back from there" in cli("run", **both).err
    assert "There is no way back from there" in cli("verify", **both).err


def test_no_run_begins_while_a_command_works_on_the_stage(cli: Cli, migrated: Migrated) -> None:
    """Not even one that would have nothing to do; its own run the command says to be a part of it. A verification may go on."""
    target = EngineDatabase(migrated.target.url, "public")
    with contextlib.closing(target.connect()) as session:
        state_of = State(target, "remoteiq_etl")
        source_id = store.source_of(session, state_of, "default")
        assert source_id is not None
        with store.claim(session, state_of, source_id, "cutover"):
            refused = cli("run", "--table", "tickets", legacy=migrated.legacy, target=migrated.target)
            assert refused.code == 1
            assert "in work already: cutover, by " in refused.err
            assert "In work: cutover, by " in cli("status", legacy=migrated.legacy, target=migrated.target).out
            moves_of.refuse(target, "remoteiq_etl", "default", "run", beside=True)
            moves_of.refuse(target, "remoteiq_etl", "default", "verify", beside=True)
    assert moves(migrated) == ["loading", "in step"]


def test_a_target_of_an_older_program_gets_its_stage_derived_once(cli: Cli, migrated: Migrated) -> None:
    older = (
        "UPDATE remoteiq_etl.meta SET schema_version = 15;"
        " DROP TABLE remoteiq_etl.stages, remoteiq_etl.stage_history, remoteiq_etl.stage_claims"
    )
    migrated.target.execute(older)
    found = state(cli, migrated)
    assert (found["stage"], found["by"], found["reason"], found["run_id"]) == (
        "in step", None, "derived from what an older program left", 1,
    )  # fmt: skip
    assert moves(migrated) == ["in step"]
    migrated.target.execute(f"{older}; DELETE FROM remoteiq_etl.assets WHERE table_name = 'tickets'")
    assert state(cli, migrated)["stage"] == "loading"
