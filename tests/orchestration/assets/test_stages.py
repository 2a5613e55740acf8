"""The jobs prepare and finalize, and the asset migration_state, whose page says where the migration stands."""

from typing import Any

import dagster as dg

from tests.orchestration.conftest import run_some
from tests.support.server import Database


def state(instance: dg.DagsterInstance) -> dict[str, Any]:
    event = instance.get_latest_materialization_event(dg.AssetKey("migration_state"))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def step(instance: dg.DagsterInstance, name: str, **config: Any) -> Any:
    return run_some(instance, name, run_config={"ops": {f"{name}_target": {"config": config}}} if config else None)


def test_each_step_moves_the_stage_and_shows_where_it_stands(
    configured: Database, ephemeral: dg.DagsterInstance
) -> None:
    assert run_some(ephemeral, "state").success
    assert state(ephemeral)["stage"] == "not prepared"
    assert step(ephemeral, "prepare", dry_run=True).success
    with configured.connect() as connection:
        assert connection.execute("SELECT to_regnamespace('remoteiq_etl')").fetchall() == [(None,)]
    assert step(ephemeral, "prepare").success
    found = state(ephemeral)
    assert (found["stage"], found["next stage"]) == ("prepared", "loading")
    assert "### The migration of default is prepared" in found["state"]
    assert "tables are not loaded" in found["state"]
    assert "then `remoteiq-etl run` makes it so" in found["state"]
    assert "Back: `remoteiq-etl prepare --back`" in found["state"]
    refused = step(ephemeral, "finalize")
    assert "finalize needs a migration that is verified or finalized; this one is prepared" in str(refused.errors)
    configured.execute("UPDATE remoteiq_etl.stages SET stage = 'verified'")
    assert step(ephemeral, "finalize").success
    assert state(ephemeral)["stage"] == "finalized"
    assert "| finalized |" in state(ephemeral)["state"]


def test_what_stands_in_the_way_of_prepare_is_an_error_that_names_it(
    configured: Database, ephemeral: dg.DagsterInstance
) -> None:
    with configured.connect() as connection:
        name = connection.info.dbname
    configured.execute(f"ALTER DATABASE {name} SET session_replication_role = 'replica'")
    outcome = step(ephemeral, "prepare")
    assert "target: settings: session_replication_role = replica, set by the database" in str(outcome.errors)
