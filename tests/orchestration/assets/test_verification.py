"""Verification as asset checks, made by a job of their own."""

import dagster as dg

from tests.orchestration.conftest import run_some
from tests.support.server import Database

#: Which sites there are depends on devices, which none of these tables are.
WAITS = "Stale: legacy has changed since the last run, which explains 3 differences."
VERIFIABLE = {"organizations", "permissions", "clients", "sites"}


def checks_of(instance: dg.DagsterInstance, job: str) -> dict[str, dg.AssetCheckEvaluation]:
    """The checks named verified that a run of a job made, by table."""
    outcome = run_some(instance, job)
    entries = instance.all_logs(outcome.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [entry.dagster_event.asset_check_evaluation_data for entry in entries if entry.dagster_event]
    return {one.asset_key.to_user_string(): one for one in found if one.check_name == "verified"}


def test_the_job_verifies_what_runs_have_loaded_and_no_run_does(
    configured: Database, ephemeral: dg.DagsterInstance
) -> None:
    assert checks_of(ephemeral, "resync") == {}
    first = checks_of(ephemeral, "verify")
    assert {name: one.description for name, one in first.items() if not one.passed} == {"sites": WAITS}
    assert (first.keys(), first["sites"].severity) == (VERIFIABLE, dg.AssetCheckSeverity.WARN)
    assert first["permissions"].metadata["rows compared"].value == 8
    configured.execute("DELETE FROM remoteiq_etl.legacy_permissions_map WHERE legacy_table = 'permissions'")
    found = checks_of(ephemeral, "verify")["permissions"]
    assert (found.passed, found.severity, found.blocking) == (False, dg.AssetCheckSeverity.ERROR, False)
    assert "remoteiq-etl verify permissions names them" in (found.description or "")
    assert int(str(found.metadata["BUG"].value)) > 0


def test_a_table_that_legacy_has_changed_since_is_stale(
    configured: Database, edge_db: Database, ephemeral: dg.DagsterInstance
) -> None:
    run_some(ephemeral)
    edge_db.execute("UPDATE permissions SET label = label || ' (new)' WHERE label <> key")
    found = checks_of(ephemeral, "verify")["permissions"]
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert (found.description or "").startswith("Stale")
    run_some(ephemeral)
    assert checks_of(ephemeral, "verify")["permissions"].passed
