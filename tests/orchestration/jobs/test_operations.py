"""The jobs doctor, plan, pause, resume and stop: what the commands of these names do, for who works in the UI."""

from typing import Any

import dagster as dg

from tests.orchestration.conftest import run_some
from tests.support.server import Database


def metadata(instance: dg.DagsterInstance, run_id: str) -> dict[str, Any]:
    """What the one step of a run has shown."""
    [event] = [
        entry.get_dagster_event() for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_OUTPUT)
    ]
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def rows(target: Database, query: str) -> list[tuple[Any, ...]]:
    with target.connect() as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_plan_shows_what_a_run_would_do_and_writes_no_table(
    configured: Database, ephemeral: dg.DagsterInstance
) -> None:
    outcome = run_some(ephemeral, "plan", run_config={"ops": {"work_out": {"config": {"tables": ["permissions"]}}}})
    assert outcome.success, outcome.errors
    [record] = metadata(ephemeral, outcome.run_id)["what a run would do"].records
    assert record.data["table"] == "permissions"
    assert record.data["rows inserted"] > 0
    assert rows(configured, "SELECT to_regclass('public.permissions')") == [(None,)]
    unknown = run_some(ephemeral, "plan", run_config={"ops": {"work_out": {"config": {"tables": ["permissons"]}}}})
    assert "there is no table permissons" in str(unknown.errors)


def test_the_launchpad_needs_no_configuration_and_a_pause_is_kept_until_resume(
    configured: Database, ephemeral: dg.DagsterInstance
) -> None:
    for job in ("doctor", "pause"):
        assert run_some(ephemeral, job).success
    assert "paused" in str(run_some(ephemeral).errors)
    reason = {"ops": {"resume_source": {"config": {"reason": "month end is over"}}}}
    assert run_some(ephemeral, "resume", run_config=reason).success
    assert run_some(ephemeral, "stop").success
    assert run_some(ephemeral, tables={"permissions"}).success


def test_the_doctor_fails_where_something_blocks(configured: Database, ephemeral: dg.DagsterInstance) -> None:
    configured.execute("CREATE TABLE permissions (id text PRIMARY KEY)")
    outcome = run_some(ephemeral, "doctor")
    assert not outcome.success
    assert "target: " in str(outcome.errors)
