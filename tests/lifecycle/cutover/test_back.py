"""Going back when the new application has written: it is told what, kept in a file, and refused unless somebody says so."""

import json
import stat
from collections.abc import Callable
from dataclasses import replace

import dagster as dg
import pytest

from remoteiq_etl.config.alerts import Alerting
from remoteiq_etl.errors import StageError, TargetWritten
from remoteiq_etl.lifecycle.cutover.back import back
from remoteiq_etl.lifecycle.cutover.late_writes import late_writes
from remoteiq_etl.lifecycle.cutover.watch import TableWrites
from remoteiq_etl.orchestration.jobs import legacy_write_sensor
from tests.support.cutting_over import Ready

Make = Callable[..., Ready]
_WRITES = """
INSERT INTO users (organization_id, email, password_hash) SELECT id, 'new@example.com', 'invented-hash' FROM organizations;
UPDATE backup_jobs SET note = 'edited' WHERE note = 'job 1';
DELETE FROM backup_jobs WHERE note = 'job 2'
"""


def test_what_the_new_application_wrote_is_kept_and_blocks(either: Make) -> None:
    ready = replace(either(fence="stopped"), tables=("backup_policies",), verifies=False)
    with ready.place() as place, pytest.raises(StageError, match="needs a migration that is cut over"):
        back(place)
    ready.cut_over()
    ready.in_target(_WRITES, "public")
    with ready.place() as place, pytest.raises(TargetWritten) as refused:
        back(place)
    said = str(refused.value)
    assert "users (1 rows new or changed, 0 deleted at least)" in said
    assert "backup_jobs (1 rows new or changed, 1 deleted at least)" in said
    assert (ready.stage(), ready.phases()) == ("cut over", ["done"])
    with ready.place() as place:
        report = back(place, lose=True)
    assert report.lost == [TableWrites("backup_jobs", 1, 2), TableWrites("users", 1, 0)]
    assert ready.phases() == ["taken back"]
    assert report.file is not None
    assert stat.S_IMODE(report.file.stat().st_mode) == 0o600
    kept = [json.loads(line) for line in report.file.read_text().splitlines()]
    assert [(one["table"], one["row"].get("note") or one["row"].get("email")) for one in kept] == [
        ("backup_jobs", "edited"),
        ("users", "new@example.com"),
    ]
    assert kept[1]["row"]["password_hash"] == "[redacted]"
    assert "invented-hash" not in report.file.read_text()


def test_legacy_writes_after_the_cut_over_raise_an_alert(one: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each state of the tables; before the cut-over everybody may write."""
    ready = replace(one(fence="stopped"), tables=("backup_policies",), verifies=False)
    sent = []
    monkeypatch.setattr(legacy_write_sensor.alerts, "send", lambda _alerting, alert: sent.append(alert) or [])
    later = replace(ready, schemas=("public_legacy", "public"))
    sensor = legacy_write_sensor.on_legacy_write({}, lambda: later.settings)
    ready.in_legacy("UPDATE devices SET hostname = 'before'")
    with ready.migration() as found:
        assert late_writes(found, "") is None
    ready.make_ready()
    ready.cut_over()
    context = dg.build_sensor_context()
    sensor(context)
    assert sent == []
    later.in_legacy("UPDATE devices SET hostname = 'late' WHERE hostname = 'before'; DELETE FROM agents WHERE id = 1")
    for _ in range(3):  # the second time nothing has moved
        sensor(context)
    assert [(alert.kind, alert.source) for alert in sent] == [("legacy_written", "default")]
    assert sent[0].counts == {"agents": {"written": 0}, "devices": {"written": 4}}
    assert "devices (4 rows new or changed" in sent[0].text
    assert sent[0].kind in Alerting().on
