"""What decisions warn of is recorded key by key, from the run that finds it until it holds no more."""

import pytest

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from tests.support.migrating import Migration, with_dependencies
from tests.support.server import Database
from tests.support.undoing import EVERYTHING, last_run, undone

FIRST, SECOND = (f"cc00000{number}-0000-4000-8000-000000000000" for number in (1, 2))
TABLES = with_dependencies({"check_assignments"})
RULE = "global_script_not_assigned"


def script(key: str) -> str:
    return (
        "INSERT INTO checks (id, scope, type, name, severity_default, interval_sec, timeout_sec, enabled)"
        f" VALUES ('{key}', 'GLOBAL', 'SCRIPT', '{key}', 'WARN', 60, 10, true)"
    )


@pytest.fixture
def warned(legacy_db: Database, our_target: Database) -> Migration:
    """A script check that legacy runs everywhere, migrated by run 1."""
    legacy_db.execute(script(FIRST))
    migration = Migration.of(legacy_db, our_target)
    migration.run(*TABLES)
    return migration


def recorded(migration: Migration) -> list[tuple[object, ...]]:
    return migration.query(
        "SELECT table_name, rule, legacy_table, legacy_key, run_id FROM remoteiq_etl.decision_warnings ORDER BY run_id"
    )


def of_run(key: str, run: int) -> tuple[object, ...]:
    return ("check_assignments", RULE, "checks", key, run)


def test_a_warning_stays_as_it_was_found_while_it_holds(warned: Migration) -> None:
    assert recorded(warned) == [of_run(FIRST, 1)]
    warned.legacy.execute(script(SECOND))
    report = warned.run(*TABLES)["check_assignments"]
    assert recorded(warned) == [of_run(FIRST, 1), of_run(SECOND, 2)]
    assert (report.warnings[RULE], report.waiting.warnings) == (2, 2)
    warned.run(*TABLES, mode=Mode.FULL)
    assert recorded(warned) == [of_run(FIRST, 1), of_run(SECOND, 2)]


def test_a_warning_that_no_longer_holds_goes(warned: Migration) -> None:
    warned.legacy.execute("UPDATE checks SET enabled = false")
    assert _waiting(warned.run(*TABLES)) == 0
    assert recorded(warned) == []


def test_a_plan_records_none(warned: Migration) -> None:
    warned.legacy.execute(script(SECOND))
    assert warned.run(*TABLES, planning=True)["check_assignments"].warnings[RULE] == 2
    assert recorded(warned) == [of_run(FIRST, 1)]


def test_an_undo_takes_warnings_back_and_the_next_run_finds_them(warned: Migration) -> None:
    """Those that the run which is undone was the first to find; of everything all of the tables that had rows."""
    warned.legacy.execute(
        script(SECOND) + "; INSERT INTO devices (id, hostname, os, status)"
        " VALUES ('d0000001-0000-4000-8000-000000000000', 'host', 'linux', 'online');"
        "INSERT INTO check_assignments (id, device_id, check_type, check_name)"
        " VALUES ('ca000001-0000-4000-8000-000000000000', 'd0000001-0000-4000-8000-000000000000', 'PING', 'up')"
    )
    warned.run(*TABLES)
    undone(warned, UndoScope(run=last_run(warned)))
    assert of_run(FIRST, 1) in recorded(warned)
    assert [one for one in recorded(warned) if one[0] == "check_assignments"] == [of_run(FIRST, 1)]
    warned.run(*TABLES)
    assert of_run(SECOND, 3) in recorded(warned)
    undone(warned, EVERYTHING)
    assert recorded(warned) == []


def _waiting(reports: dict[str, TableReport]) -> int:
    return reports["check_assignments"].waiting.warnings
