"""The jobs undo_plan and undo_execute: a plan is shown, and executed by its digest alone."""

from typing import Any

import dagster as dg

from tests.orchestration.conftest import run_some
from tests.support.server import Database


def plan(instance: dg.DagsterInstance, **scope: Any) -> dict[str, Any]:
    outcome = run_some(instance, "undo_plan", run_config={"ops": {"make_plan": {"config": scope}}})
    assert outcome.success, outcome.errors
    event = instance.get_latest_materialization_event(dg.AssetKey("undo_plan"))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def execute(instance: dg.DagsterInstance, digest: str) -> Any:
    return run_some(instance, "undo_execute", run_config={"ops": {"execute_plan": {"config": {"digest": digest}}}})


def test_a_plan_is_shown_and_executed_by_its_digest(configured: Database, ephemeral: dg.DagsterInstance) -> None:
    assert run_some(ephemeral).success
    shown = plan(ephemeral, everything=True)
    assert "### Undo of everything" in shown["plan"]
    assert "| organizations | 1 | 0 | 0 | 0 | 0 | 0 |" in shown["plan"]
    assert shown["digest"] in shown["plan"]
    unknown = execute(ephemeral, "nosuch")
    assert "no plan with the digest 'nosuch' was made" in str(unknown.errors)
    assert execute(ephemeral, shown["digest"]).success
    with configured.connect() as connection:
        assert connection.execute("SELECT count(*) FROM organizations").fetchall() == [(0,)]


def test_a_plan_names_what_it_is_about(configured: Database, ephemeral: dg.DagsterInstance) -> None:
    assert run_some(ephemeral).success
    outcome = run_some(ephemeral, "undo_plan", run_config={"ops": {"make_plan": {"config": {}}}})
    assert "name exactly one of these" in str(outcome.errors)
