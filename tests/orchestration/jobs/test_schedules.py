"""What starts runs by itself: schedules, and the sensor that looks at the legacy database."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

import assets
from remoteiq_etl.config.schedules import Schedules
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle.activity import last_activity
from remoteiq_etl.lifecycle.migration import connected
from remoteiq_etl.orchestration.assets.discovery import find_specs
from remoteiq_etl.orchestration.jobs.schedules import with_readable_schedules
from remoteiq_etl.orchestration.runtime.run_options import SOURCE_TAG
from remoteiq_etl.orchestration.runtime.workers import PROCESS_TAG
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.orchestration.conftest import run_some
from tests.orchestration.some_tables import defs
from tests.support.server import Database

REPOSITORY = defs.get_repository_def()
SPECS = find_specs(assets)
SECRET = "hunter2"
UNREACHABLE = f"postgresql://etl:{SECRET}@/nowhere?host=/nowhere"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """On disk: a tick opens its own instance, by reference."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


@dg.job
def other() -> None:
    pass


def tick(instance: dg.DagsterInstance, name: str = "resync_schedule") -> tuple[int, str | None]:
    """How many runs a schedule's tick starts, and why none."""
    context = dg.build_schedule_context(instance, repository_def=REPOSITORY)
    data = REPOSITORY.get_schedule_def(name).evaluate_tick(context)
    return len(data.run_requests or []), data.skip_message


def look(instance: dg.DagsterInstance, cursor: str | None = None) -> tuple[list[dg.RunRequest], str | None, str | None]:
    """The runs that the sensor's tick starts, why none, and its new cursor."""
    context = dg.build_sensor_context(instance, cursor=cursor, repository_def=REPOSITORY)
    data = REPOSITORY.get_sensor_def("resync_on_change").evaluate_tick(context)
    return list(data.run_requests or []), data.skip_message, data.cursor


@contextmanager
def held() -> Iterator[None]:
    """A run of the engine is open, as the command line of another machine would open it."""
    with connected(Settings.load(), SPECS) as migration, migration.run():
        yield


def requested(instance: dg.DagsterInstance, name: str = "resync_schedule") -> dg.RunRequest:
    """The run that a schedule's tick starts."""
    context = dg.build_schedule_context(instance, repository_def=REPOSITORY)
    (request,) = REPOSITORY.get_schedule_def(name).evaluate_tick(context).run_requests or []
    return request


def run_of(instance: dg.DagsterInstance, **tags: str) -> dg.DagsterRun:
    return instance.create_run_for_job(other, status=dg.DagsterRunStatus.STARTED, tags={SOURCE_TAG: "default", **tags})


def test_everything_is_off_until_it_is_switched_on() -> None:
    started = {one.name for one in REPOSITORY.schedule_defs if one.default_status.name == "RUNNING"}
    assert started == {"prune_schedule"}, "it starts nothing on a database"
    assert {one.name: one.default_status.name for one in REPOSITORY.sensor_defs} == {
        "resync_on_change": "STOPPED",
        "alert_on_lost_run": "RUNNING",  # it starts nothing, as the other alerts
        "alert_on_legacy_write": "RUNNING",
        "alert_on_closed_gate": "STOPPED",
    }


@pytest.mark.parametrize("job", ["sweep", "deletes", "verify"])
def test_the_sweep_the_deletes_and_the_verification_have_schedules_of_their_own(
    configured: Database, own: dg.DagsterInstance, job: str
) -> None:
    schedule = REPOSITORY.get_schedule_def(f"{job}_schedule")
    assert (schedule.job_name, schedule.cron_schedule) == (job, getattr(Schedules(), job))
    assert tick(own, schedule.name) == (1, None)


def test_a_tick_starts_a_run_also_before_the_first(configured: Database, own: dg.DagsterInstance) -> None:
    assert tick(own) == (1, None)


def test_a_tick_of_the_re_sync_asks_for_no_more_than_has_changed(
    configured: Database, edge_db: Database, own: dg.DagsterInstance
) -> None:
    """So that an idle source fills no event log. A sweep looks at every row, and records every table."""
    assert run_some(own).success
    idle = requested(own)
    assert {key.to_user_string() for key in idle.asset_selection or []} == {
        "target_schema",
        "accepted_drift",
        "unchanged_tables",
        "target_constraints",
    }
    assert idle.asset_check_keys == []
    assert requested(own, "sweep_schedule").asset_selection is None
    edge_db.execute("UPDATE company_profile SET name = 'Narrow & Co'")
    changed = requested(own)
    assert {"organizations", "sites"} < {key.to_user_string() for key in changed.asset_selection or []}
    assert dg.AssetCheckKey(dg.AssetKey("organizations"), "conservation") in (changed.asset_check_keys or [])
    (of_sensor,), _, _ = look(own)
    assert set(of_sensor.asset_selection or []) == set(changed.asset_selection or [])


def test_a_tick_while_a_run_is_in_progress_is_skipped(configured: Database, own: dg.DagsterInstance) -> None:
    run = run_of(own)
    reason = f"Run {run.run_id} of the source 'default' is in progress."
    assert tick(own) == (0, reason)
    assert look(own)[:2] == ([], reason)


def test_a_run_of_another_source_hinders_nothing(configured: Database, own: dg.DagsterInstance) -> None:
    run_of(own, **{SOURCE_TAG: "elsewhere"})
    assert tick(own) == (1, None)


def test_a_killed_run_does_not_stop_the_schedule(configured: Database, own: dg.DagsterInstance) -> None:
    run = run_of(own)
    gone = f"{run.run_id.partition('-')[0]}/{socket.gethostname()}/another boot/1/1"
    own.add_run_tags(run.run_id, {PROCESS_TAG: gone})
    assert tick(own) == (1, None)


def test_a_tick_while_the_engine_is_at_work_elsewhere_is_skipped(configured: Database, own: dg.DagsterInstance) -> None:
    with held():
        assert tick(own) == (0, "Another run holds the source 'default'.")
        assert look(own)[1] == "Another run holds the source 'default'."
    assert tick(own) == (1, None)


def test_a_paused_source_is_left_alone(configured: Database, own: dg.DagsterInstance) -> None:
    with held():
        pass
    configured.execute(
        "INSERT INTO remoteiq_etl.orders (source_id, action, actor, reason, fence)"
        " SELECT id, 'pause', 'ops', 'a release', fence FROM remoteiq_etl.sources"
    )
    started, reason = tick(own)
    assert started == 0
    assert str(reason).startswith("The source 'default' is paused by ops at ")
    assert str(look(own)[1]).endswith("a release.")


@pytest.mark.parametrize("url", ["REMOTEIQ_LEGACY_URL", "REMOTEIQ_TARGET_URL"])
def test_an_unreachable_database_is_a_reason_of_the_sensor_and_a_failing_run_of_the_schedule(
    configured: Database, own: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Somebody has to hear of it: a run that fails is told."""
    monkeypatch.setenv(url, UNREACHABLE)
    runs, reason, cursor = look(own, "seen before")
    assert (runs, cursor) == ([], "seen before")
    assert str(reason).startswith("ConnectionFailed: cannot connect to postgresql://etl:***@/nowhere")
    assert SECRET not in str(reason)
    assert tick(own)[0] == 1


def test_a_wrong_setting_is_a_reason_of_the_sensor(own: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMOTEIQ_BATCH_ROWS", "many")
    assert "batch_rows: expected a whole number" in str(look(own)[1])


def test_a_wrong_cron_text_is_a_reason_of_the_sensor(
    own: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told at once: the definitions load with the default, and every run and tick says what is wrong."""
    (tmp_path / "wrong.toml").write_text('[schedules]\nsweep = "0 25 * * *"\n', encoding="utf-8")
    monkeypatch.setenv("REMOTEIQ_CONFIG", str(tmp_path / "wrong.toml"))
    assert "wrong.toml: [schedules] sweep: '0 25 * * *' is no cron text" in str(look(own)[1])


def with_cron(text: str) -> Settings:
    return with_readable_schedules(lambda: Settings(schedules=Schedules(verify=text)))()


@pytest.mark.parametrize(
    "text",
    ["*/15 * * * *", "0 2 * * MON-FRI", "5,35 0-6 1,15 jan,JUL *", "10-50/20 */2 * * 0", "0 0 29 2 *", "0 0 31 1-2 *"],
)
def test_a_cron_text_that_dagster_can_follow_is_accepted(text: str) -> None:
    assert with_cron(text).schedules.verify == text


@pytest.mark.parametrize("text", ["60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *"])
def test_a_number_that_no_clock_or_calendar_has_is_refused(text: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"\[schedules\] verify: '.*' is no cron text.*Expected minute \(0-59\)"
    ):
        with_cron(text)


@pytest.mark.parametrize("text", ["a * * * *", "1,,2 * * * *", "0 0 30 2 *", "0 0 31 4 *", "0 0 31 4,6 *"])
def test_no_number_and_a_day_that_never_comes_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no cron text, or its day never comes"):
        with_cron(text)


def test_the_sensor_starts_a_run_only_after_a_write(
    configured: Database, edge_db: Database, own: dg.DagsterInstance
) -> None:
    (first,), _, cursor = look(own)
    (again,), _, _ = look(own)
    assert first.run_key == again.run_key, "a tick that is evaluated twice starts one run"
    assert first.tags[SOURCE_TAG] == "default"
    assert look(own, cursor)[:2] == ([], "No legacy table was written since the last run was started.")
    edge_db.execute("UPDATE devices SET os = 'Plan 9' WHERE id = (SELECT min(id::text) FROM devices)::uuid")
    (second,), _, _ = look(own, cursor)
    assert second.run_key != first.run_key


def engine(database: Database) -> EngineDatabase:
    return EngineDatabase(database.url, "public", read_only=True)


def changes(database: Database, statement: str) -> bool:
    """Whether a statement is seen as a change, once the server has counted it."""
    before = last_activity(engine(database))
    database.execute(statement)
    deadline = time.monotonic() + 2
    while (after := last_activity(engine(database))) == before and time.monotonic() < deadline:
        time.sleep(0.1)
    return after != before


WRITES = [
    "DELETE FROM agent_software WHERE id = (SELECT id FROM agent_software LIMIT 1)",
    "TRUNCATE agent_software",
    "BEGIN; CREATE TABLE copy AS TABLE agent_software; TRUNCATE agent_software; INSERT INTO agent_software TABLE copy; COMMIT",
]


@pytest.mark.parametrize("statement", WRITES, ids=["delete", "truncate", "reload"])
def test_every_kind_of_write_is_seen(edge_db: Database, statement: str) -> None:
    assert changes(edge_db, statement)


def test_what_is_no_legacy_table_is_not_looked_at(edge_db: Database) -> None:
    assert not changes(
        edge_db, "CREATE SCHEMA new; CREATE TABLE new.users AS SELECT 1 AS id; CREATE TABLE notes (id int)"
    )


def test_where_the_server_does_not_count_any_transaction_counts(edge_db: Database) -> None:
    edge_db.execute(f"ALTER DATABASE {edge_db.name} SET track_counts = off")
    assert changes(edge_db, "UPDATE devices SET os = 'Plan 9'")
    assert "/transactions/" in last_activity(engine(edge_db))


@pytest.mark.every_postgres
def test_the_right_to_read_is_enough(legacy_db: Database) -> None:
    role = legacy_db.select_only_role()
    assert "/writes/" in last_activity(EngineDatabase(legacy_db.url_as(role), "public", read_only=True))
