"""The pass over rows gone from legacy, as a job of its own."""

from collections.abc import Iterator

import dagster as dg
import pytest

from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.orchestration.jobs.execute import JobOutcome
from tests.orchestration.conftest import run_some
from tests.support.peers import Hook, webhook
from tests.support.server import Database

ZEBRAS = (
    "INSERT INTO permissions (key, label, group_key, group_label) VALUES ('zebras.ride', 'Ride', 'zebras', 'Zebras')"
)

Metadata = dict[str, object]


def pass_of(instance: dg.DagsterInstance, **config: object) -> tuple[JobOutcome, Metadata, dg.AssetCheckEvaluation]:
    """Make a pass; what it says of itself, and its check."""
    outcome = run_some(instance, "deletes", run_config={"ops": {"gone_from_legacy": {"config": config}}})
    assert outcome.errors == {}
    found = instance.get_latest_materialization_event(dg.AssetKey("gone_from_legacy"))
    assert found is not None
    assert found.asset_materialization is not None
    metadata = {name: value.value for name, value in found.asset_materialization.metadata.items()}
    entries = instance.all_logs(outcome.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    (event,) = [entry.dagster_event for entry in entries]
    assert event is not None
    return outcome, metadata, event.asset_check_evaluation_data


@pytest.fixture
def hook(configured: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    with webhook() as hook:
        monkeypatch.setenv("REMOTEIQ_ALERTS_WEBHOOK", hook.url)
        yield hook


def permissions(target: Database) -> int:
    with target.connect() as connection:
        row = connection.execute("SELECT count(*) FROM permissions").fetchone()
    assert row is not None
    return int(row[0])


def test_what_is_gone_is_listed_and_deleted_only_where_that_is_asked_for(
    hook: Hook, configured: Database, edge_db: Database, ephemeral: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    edge_db.execute(ZEBRAS)
    run_some(ephemeral, tables=["permissions"])
    before = permissions(configured)
    edge_db.execute("DELETE FROM permissions WHERE key = 'zebras.ride'")
    _, said, check = pass_of(ephemeral)
    assert (said["policy"], said["rows gone"], said["rows deleted"], check.passed) == ("list", 1, 0, True)
    monkeypatch.setenv("REMOTEIQ_DELETES", "propagate")
    _, said, _ = pass_of(ephemeral, policy="list")
    assert (said["policy"], said["rows deleted"]) == ("list", 0)
    _, said, _ = pass_of(ephemeral)
    assert (said["policy"], said["rows deleted"]) == ("propagate", 1)
    assert permissions(configured) == before - 1
    assert hook.posts == []


def test_an_emptied_table_is_held_until_somebody_confirms(
    hook: Hook, configured: Database, edge_db: Database, ephemeral: dg.DagsterInstance
) -> None:
    run_some(ephemeral, tables=["permissions"])
    edge_db.execute("TRUNCATE permissions CASCADE")
    _, said, check = pass_of(ephemeral, policy="propagate")
    assert (check.passed, check.severity, said["rows deleted"]) == (False, dg.AssetCheckSeverity.WARN, 0)
    assert "permissions is empty" in (check.description or "")
    assert [(post["kind"], post["title"]) for post in hook.posts] == [("brake", "the brake holds permissions")]
    _, said, check = pass_of(ephemeral, policy="propagate", confirm=["permissions"])
    assert check.passed
    assert int(str(said["rows deleted"])) > 0
    assert len(hook.posts) == 1


def test_an_unknown_policy_is_refused_before_the_run(ephemeral: dg.DagsterInstance) -> None:
    with pytest.raises(ConfigurationError, match="does not fit it"):
        run_some(ephemeral, "deletes", run_config={"ops": {"gone_from_legacy": {"config": {"policy": "drop"}}}})
