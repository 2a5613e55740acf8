"""The asset migration_report: the verdict and what is to be done in its metadata, and errors without values."""

from pathlib import Path

import dagster as dg

from tests.orchestration.conftest import run_some
from tests.support.server import Database


def test_the_verdict_is_in_the_metadata(configured: Database, ephemeral: dg.DagsterInstance) -> None:
    assert run_some(ephemeral).success
    outcome = run_some(ephemeral, "report")
    assert outcome.success, outcome.errors
    event = ephemeral.get_latest_materialization_event(dg.AssetKey("migration_report"))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    assert metadata["verdict"] == "not verified yet"
    assert metadata["tables"] == {"not verified yet": 4}
    assert metadata["legacy rows without outcome"] == 0
    assert metadata["before the cut-over"] == "- **5 Tables to verify**\n- 5 Kinds of decisions to know of"
    assert {Path(metadata[name]).suffix for name in ("report", "report as JSON")} == {".html", ".json"}
    assert all(Path(metadata[name]).exists() for name in ("report", "report as JSON"))


def test_before_the_first_run_it_fails_and_says_why(configured: Database, ephemeral: dg.DagsterInstance) -> None:
    outcome = run_some(ephemeral, "report")
    assert "No run of the source default has begun yet" in str(outcome.errors)
