"""The gate in Dagster: a check on `migration_state`, a job that rehearses, and an alert when a gate has closed."""

from typing import Any

import dagster as dg
import pytest

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.gate import gate
from remoteiq_etl.gate.gate import GateState
from remoteiq_etl.orchestration.jobs import gate as jobs
from tests.orchestration.conftest import run_some
from tests.support.server import Database

STATE = dg.AssetKey("migration_state")


def verdict(instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
    key = dg.AssetCheckKey(STATE, "gate")
    found = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key].evaluation
    assert found is not None
    return found


def test_the_check_says_what_keeps_the_gate_closed_and_a_failed_rehearsal_fails_its_run(
    configured: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_some(ephemeral, "state").success
    before = verdict(ephemeral)
    assert (before.passed, "there is nothing to approve" in str(before.metadata["closed by"].value)) == (False, True)
    assert run_some(ephemeral, "prepare").success
    assert run_some(ephemeral, "state").success
    found = verdict(ephemeral)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "| The migration is finalized | **no** |" in str(found.metadata["rules"].value)
    assert "'Every table is loaded by this version' is not so" in str(found.metadata["closed by"].value)
    monkeypatch.setenv("REMOTEIQ_REHEARSAL_URL", Settings.load().target_url or "")
    played = run_some(ephemeral, "rehearse")
    assert not played.success
    assert "REMOTEIQ_REHEARSAL_URL is not empty" in str(played.errors)


def test_an_alert_tells_once_that_the_gate_has_closed(monkeypatch: pytest.MonkeyPatch, configured: Database) -> None:
    """What the gate says here is made up: its rules have tests of their own."""
    said = GateState((), None, (), {})
    sent: list[Any] = []
    monkeypatch.setattr(gate, "status", lambda _migration: said)
    monkeypatch.setattr(jobs.alerts, "send", lambda _alerting, alert: sent.append(alert) or [])
    sensor = jobs.on_closed_gate({}, Settings.load)
    cursor: str | None = None
    outcomes = []
    for closed_by in ((), ("nobody has approved",), ("nobody has approved",)):
        said = GateState((), None, closed_by, {})
        with dg.build_sensor_context(cursor=cursor) as context:
            outcomes.append(sensor.evaluate_tick(context).skip_message)
            cursor = context.cursor
    assert [str(one)[:21] for one in outcomes] == [
        "The gate is open.",
        "the gate of the cut-o",
        "The gate is closed, a",
    ]
    assert [(alert.title, alert.lines) for alert in sent] == [
        ("the gate of the cut-over has closed", ["nobody has approved"])
    ]
