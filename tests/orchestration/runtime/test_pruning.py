"""Which of Dagster's records go, that what the UI shows stays, and that the room comes back."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from remoteiq_etl.config.retention import Retention
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.orchestration.jobs.prune import prune_job
from remoteiq_etl.orchestration.runtime.home import bytes_in
from remoteiq_etl.orchestration.runtime.instance import instance
from remoteiq_etl.orchestration.runtime.pruning import Pruned, prune
from remoteiq_etl.orchestration.runtime.run_options import SOURCE_TAG

OURS = {".dagster/repository": "__repository__@remoteiq_etl"}
LATER = datetime.now(UTC) + timedelta(days=40)


@dg.asset(check_specs=[dg.AssetCheckSpec("counted", asset="moving")])
def moving() -> Iterator[dg.MaterializeResult[None]]:
    yield dg.MaterializeResult(
        metadata={"text": "x" * 20_000}, check_results=[dg.AssetCheckResult(passed=True, check_name="counted")]
    )


@dg.asset
def resting() -> None:
    pass


@dg.job
def other() -> None:
    pass


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The project's own instance, on disk."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with instance(Settings(home=tmp_path / "home")) as opened:
        yield opened


def run(own: dg.DagsterInstance, asset: dg.AssetsDefinition, tags: dict[str, str] | None = None) -> str:
    result = dg.materialize([asset], instance=own, tags=OURS if tags is None else tags)
    assert result.success
    return str(result.run_id)


def runs(own: dg.DagsterInstance) -> list[str]:
    return [one.run_id for one in own.get_runs()]


def of_days(own: dg.DagsterInstance, now: datetime = LATER) -> Pruned:
    return prune(own, Retention(dagster_days=30), now)


def rows(own: dg.DagsterInstance, table: str, run_id: str) -> int:
    """The rows of a run in the file that all runs share."""
    path = Path(own.root_directory) / "history" / "runs" / "index.db"
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute(f"SELECT count(*) FROM {table} WHERE run_id = ?", [run_id]).fetchone()
    return int(found)


def file_of(own: dg.DagsterInstance, run_id: str) -> Path:
    return Path(own.root_directory) / "history" / "runs" / f"{run_id}.db"


def test_old_runs_go_and_those_on_which_the_state_of_an_asset_hangs_stay(own: dg.DagsterInstance) -> None:
    holder = run(own, resting)
    old = [run(own, moving) for _ in range(8)]
    last = run(own, moving)
    pruned = of_days(own)
    assert (pruned.runs, pruned.held) == (8, 1), "the last run counts as none: it always stays"
    assert runs(own) == [last, holder]
    for table in ("event_logs", "asset_check_executions"):
        assert [rows(own, table, run_id) for run_id in old] == [0] * 8
        assert rows(own, table, last) > 0
    assert not any(file_of(own, run_id).exists() for run_id in old)
    for asset, its_run in ((moving, last), (resting, holder)):
        entry = own.get_latest_materialization_event(asset.key)
        assert entry is not None
        assert entry.run_id == its_run
        assert list(own.all_logs(its_run))
    check = dg.AssetCheckKey(moving.key, "counted")
    verdict = own.event_log_storage.get_latest_asset_check_execution_by_key([check])[check]
    assert (verdict.run_id, verdict.status.value) == (last, "SUCCEEDED")


def test_the_room_is_given_back(own: dg.DagsterInstance) -> None:
    run(own, moving)
    one = bytes_in(Path(own.root_directory))
    for _ in range(8):
        run(own, moving)
    pruned = of_days(own)
    assert pruned.before > 2 * one > pruned.after == bytes_in(Path(own.root_directory))
    assert pruned.busy == ()
    index = Path(own.root_directory) / "history" / "runs" / "index.db"
    with closing(sqlite3.connect(index)) as connection:
        assert connection.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert of_days(own).runs == 0, "what is pruned is pruned"


def test_a_file_that_somebody_holds_is_named_and_compacted_another_time(
    own: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remoteiq_etl.orchestration.runtime.pruning._PATIENCE", 0.0)
    for _ in range(4):
        run(own, moving)
    index = Path(own.root_directory) / "history" / "runs" / "index.db"
    with closing(sqlite3.connect(index, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM event_logs").fetchone()
        pruned = of_days(own)
    assert (pruned.runs, pruned.busy) == (3, ("index.db",))
    assert "In use, and compacted another time: index.db." in str(pruned)


def test_young_runs_stay_unless_they_are_beyond_the_number(own: dg.DagsterInstance) -> None:
    made = [run(own, moving) for _ in range(4)]
    assert of_days(own, datetime.now(UTC)).runs == 0
    assert prune(own, Retention(dagster_runs=2)).runs == 2
    assert runs(own) == [made[3], made[2]]


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING])
def test_a_run_that_is_not_finished_stays(own: dg.DagsterInstance, status: dg.DagsterRunStatus) -> None:
    waiting = own.create_run_for_job(other, status=status, tags={SOURCE_TAG: "default", **OURS}).run_id
    failed = own.create_run_for_job(other, status=dg.DagsterRunStatus.FAILURE, tags=OURS).run_id
    last = run(own, resting)
    assert of_days(own).runs == 1
    assert set(runs(own)) == {waiting, last}
    assert failed not in runs(own)


def test_the_runs_of_others_in_the_same_home_are_not_touched(own: dg.DagsterInstance) -> None:
    theirs = [run(own, moving, tags={}), run(own, moving, tags={".dagster/repository": "__repository__@shop"})]
    run(own, moving)
    run(own, moving)
    assert of_days(own).runs == 1
    assert set(theirs) < set(runs(own))


def test_the_job_prunes_as_the_settings_say(own: dg.DagsterInstance) -> None:
    """It runs in the instance that it prunes, and stays itself."""
    made = [run(own, moving) for _ in range(3)]
    result = prune_job(lambda: Settings(retention=Retention(dagster_runs=2))).execute_in_process(
        instance=own, tags=OURS
    )
    assert result.success
    assert runs(own) == [result.run_id, made[2]]


def test_with_a_wrong_setting_nothing_is_deleted(own: dg.DagsterInstance) -> None:
    def settings() -> Settings:
        raise ConfigurationError("remoteiq.toml: [retention] dagster_days: expected 1 to 36500, found 0.")

    run(own, moving)
    result = prune_job(settings).execute_in_process(instance=own, tags=OURS, raise_on_error=False)
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    assert "found 0" in str(failure.step_failure_data.user_failure_data.description)
    assert len(runs(own)) == 2
