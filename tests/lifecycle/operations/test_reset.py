"""Forgetting a table or a row, and migrating it again under the same keys."""

import contextlib
from collections.abc import Iterator

import pytest

from remoteiq_etl.backfill.context.plan import Mode, RunPlan
from remoteiq_etl.errors import ConfigurationError, LockedError, SourcePaused
from remoteiq_etl.lifecycle.operations import reset
from remoteiq_etl.lifecycle.operations.reset import ResetFigures, Resetter
from remoteiq_etl.state.orders import Control
from tests.support.migrating import Migration, specs

DEVICE, OTHER = "d0000001-0000-4000-8000-000000000000", "d0000002-0000-4000-8000-000000000000"


@contextlib.contextmanager
def _resetter(migration: Migration) -> Iterator[Resetter]:
    plan: RunPlan = migration.plan
    with reset.opened(plan.target, plan.state_schema, plan.source, plan.specs) as opened:
        yield opened


def _forget(migration: Migration, asset: str, key: str | None = None, **choices: bool) -> ResetFigures:
    with _resetter(migration) as resetter:
        return resetter.forget(resetter.scope(asset, key), **choices)


def _system(migration: Migration, key: str = DEVICE) -> str:
    return str(migration.query("SELECT operating_system FROM devices WHERE id = %s", key)[0][0])


def _edit(migration: Migration, key: str = DEVICE) -> None:
    migration.target.execute(f"UPDATE devices SET operating_system = 'plan9' WHERE id = '{key}'")


def _open_conflicts(migration: Migration) -> list[tuple[str, list[str]]]:
    query = "SELECT legacy_key, columns FROM remoteiq_etl.conflicts WHERE resolved_run IS NULL ORDER BY 1"
    return [(row[0], row[1]) for row in migration.query(query)]


def test_a_forgotten_table_is_read_as_a_whole_once_and_gives_the_same_rows(again: Migration) -> None:
    before = again.checksums(lambda table: table == "devices")
    keys = again.query("SELECT legacy_key, new_key, rule, state FROM remoteiq_etl.map_devices ORDER BY 1, 2, 3")
    versions = again.versions()["devices"]
    found = _forget(again, "devices")
    assert (found.as_written, found.edited, found.deleted) == (30, 0, 0)
    report = again.run("devices")["devices"]
    assert report.reading == "full: reset"
    assert again.checksums(lambda table: table == "devices") == before
    assert again.query("SELECT legacy_key, new_key, rule, state FROM remoteiq_etl.map_devices ORDER BY 1, 2, 3") == keys
    assert again.versions()["devices"] == versions
    assert "reset" not in again.run("devices")["devices"].reading


def test_without_a_reset_an_edit_of_a_row_that_legacy_did_not_change_is_no_conflict(again: Migration) -> None:
    _edit(again)
    again.run("devices", mode=Mode.FULL)
    assert (_open_conflicts(again), _system(again)) == ([], "plan9")


def test_after_a_reset_an_edited_row_is_a_conflict_and_keeps_its_values(again: Migration) -> None:
    _edit(again)
    assert _forget(again, "devices").edited == 1
    again.run("devices")
    assert _open_conflicts(again) == [(DEVICE, ["operating_system"])]
    assert _system(again) == "plan9"


def test_one_row_is_forgotten_by_its_legacy_or_its_new_key_and_no_other(again: Migration) -> None:
    _edit(again)
    _edit(again, OTHER)
    assert _forget(again, "devices", DEVICE) == ResetFigures(edited=1)
    report = again.run("devices")["devices"]
    assert _open_conflicts(again) == [(DEVICE, ["operating_system"])]
    assert report.reading != "full: reset"
    ((key, new_key),) = again.query("SELECT legacy_key, new_key::text FROM remoteiq_etl.map_agents LIMIT 1")
    with _resetter(again) as resetter:
        assert resetter.scope("agents", new_key).rows == resetter.scope("agents", key).rows == (("agents", key),)


def test_take_legacy_overwrites_the_edited_rows_of_the_scope_alone(again: Migration) -> None:
    _edit(again)
    _edit(again, OTHER)
    _forget(again, "devices", take_legacy=True)
    again.run("devices")
    with _resetter(again) as resetter:
        assert resetter.take(resetter.scope("devices", DEVICE)) == 1
    again.run("devices")
    assert (_system(again), _system(again, OTHER)) == ("windows", "plan9")
    images = again.query(
        "SELECT image ->> 'operating_system' FROM remoteiq_etl.before_images WHERE new_key = %s", DEVICE
    )
    assert images == [("plan9",)]


def test_a_row_that_is_as_we_wrote_it_takes_what_legacy_and_the_rules_give_now(again: Migration) -> None:
    """The change is hidden from change capture, so that only the reset leads to it."""
    again.legacy.execute(f"UPDATE devices SET os = 'linux' WHERE id = '{DEVICE}'")
    with again.legacy.connect() as connection:
        row = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text").fetchone()
    assert row is not None
    again.target.execute(f"UPDATE remoteiq_etl.passes SET horizon = {row[0]}")
    again.run("devices")
    assert _system(again) == "windows"
    _forget(again, "devices", DEVICE)
    again.run("devices")
    assert (_system(again), _open_conflicts(again)) == ("linux", [])


def test_a_row_deleted_in_the_target_comes_back_under_its_key_only_if_that_is_asked_for(again: Migration) -> None:
    ((key,),) = again.query("SELECT min(id::text) FROM contacts")
    again.target.execute(f"DELETE FROM contacts WHERE id = '{key}'")
    again.run("contacts")
    assert _forget(again, "contacts", key).deleted == 1
    again.run("contacts")
    assert again.query("SELECT count(*) FROM contacts WHERE id = %s", key) == [(0,)]
    _forget(again, "contacts", key, recreate=True)
    again.run("contacts", recreate={"contacts": frozenset([key])})
    assert again.query("SELECT count(*) FROM contacts WHERE id = %s", key) == [(1,)]


def test_recorded_decisions_stay(again: Migration) -> None:
    decided = (
        "SELECT legacy_table, legacy_key, rule, decision, new_key FROM remoteiq_etl.legacy_tickets_map"
        " WHERE decision IS NOT NULL ORDER BY 1, 2"
    )
    before = again.query(decided)
    _forget(again, "tickets")
    again.run("tickets")
    assert again.query(decided) == before


def test_a_row_left_out_or_waiting_is_read_again(again: Migration) -> None:
    loser = "c5000000-0000-4000-8000-000000000002"
    assert _forget(again, "users", loser) == ResetFigures(waiting=1)
    assert _forget(again, "roles", "AUSSENDIENST") == ResetFigures(left_out=1)
    again.run("users", "roles")
    left_out = "SELECT source_hash IS NOT NULL FROM remoteiq_etl.left_out WHERE legacy_key = 'AUSSENDIENST'"
    assert again.query(left_out) == [(True,)]


def test_a_reset_is_recorded_and_closed_by_the_run_that_read_the_rows(again: Migration) -> None:
    _forget(again, "devices", DEVICE)
    recorded = "SELECT table_name, legacy_table, legacy_key, figures ->> 'as_written', actor <> '', run_id FROM remoteiq_etl.resets"
    assert again.query(recorded) == [("devices", "devices", DEVICE, "1", True, None)]
    again.run("agents")
    assert again.query(recorded)[0][-1] is None
    again.run("devices")
    ((run,),) = again.query("SELECT max(id) FROM remoteiq_etl.runs")
    assert again.query(recorded)[0][-1] == run


def test_an_adopted_row_keeps_its_own_values(again: Migration) -> None:
    again.target.execute(f"UPDATE remoteiq_etl.legacy_devices_map SET adopted = true WHERE legacy_key = '{DEVICE}'")
    _edit(again)
    assert _forget(again, "devices", DEVICE) == ResetFigures(adopted=1)
    again.run("devices")
    assert (_open_conflicts(again), _system(again)) == ([], "plan9")


def test_an_unknown_key_and_a_table_without_rows_say_what_is_missing(again: Migration, migration: Migration) -> None:
    with (
        _resetter(again) as resetter,
        pytest.raises(ConfigurationError, match="no run has read a row of the legacy key 'x'"),
    ):
        resetter.scope("devices", "x")
    with pytest.raises(ConfigurationError, match="no run of the source 'default' has begun"), _resetter(migration):
        pass
    migration.run("organizations")
    with _resetter(migration) as resetter, pytest.raises(ConfigurationError, match="devices was never migrated"):
        resetter.scope("devices")


def test_nothing_is_forgotten_while_a_run_is_in_work_or_runs_are_paused(
    again: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remoteiq_etl.state.locks.LOCK_PATIENCE", 0.0)
    with again.target.connect() as holder:
        holder.execute("SELECT pg_advisory_lock(hashtextextended('remoteiq_etl/1', 0))")
        with pytest.raises(LockedError):
            _forget(again, "devices")
    with _resetter(again) as resetter:
        Control(resetter.session, resetter.state, resetter.source_record.id).pause()
    with pytest.raises(SourcePaused):
        _forget(again, "devices")
    assert again.query("SELECT count(*) FROM remoteiq_etl.resets") == [(0,)]


def test_every_table_can_be_forgotten_and_gives_the_same_rows_under_the_same_keys(again: Migration) -> None:
    before = again.checksums()
    with _resetter(again) as resetter:
        found = {
            asset: resetter.forget(resetter.scope(asset)) for asset, spec in specs().items() if spec.no_source is None
        }
    assert {asset: figures.edited for asset, figures in found.items() if figures.edited} == {}
    assert sum(figures.as_written for figures in found.values()) > 300
    reports = again.run()
    assert {report.reading for asset, report in reports.items() if asset in found} == {"full: reset"}
    assert again.checksums() == before
    assert _open_conflicts(again) == []
