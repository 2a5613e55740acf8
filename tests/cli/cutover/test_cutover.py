"""`cutover` and `cleanup` by the command line: the plan, the cut-over, the way back, the script; and the jobs of the same names."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from remoteiq_etl.cli import selection
from remoteiq_etl.cli.cutover import cutover as command
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.cutover.steps import CutOverStep
from remoteiq_etl.orchestration.jobs import cutover as jobs
from tests.cli.conftest import Cli, Ended
from tests.support.cutting_over import OpenGate, Ready, two_databases, with_parents
from tests.support.migrating import specs
from tests.support.server import Server

TABLES = with_parents(("backup_policies",))
Call = Callable[..., Ended]


@pytest.fixture
def ready(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ready]:
    """A migration of two databases, of three tables."""
    found = two_databases(server, tmp_path)
    declared = selection.all_tables()
    monkeypatch.setattr(selection, "all_tables", lambda: {name: declared[name] for name in TABLES})
    yield found
    for database in (found.legacy, found.target):
        database.drop()


@pytest.fixture
def call(cli: Cli, ready: Ready) -> Call:
    def call(*arguments: str, **environ: str) -> Ended:
        return cli(*arguments, legacy=ready.legacy, target=ready.target, **environ)

    return call


@pytest.fixture
def open_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (command, jobs):
        monkeypatch.setattr(module, "GateOf", lambda _migration: OpenGate())


def test_what_cannot_be_asked_for_is_a_usage_error(call: Call) -> None:
    wrong = (["--lose"], ["--back", "--dry-run"], ["--back", "--fence", "stopped"], ["--fence", "wall"])
    assert [call("cutover", *arguments).code for arguments in wrong] == [2] * len(wrong)


def test_a_migration_is_cut_over_and_back(call: Call, ready: Ready, open_gate: None) -> None:
    """With a connection of its own for the fence, whose password nothing shows."""
    plan = call("cutover", "--dry-run")
    assert plan.code == 0
    assert "Expected downtime, from the fence to the switch:" in plan.out
    assert max(map(len, plan.out.splitlines())) <= 100
    planned = json.loads(call("cutover", "--dry-run", "--fence", "stopped", "--json").out)["rows"]
    assert [one["step"] for one in planned] == list(CutOverStep)
    assert call("cutover", "--back").code == 1
    admin = ready.legacy.url.replace("tester@", "tester:invented-password@")
    done = call("cutover", "--json", REMOTEIQ_LEGACY_ADMIN_URL=admin)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["cutover"], found["fence"], found["fence_stands"]) == (1, "read_only", True)
    assert found["downtime_seconds"] > 0
    assert [
        line.partition(":")[0] for line in done.err.splitlines() if line.partition(":")[0] in list(CutOverStep)
    ] == list(CutOverStep)
    again = call("cutover")
    assert (again.code, "this one is cut over" in again.err) == (1, True)
    script = call("cleanup", "--dry-run")
    assert script.code == 0
    assert script.out.splitlines()[-1].startswith("DROP TABLE")
    assert (call("cleanup", "--confirm", "other").code, call("cleanup", "--confirm", "default").code) == (1, 1)
    back = call("cutover", "--back")
    assert (back.code, "The cut-over 1 is taken back." in back.out) == (0, True)
    assert not ready.fence_stands()
    for said in (plan, done, again, script, back):
        assert "invented-password" not in said.out + said.err


def test_a_closed_gate_says_why_and_nothing_happens(call: Call, ready: Ready) -> None:
    ended = call("cutover")
    assert (ended.code, "the gate is closed, so nothing was done" in ended.err) == (1, True)
    assert ready.query("SELECT count(*) FROM remoteiq_etl.cutovers") == [(0,)]


def test_the_admins_connection_comes_from_the_environment_alone(tmp_path: Path) -> None:
    url = "postgresql://admin:invented-password@db.example.com/remoteiq"
    found = Settings.load({"REMOTEIQ_LEGACY_ADMIN_URL": url}, tmp_path)
    assert found.legacy_admin_url == url
    assert "invented-password" not in repr(found) + str(found)
    (tmp_path / "remoteiq.toml").write_text(f'legacy_admin_url = "{url}"')
    with pytest.raises(Exception, match="Set REMOTEIQ_LEGACY_ADMIN_URL in the environment") as refused:
        Settings.load({}, tmp_path)
    assert "invented-password" not in str(refused.value)


def test_the_jobs_do_the_same(ready: Ready, open_gate: None) -> None:
    declared = {name: spec for name, spec in specs().items() if name in TABLES}
    by_name = {job.name: job for job in jobs.definitions(declared, lambda: ready.settings)}

    def run(job: str, op: str, **config: Any) -> dict[str, Any]:
        result = by_name[job].execute_in_process(run_config={"ops": {op: {"config": config}}}, raise_on_error=False)
        (event,) = [one for one in result.all_events if one.is_step_failure or one.is_successful_output]
        if event.is_step_failure:
            failure = event.step_failure_data.user_failure_data
            assert failure is not None
            return {"failed": failure.description}
        return {name: value.value for name, value in event.step_output_data.metadata.items()}

    assert "| wait | " in run("cutover", "cut_over", dry_run=True)["steps"]
    assert ready.phases() == []
    done = run("cutover", "cut_over", fence="stopped")
    assert (done["cut-over"], done["fence stands"]) == (1, True)
    assert "StageError" in run("cutover", "cut_over")["failed"]
    assert "CleanupError" in run("cleanup", "clean_up", confirm="default")["failed"]
    assert "StageError" in run("cleanup_state", "drop_state", confirm="default")["failed"]
    assert run("cutover_back", "go_back") == {"cut-over": 1, "rows lost": {}, "kept in": ""}
    assert ready.phases() == ["taken back"]
    assert isinstance(by_name["cleanup"], dg.JobDefinition)
