"""What the report says of a migrated target: the law, what waits, what is to be done, and what was verified."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from remoteiq_etl.errors import ReportError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.report.make import Written
from remoteiq_etl.report.model import Report, Standing
from remoteiq_etl.report.waiting import FEW
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.verdicts import store
from remoteiq_etl.verify.verdicts.model import (
    DATABASE,
    Aggregate,
    AggregateFigures,
    Check,
    Finding,
    FindingKind,
    Label,
    Status,
    TableVerdict,
)
from tests.report.conftest import DEVICE, report_of
from tests.support.migrating import Migration, specs, target_tables


@pytest.fixture(scope="module")
def report(written: Written) -> Report:
    return written.report


def test_every_table_of_the_target_is_told_once(report: Report) -> None:
    assert sorted(table.name for table in report.tables) == sorted(target_tables())
    assert {table.name for table in report.tables if table.no_source} == {
        "automations", "automation_runs", "storage_connections", "ticket_attachments", "ticket_updates",
    }  # fmt: skip


def test_every_legacy_row_has_one_outcome(report: Report, looked_at: Migration) -> None:
    counted = {
        account.legacy_table: account.rows for table in report.tables for account in table.accounts if account.primary
    }
    with looked_at.legacy.connect() as connection:
        for table, rows in counted.items():
            found = connection.execute(f'SELECT count(*) FROM "{table}"'.encode()).fetchone()
            assert found == (rows,), table
    assert len(counted) > 25
    assert [(table.name, table.lost, table.gone) for table in report.tables if table.lost or table.gone] == []


def test_rows_are_counted_under_what_became_of_them(report: Report, looked_at: Migration) -> None:
    users = next(table for table in report.tables if table.name == "users")
    (account,) = users.accounts
    assert account.outcomes == {"migrated": 16, "quarantined": 8}
    for table in report.tables:
        assert looked_at.query(f'SELECT count(*) FROM "{table.name}"') == [(table.rows,)], table.name


def test_a_row_that_the_state_knows_nothing_of_breaks_the_law(again: Migration, tmp_path: Path) -> None:
    again.target.execute("DELETE FROM remoteiq_etl.quarantine WHERE table_name = 'devices'")
    made = report_of(again, tmp_path)
    assert {table.name: table.lost for table in made.report.tables if table.lost} == {"devices": 1}
    assert "1 without outcome" in made.page.read_text()


def test_a_row_that_waits_now_keeps_its_target_row_among_ours(again: Migration, tmp_path: Path) -> None:
    again.legacy.execute("UPDATE devices SET status = 'sleeping' WHERE hostname = 'WS-001'")
    again.target.execute(
        "INSERT INTO devices (id, hostname) VALUES ('a1a1a1a1-0000-4000-8000-000000000002', 'by hand')"
    )
    again.run("organizations", "clients", "sites", "devices")
    devices = next(table for table in report_of(again, tmp_path).report.tables if table.name == "devices")
    (account,) = [one for one in devices.accounts if one.primary]
    assert account.outcomes["quarantined"] > 1
    assert (devices.rows, devices.ours, devices.lost) == (31, 30, 0)


def test_a_row_gone_from_legacy_is_not_taken_for_a_lost_one(again: Migration, tmp_path: Path) -> None:
    again.legacy.execute("DELETE FROM trusted_devices")
    again.run("organizations", "users", "trusted_devices")
    trusted = next(table for table in report_of(again, tmp_path).report.tables if table.name == "trusted_devices")
    assert (trusted.lost, trusted.gone) == (0, 2), "the other two waited, and have been let go"


def test_what_a_person_has_to_do_is_derived_from_rows(report: Report) -> None:
    found = {task.name: task.count for task in report.tasks}
    assert found == {
        "verify": 44, "quarantine_open": 46, "held_open": 17, "accounts_to_merge": 6, "agents_to_enrol": 1,
        "connections_missing": 1, "script_checks": 1, "mailboxes_start": 2, "backups_at_cutover": 1,
        "second_factor_unreadable": 2, "secrets_withheld": 5, "decisions_to_know": 15,
    }  # fmt: skip
    named = {task.name: list(task.keys) for task in report.tasks}
    assert named["agents_to_enrol"] == ["1"]
    assert named["script_checks"] == ["Nightly script"]
    assert "check_assignments global_script_not_assigned: 1" in named["decisions_to_know"]
    assignments = next(table for table in report.tables if table.name == "check_assignments")
    (remark,) = [one for one in assignments.remarks if one.rule == "global_script_not_assigned"]
    assert remark.rows == 1


def test_what_was_done_is_told_no_more_and_what_came_up_is(again: Migration, tmp_path: Path) -> None:
    again.target.execute(
        """
        INSERT INTO storage_connections (id, organization_id, name, kind)
            SELECT (configuration ->> 'connectionId')::uuid, organization_id, 'Shelf', 'sftp' FROM backup_destinations;
        UPDATE backup_policies SET options = options || '{"enabled": true}' WHERE is_default;
        UPDATE agent_tasks SET status = 'queued' WHERE id = (SELECT id FROM agent_tasks LIMIT 1);
        UPDATE remoteiq_etl.quarantine SET ignored_at = now(), ignored_by = 'dba', ignored_reason = 'test accounts';
        UPDATE remoteiq_etl.legacy_users_map SET rule = 'adopted', adopted = true WHERE legacy_key LIKE '%1';
        UPDATE user_security SET two_factor_enabled = true, totp_secret = NULL WHERE totp_secret IS NULL;
        UPDATE users SET password_hash = '!', status = 'active';
        INSERT INTO remoteiq_etl.accepted_drift (source_id, name, kind, run_id) VALUES (1, 'users.shoe_size', 'extra_column', 1);
        DELETE FROM remoteiq_etl.assets WHERE table_name = 'tickets';
        """
    )
    found = {task.name: task.count for task in report_of(again, tmp_path).report.tasks}
    assert not {"connections_missing", "quarantine_open", "accounts_to_merge", "backups_at_cutover"} & found.keys()
    assert found["backups_start"] == found["work_starts"] == found["drift_accepted"] == found["tables_unfinished"] == 1
    (adopted,) = again.query("SELECT count(*) FROM remoteiq_etl.map_users WHERE rule = 'adopted' AND state = 'live'")
    (security,) = again.query("SELECT count(*) FROM user_security WHERE two_factor_enabled AND totp_secret IS NULL")
    assert found["accounts_adopted"] == adopted[0] > 0
    assert found["passwords_to_set"] == 16 - adopted[0]
    assert found["second_factor_missing"] == security[0] > 0


def test_quarantined_rows_are_grouped_with_a_few_redacted_samples(report: Report, looked_at: Migration) -> None:
    open_rows = looked_at.query("SELECT count(*) FROM remoteiq_etl.quarantine WHERE released_run IS NULL")
    assert [(sum(group.rows for group in report.quarantine),)] == open_rows
    twins = next(group for group in report.quarantine if (group.table, group.rule) == ("users", "duplicate_email"))
    assert (twins.rows, twins.columns, len(twins.samples)) == (6, ["email"], FEW)
    assert all(sample.row["password_hash"] in ("[redacted]", None) for sample in twins.samples)


def test_conflicts_show_all_sides_of_the_columns_that_differ(again: Migration, tmp_path: Path) -> None:
    again.target.execute("UPDATE tickets SET subject = 'by hand'")
    again.legacy.execute("UPDATE tickets SET title = 'by legacy'")
    again.run("organizations", "tickets")
    report = report_of(again, tmp_path).report
    (group,) = [group for group in report.conflicts if group.table == "tickets"]
    assert (group.rows, group.decided, len(group.samples)) == (11, 0, FEW)
    (side,) = group.samples[0].sides
    assert (side.column, side.current, side.incoming) == ("subject", "by hand", "by legacy")
    assert side.last_written not in (None, side.current, side.incoming)
    assert {task.name: task.count for task in report.tasks}["conflicts_open"] == 11


def test_words_stand_against_labels_and_what_the_target_holds(report: Report) -> None:
    status = next(matrix for matrix in report.matrices if matrix.name == "tickets.status")
    assert {word.word: dict(word.labels) for word in status.words if word.word in ("on_hold", "escalated")} == {
        "on_hold": {"pending": 1},
        "escalated": {"not in the map": 2},
    }
    assert not status.measured
    assert status.in_target == {"open": 5, "pending": 4, "resolved": 1, "closed": 1}
    dates = next(one for one in report.formats if one.name == "agent_software.install_date")
    assert "99/99/9999" in {word.word for word in dates.words}


def test_a_verified_table_has_a_matrix_of_rows_and_the_sums_of_both_sides(again: Migration, tmp_path: Path) -> None:
    ((now,),) = again.query("SELECT clock_timestamp()")
    counted = {"status": {"on_hold": {"pending": 7}, "open": {"open": 2, "quarantined": 1}}}
    summed = Aggregate(
        "tickets", "n", "number", "number", AggregateFigures(7, 0, "61234"), AggregateFigures(7, 0, "71234")
    )
    verify_as(again, [replace(verdict_of("tickets", now), matrices=counted, aggregates=(summed,))])
    made = report_of(again, tmp_path)
    shown = made.page.read_text()
    assert "Sums, minima and maxima of 1 column, by both servers: 1 differs" in shown
    assert "61,234<br>71,234" in shown
    told = next(one for one in json.loads(made.data.read_text())["tables"] if one["name"] == "tickets")
    assert told["verified"]["verdict"]["aggregates"] == [summed.as_json()]
    status = next(one for one in made.report.matrices if one.name == "tickets.status")
    assert status.measured
    assert {word.word: (word.rows, dict(word.labels)) for word in status.words} == {
        "on_hold": (7, {"pending": 7}),
        "open": (3, {"open": 2, "quarantined": 1}),
    }


def test_the_index_finds_every_key_of_a_small_migration(report: Report, looked_at: Migration) -> None:
    assert report.index.complete
    found = {(report.index.names[row[0]], row[1], report.index.names[row[2]]) for row in report.index.rows}
    mapped = looked_at.query(
        "SELECT legacy_table, legacy_key, entity FROM remoteiq_etl.map_all WHERE state <> 'decided'"
    )
    waiting = looked_at.query("SELECT legacy_table, legacy_key, table_name FROM remoteiq_etl.quarantine")
    assert len(mapped) > 400
    assert found >= {*mapped, *waiting}


def test_the_json_says_the_same(written: Written) -> None:
    told = json.loads(written.data.read_text())
    assert told["verdict"]["standing"] == "not verified yet"
    assert {table["name"]: table["rows"] for table in told["tables"]} == {
        table.name: table.rows for table in written.report.tables
    }
    assert told["record"]["subject"] == f"devices {DEVICE}"
    assert told["tables"][0]["accounts"][0]["remainder"] == 0


def test_only_the_owner_can_read_the_files(written: Written) -> None:
    assert {path.stat().st_mode & 0o777 for path in (written.page, written.data)} == {0o600}
    assert sorted(path.name for path in written.page.parent.iterdir()) == [
        "migration-default.html",
        "migration-default.json",
    ]


def test_a_table_that_nobody_knows_cannot_be_explained(looked_at: Migration, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="there is no table 'gadgets'"):
        report_of(looked_at, tmp_path, "gadgets", "1")


def test_a_place_that_cannot_be_written_is_named(looked_at: Migration, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file, where a directory is wanted")
    with pytest.raises(ReportError, match=r"reports/migration-default\.html: the report cannot be written"):
        report_of(looked_at, tmp_path)


# --- verified -------------------------------------------------------------------------------------------------------


def verify_as(migration: Migration, verdicts: list[TableVerdict]) -> None:
    """Keep these verdicts as a verification does."""
    session: Session = migration.plan.target.connect()
    state = State(migration.plan.target, migration.plan.state_schema)
    number = store.begin(session, state, 1, "700:700:")
    for verdict in verdicts:
        store.write(session, state, 1, number, verdict)
    session.close()


def verdict_of(table: str, at: object, *findings: Finding) -> TableVerdict:
    counts = {finding.check: {finding.label.value: 1} for finding in findings}
    bugs = sum(finding.label is Label.BUG for finding in findings)
    check = Check("opinion", "every row as the mapping says", 10, differences=len(findings), bugs=bugs)
    return TableVerdict(table, Status.VERIFIED, at, "700:700:", 1.5, 10, counts, (check,), findings)  # type: ignore[arg-type]


def finding(label: Label) -> Finding:
    return Finding(
        "tickets", "opinion", FindingKind.CHANGED, label, "subject differs", "k1", "tickets", "k0", ("subject",)
    )


def test_the_verdict_is_the_worst_of_all_tables(again: Migration, tmp_path: Path) -> None:
    ((now,),) = again.query("SELECT clock_timestamp()")
    with_source = {spec.name for spec in specs().values() if spec.no_source is None}
    clean = [verdict_of(table, now) for table in sorted({DATABASE, *with_source})]
    verify_as(again, clean[1:])
    assert report_of(again, tmp_path).report.verdict.standing is Standing.NEVER, "nobody has looked beside the tables"
    verify_as(again, clean)
    assert report_of(again, tmp_path).report.verdict.standing is Standing.VERIFIED
    verify_as(again, [verdict_of("tickets", now, finding(Label.EDITED_IN_TARGET))])
    explained = report_of(again, tmp_path).report
    assert explained.verdict.standing is Standing.EXPLAINED
    assert explained.verdict.labels == {"edited_in_target": 1}
    assert "verify" not in {task.name for task in explained.tasks}
    again.target.execute("UPDATE remoteiq_etl.ledger SET committed_at = now() WHERE table_name = 'devices'")
    stale = report_of(again, tmp_path).report
    assert (stale.verdict.standing, stale.verdict.tables[Standing.STALE]) == (Standing.STALE, 1)
    (devices,) = [table.verified for table in stale.tables if table.name == "devices"]
    assert "has written rows of it since" in str(devices.stale)
    verify_as(again, [verdict_of("tickets", now, finding(Label.CHANGED_IN_LEGACY))])
    assert report_of(again, tmp_path).report.verdict.tables[Standing.STALE] == 2
    verify_as(again, [verdict_of("tickets", now, finding(Label.BUG))])
    made = report_of(again, tmp_path)
    assert made.report.verdict.standing is Standing.BUG
    assert made.report.tasks[0].name == "bugs"
    page = made.page.read_text()
    assert "This must not be signed" in page
    assert "subject differs" in page
