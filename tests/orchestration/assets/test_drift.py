"""Drift in Dagster: what stops a run, what fails one asset and skips its dependants, and what is accepted in the run config."""

from typing import Any

import dagster as dg
import pytest

from remoteiq_etl.orchestration.jobs.execute import JobOutcome
from remoteiq_etl.orchestration.runtime.run_options import RunOptions
from tests.orchestration.conftest import run_some, runs
from tests.support.server import Database


def metadata(instance: dg.DagsterInstance, outcome: JobOutcome) -> dict[str, Any]:
    events = instance.all_logs(outcome.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    [found] = [
        event.asset_materialization
        for event in events
        if event.asset_materialization and event.asset_materialization.asset_key == dg.AssetKey("accepted_drift")
    ]
    return {name: value.value for name, value in found.metadata.items()}


def test_unaccepted_drift_stops_a_scheduled_run_too(
    configured: Database, edge_db: Database, ephemeral: dg.DagsterInstance
) -> None:
    """Also the second one, when the difference is new since; nothing is written before."""
    assert run_some(ephemeral).success
    edge_db.execute("ALTER TABLE devices ADD rack text")
    outcome = run_some(ephemeral)
    assert (outcome.success, list(outcome.errors)) == (False, ["target_schema"])
    assert "--accept-drift devices.rack:" in outcome.errors["target_schema"]
    assert "clients" in outcome.skipped
    assert len(runs(configured)) == 1


def test_the_run_config_accepts_once_and_for_all(
    configured: Database, edge_db: Database, ephemeral: dg.DagsterInstance
) -> None:
    edge_db.execute("ALTER TABLE devices ADD rack text; UPDATE devices SET rack = 'r1' WHERE hostname IS NOT NULL")
    outcome = run_some(ephemeral, run_config=RunOptions(accept_drift=("devices.rack",)).run_config)
    assert outcome.success, outcome.error
    shown = metadata(ephemeral, outcome)
    assert shown["rows archived"] > 0
    assert [record.data["columns"] for record in shown["archived"].records] == ["rack"]
    assert [text for text in shown["differences"] if "devices.rack" in text]
    assert [text for text in outcome.warnings if "devices.rack" in text]
    assert outcome.reports["accepted_drift"].read == shown["rows archived"]
    assert run_some(ephemeral).success


def test_a_missing_column_fails_its_asset_and_skips_what_depends_on_it(
    configured: Database, edge_db: Database, ephemeral: dg.DagsterInstance
) -> None:
    edge_db.execute("ALTER TABLE tickets DROP site")
    outcome = run_some(ephemeral)
    assert not outcome.success
    assert set(outcome.errors) == {"clients"}
    assert outcome.errors["clients"].startswith("TableBlocked: clients was not loaded, and nothing of it was touched:")
    assert "missing column: tickets.site" in outcome.errors["clients"]
    assert set(outcome.skipped) == {"sites", "target_constraints"}
    assert not any(outcome.reports[name].blocked for name in ("organizations", "permissions", "automations"))
    assert outcome.reports["clients"].blocked
    [(status, error, _)] = runs(configured)
    assert (status, "tickets.site" in error) == ("failed", True)


@pytest.mark.parametrize("tables", [["sites"], ["clients", "sites"]])
def test_a_dependant_that_is_run_alone_fails_as_well(
    configured: Database, edge_db: Database, ephemeral: dg.DagsterInstance, tables: list[str]
) -> None:
    edge_db.execute("ALTER TABLE tickets DROP customer_id")
    outcome = run_some(ephemeral, tables=tables)
    assert not outcome.success
    assert "tickets.customer_id" in outcome.errors[tables[0]]
