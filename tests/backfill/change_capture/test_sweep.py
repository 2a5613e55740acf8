"""The sweep finds what change capture has missed: unknown keys and other hashes among rows that nothing says were changed."""

import pytest

from remoteiq_etl.backfill.change_capture.sweep import Sweep
from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import FOUND_LATE, Ledger
from tests.assets.builders import uid
from tests.support.library import BOOKS, Library
from tests.support.migrating import Migration
from tests.support.small_installation import TABLES, key

TICKET, USER = key("ticket", 1), key("user", 1)


def forget_ticket(migration: Migration) -> None:
    """As if a ticket had never been read, though its transaction is older than the horizon."""
    migration.target.execute(
        f"DELETE FROM ticket_tags WHERE ticket_id IN (SELECT id FROM tickets WHERE subject = 'Ticket 1');"
        f"DELETE FROM tickets WHERE subject = 'Ticket 1';"
        f"DELETE FROM remoteiq_etl.legacy_tickets_map WHERE legacy_key = '{TICKET}'"
    )


def change_behind_the_horizon(migration: Migration) -> None:
    """Legacy rows are changed, and the next pass is made to believe that it has seen their transaction."""
    migration.legacy.execute(
        f"UPDATE users SET name = 'Changed Name' WHERE id = '{USER}';"
        "UPDATE agent_software SET name = 'changed' WHERE id = 1; UPDATE jobs SET type = 'FILE_OP' WHERE agent_id = 2"
    )
    with migration.legacy.connect() as connection:
        horizon = connection.execute("SELECT txid_snapshot_xmax(txid_current_snapshot())").fetchone()
    assert horizon is not None
    migration.target.execute(f"UPDATE remoteiq_etl.passes SET horizon = {horizon[0]}")


def test_a_sweep_of_what_was_read_finds_nothing(pair: Migration) -> None:
    """Every row of every legacy table is known with its hash: mapped, left out, in quarantine or held."""
    reports = pair.run(*TABLES, mode=Mode.SWEEP)
    assert {name: report.found_late for name, report in reports.items() if report.found_late} == {}
    swept = pair.query("SELECT table_name FROM remoteiq_etl.assets WHERE swept_at IS NOT NULL AND found_late = 0")
    assert {"users", "user_security", "agent_software", "tickets"} <= {row[0] for row in swept}


def test_rows_changed_behind_the_horizon_are_found_loaded_and_counted(pair: Migration) -> None:
    """Row-wise tables read them by key, set-wise ones as a whole; what is made of the same rows follows."""
    change_behind_the_horizon(pair)
    assert pair.run(*TABLES)["users"].read == 0, "nothing told the capture"
    reports = pair.run(*TABLES, mode=Mode.SWEEP)
    assert {name: report.found_late for name, report in reports.items() if report.found_late} == {
        "users": 1, "agent_software": 1, "agent_tasks": 1
    }  # fmt: skip
    assert reports["users"].warnings[FOUND_LATE] == 1
    assert reports["agent_software"].read == 1
    assert pair.query("SELECT first_name FROM users WHERE last_name = 'Name'") == [("Changed",)]
    assert pair.query("SELECT count(*) FROM agent_software WHERE name = 'changed'") == [(1,)]
    assert pair.query("SELECT type::text, count(*) FROM agent_tasks WHERE type = 'command' GROUP BY 1") == [
        ("command", 1)
    ]
    again = pair.run(*TABLES, mode=Mode.SWEEP)
    assert not any(report.found_late for report in again.values())


def test_a_row_that_was_never_read_is_found(pair: Migration) -> None:
    forget_ticket(pair)
    report = pair.run(*TABLES, mode=Mode.SWEEP)["tickets"]
    assert (report.found_late, report.total(Ledger.INSERTED)) == (1, 1)
    assert pair.query("SELECT count(*) FROM tickets WHERE subject = 'Ticket 1'") == [(1,)]


@pytest.mark.parametrize("mode", [Mode.INCREMENTAL, Mode.FULL])
def test_without_a_sweep_nothing_is_swept(pair: Migration, mode: Mode) -> None:
    pair.run("organizations", "users", mode=mode)
    assert pair.query("SELECT count(*) FROM remoteiq_etl.assets WHERE swept_at IS NOT NULL") == [(0,)]


def test_what_changed_since_the_last_run_was_not_found_late(pair: Migration) -> None:
    pair.legacy.execute(f"UPDATE users SET name = 'Changed Name' WHERE id = '{USER}'")
    report = pair.run("organizations", "users", mode=Mode.SWEEP)["users"]
    assert (report.found_late, report.total(Ledger.UPDATED)) == (0, 1)


def test_a_row_of_every_kind_of_outcome_is_known_to_the_sweep(again: Migration) -> None:
    """The edge cases: merged, archived, filtered, quarantined and held rows, keys of several columns, deleted in the target."""
    again.target.execute("DELETE FROM contacts WHERE id IN (SELECT id FROM contacts ORDER BY id LIMIT 1)")
    reports = again.run(mode=Mode.SWEEP)
    assert {name: report.found_late for name, report in reports.items() if report.found_late} == {}


def test_a_sweep_names_the_old_rows_that_are_not_as_they_were_last_read(open_library: Library) -> None:
    """As if all of the rows were older than the horizon: book 1 has another hash, book 5 is in no map."""
    context = open_library.context
    sweep = Sweep(context, lambda *_: context.snapshot.xmax, active=True)
    assert sweep.late("books") == {uid(1), uid(5)}
    assert (sweep.found_late(BOOKS), sweep.late("authors")) == (2, set())
    with context.session.connection.transaction(force_rollback=True):
        sweep.record(BOOKS)
        recorded = "SELECT table_name, found_late FROM remoteiq_etl.assets WHERE swept_at IS NOT NULL"
        assert open_library.rows(recorded) == [("books", 2)]


def test_newer_rows_and_those_of_a_table_that_nobody_has_seen_were_not_found_late(open_library: Library) -> None:
    context = open_library.context
    seen = open_library.run.capture.full_pass.seen_up_to(BOOKS, "books")
    for sweep in (
        Sweep(context, lambda *_: seen, active=True),
        Sweep(context, lambda *_: None, active=True),
        Sweep(context, lambda *_: context.snapshot.xmax, active=False),
    ):
        assert sweep.late("books") == set()
