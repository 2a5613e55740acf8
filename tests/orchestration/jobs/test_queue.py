"""What is launched by hand: everything at once, and two things that are in each other's way."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.assets.job.asset_job import IMPLICIT_ASSET_JOB_NAME
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon
from dagster_graphql.test.utils import execute_dagster_graphql, infer_repository_selector

from remoteiq_etl.orchestration.runtime.instance import CONFIG, limit_pool
from tests.orchestration.conftest import run_some
from tests.orchestration.some_tables import defs
from tests.support.server import Database

LAUNCH = """
mutation ($selector: JobOrPipelineSelector!) {
  launchRun(executionParams: {selector: $selector, mode: "default"}) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on InvalidSubsetError { message }
  }
}
"""


def test_everything_can_be_materialized_at_once(configured: Database, ephemeral: dg.DagsterInstance) -> None:
    """As the UI's button does it: no asset wants a configuration of its own, and no undo is made along the way."""
    everything = defs.resolve_implicit_global_asset_job_def()
    outcome = everything.execute_in_process(instance=ephemeral, raise_on_error=False)
    assert outcome.success, [event.message for event in outcome.all_events if event.is_failure]
    keys = set(defs.resolve_asset_graph().materializable_asset_keys)
    assert {key for key in keys if ephemeral.get_latest_materialization_event(key) is None} == set()
    assert dg.AssetKey("undo_plan") not in keys


def test_the_order_of_a_run_is_said_by_parents_and_not_by_an_edge_to_every_table() -> None:
    graph = defs.resolve_asset_graph()
    [schema] = [graph.get(dg.AssetKey("target_schema"))]
    assert {key.to_user_string() for key in schema.child_keys} == {
        "organizations", "permissions", "automations", "accepted_drift", "unchanged_tables",
    }  # fmt: skip


def test_a_table_without_its_parents_begins_with_the_preparation(
    configured: Database, ephemeral: dg.DagsterInstance
) -> None:
    outcome = run_some(ephemeral, tables={"sites"})
    assert outcome.success, outcome.errors


@pytest.fixture
def launched(configured: Database, tmp_path: Path) -> Iterator[WorkspaceProcessContext]:
    """An instance as ours is configured, whose launcher starts nothing."""
    config = yaml.safe_load(CONFIG)
    config["run_launcher"] = {"module": "dagster._core.test_utils", "class": "MockedRunLauncher"}
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    with ExitStack() as stack:
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(tmp_path)))
        limit_pool(instance)
        target = InProcessTestWorkspaceLoadTarget(_origin())
        yield stack.enter_context(WorkspaceProcessContext(instance, target))


def _origin() -> Any:
    return InProcessCodeLocationOrigin(
        LoadableTargetOrigin(module_name="tests.orchestration.some_tables", attribute="defs"), location_name="some"
    )


# Dagster reads properties of its own that it has deprecated.
@pytest.mark.filterwarnings("ignore:Property .*:DeprecationWarning")
def test_two_materializations_by_hand_wait_for_each_other(launched: WorkspaceProcessContext) -> None:
    """They have no tag of the source, as a job has it: the pool of their steps lets one of them begin."""
    context = launched.create_request_context()
    for table in ("organizations", "permissions"):
        selector = {
            **infer_repository_selector(context),
            "pipelineName": IMPLICIT_ASSET_JOB_NAME,
            "assetSelection": [{"path": ["target_schema"]}, {"path": [table]}],
        }
        said = execute_dagster_graphql(context, LAUNCH, variables={"selector": selector})
        assert said.data["launchRun"]["__typename"] == "LaunchRunSuccess", said.data
    list(QueuedRunCoordinatorDaemon(interval_seconds=1).run_iteration(launched))
    assert sorted(run.status.value for run in launched.instance.get_runs()) == ["QUEUED", "STARTING"]
