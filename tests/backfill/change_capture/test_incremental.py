"""An incremental run reads what changed since the last one, and nothing that changed escapes it."""

from collections.abc import Mapping

import pytest

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.backfill.source.ages import OLDEST_HORIZON
from tests.support.migrating import Migration
from tests.support.server import Database

#: A legacy row of a log-like table whose assignment was migrated.
A_RUN = "(SELECT r.id FROM check_runs r JOIN check_assignments a ON a.id = r.assignment_id ORDER BY r.id LIMIT 1)"
#: Tables of the edge cases in which nothing waits, of each kind: row by row, with a decide step, made of others.
QUIET = ("permissions", "backup_jobs", "clients", "ticket_tags", "email_channels", "agents")

#: What a changed check run concerns.
RUNS = ("check_assignments", "check_runs")


def output_of(migration: Migration, marker: str) -> int:
    return int(migration.query("SELECT count(*) FROM check_runs WHERE output = %s", marker)[0][0])


def reads(reports: Mapping[str, TableReport]) -> dict[str, str]:
    return {table: report.reading for table, report in reports.items()}


# --- nothing, a little, everything ------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_read(again: Migration) -> None:
    before = again.versions()
    reports = again.run(*QUIET)
    assert {table: reports[table].reading for table in QUIET} == dict.fromkeys(QUIET, "nothing changed")
    assert {table: reports[table].read for table in QUIET} == dict.fromkeys(QUIET, 0)
    assert again.versions() == before


def test_a_table_of_which_nothing_has_changed_costs_one_statement(again: Migration) -> None:
    """Besides what is asked of all at once, orders now and then, and rows released of those that a row follows."""
    seen: list[str] = []
    observed = Migration.of(again.legacy, again.target, observer=seen.append)
    observed.run(*QUIET[:2])
    two, _ = len(seen), seen.clear()
    observed.run(*QUIET)
    assert len(seen) <= two + len(QUIET[2:]) + 3


def test_only_the_changed_rows_of_a_log_are_read(again: Migration, edge_db: Database) -> None:
    waiting = again.run(*RUNS)["check_runs"].read
    edge_db.execute(f"UPDATE check_runs SET output = 'changed since' WHERE id = {A_RUN}")
    report = again.run(*RUNS)["check_runs"]
    assert (report.read, report.total(Ledger.UPDATED)) == (waiting + 1, 1)
    assert output_of(again, "changed since") == 1


def test_an_update_that_changes_nothing_that_is_mapped_writes_nothing(again: Migration, edge_db: Database) -> None:
    before = again.versions()["check_runs"]
    edge_db.execute("UPDATE check_runs SET output = output")
    report = again.run(*RUNS)["check_runs"]
    assert report.total(Ledger.UNCHANGED) > 0
    assert (report.total(Ledger.UPDATED), again.versions()["check_runs"]) == (0, before)


def test_a_full_run_reads_everything(again: Migration) -> None:
    reports = again.run("permissions", "check_runs", mode=Mode.FULL)
    assert set(reads(reports).values()) == {"full: asked for"}
    assert (
        reports["check_runs"].read
        == again.query("SELECT max(\"read\") FROM remoteiq_etl.ledger WHERE table_name = 'check_runs'")[0][0]
    )


# --- what a watermark on a time would lose ----------------------------------------------------------------------


def test_a_row_committed_late_is_seen_by_the_next_run(again: Migration, edge_db: Database) -> None:
    """Its transaction was open, and the row written, before the run in between took its snapshot."""
    with edge_db.connect(autocommit=False) as late:
        late.execute(f"UPDATE check_runs SET output = 'late' WHERE id = {A_RUN}".encode())
        edge_db.execute("UPDATE check_runs SET output = output WHERE assignment_id IS NULL")
        again.run(*RUNS)
        assert output_of(again, "late") == 0
        late.commit()
    again.run(*RUNS)
    assert output_of(again, "late") == 1


def test_a_row_written_in_a_subtransaction_is_seen(again: Migration, edge_db: Database) -> None:
    """Its xmin is that of the savepoint, not that of the transaction that was open during the last run."""
    with edge_db.connect(autocommit=False) as late:
        late.execute("UPDATE checks SET updated_at = updated_at")
        with late.transaction():
            late.execute(f"UPDATE check_runs SET output = 'within' WHERE id = {A_RUN}".encode())
        again.run(*RUNS)
        late.commit()
    again.run(*RUNS)
    assert output_of(again, "within") == 1


def test_a_change_between_two_extracts_of_one_run_belongs_to_the_next(again: Migration, edge_db: Database) -> None:
    with open_run(again.plan) as run:
        run.load_all(("check_assignments",))
        edge_db.execute(f"UPDATE check_runs SET output = 'between' WHERE id = {A_RUN}")
        run.load_all(("check_runs",))
    assert output_of(again, "between") == 0
    again.run(*RUNS)
    assert output_of(again, "between") == 1


def test_what_an_interrupted_run_did_not_reach_is_read_by_the_next(again: Migration, edge_db: Database) -> None:
    edge_db.execute(f"UPDATE check_runs SET output = 'missed' WHERE id = {A_RUN}; UPDATE users SET email = email")
    again.run("users")
    assert output_of(again, "missed") == 0
    again.run(*RUNS)
    assert output_of(again, "missed") == 1


# --- other rows and tables --------------------------------------------------------------------------------------


def test_a_row_that_follows_a_changed_row_of_another_table_is_read_again(again: Migration, edge_db: Database) -> None:
    """The time of an assignment stands in for one that a run lacks."""
    edge_db.execute(
        f"UPDATE check_runs SET started_at = NULL, created_at = NULL, finished_at = NULL WHERE id = {A_RUN}"
    )
    again.run(*RUNS)
    edge_db.execute(
        "UPDATE check_assignments SET created_at = '2024-02-03 04:05:06+00'"
        f" WHERE id = (SELECT assignment_id FROM check_runs WHERE id = {A_RUN})"
    )
    again.run(*RUNS)
    assert again.query("SELECT count(*) FROM check_runs WHERE started_at = '2024-02-03 04:05:06+00'")[0][0] > 0


def test_a_held_row_comes_with_its_parent_and_nothing_else_is_read(again: Migration, edge_db: Database) -> None:
    held = again.query(
        "SELECT legacy_key, parent_key FROM remoteiq_etl.held WHERE table_name = 'agent_software' AND released_run IS NULL"
    )
    edge_db.execute(
        "INSERT INTO agents SELECT (jsonb_populate_record(a, jsonb_build_object('id', "
        f"{held[0][1]}, 'device_id', 'win-late', 'hostname', 'late.example.com',"
        " 'agent_uuid', '00000000-0000-4000-8000-0000000000aa'))).* FROM agents a ORDER BY a.id LIMIT 1"
    )
    report = again.run("clients", "sites", "devices", "agents", "agent_software")["agent_software"]
    assert (report.total(Ledger.INSERTED), report.total(Ledger.HELD)) == (1, len(held) - 1)
    assert report.read == len(held)


def test_rows_made_of_one_owner_wait_under_keys_of_their_own(again: Migration) -> None:
    """A tag that waits is named by its ticket and its kind; no legacy row has such a key."""
    again.target.execute(
        "INSERT INTO remoteiq_etl.held (source_id, legacy_table, legacy_key, table_name, parent_table, parent_key,"
        " \"column\", first_run, last_run) SELECT 1, 'tickets', jsonb_build_array(legacy_key, 'site')::text, 'ticket_tags',"
        " 'tickets', legacy_key, 'id', 1, 1 FROM remoteiq_etl.legacy_tickets_map LIMIT 1"
    )
    report = again.run("ticket_tags")["ticket_tags"]
    assert report.reading == "full: rows that wait"
    assert again.query(
        "SELECT count(*) FROM remoteiq_etl.held WHERE table_name = 'ticket_tags' AND released_run IS NULL"
    ) == [(0,)]


def test_a_change_that_no_decision_reads_leads_to_no_full_pass(again: Migration, edge_db: Database) -> None:
    """The tasks take the time of their agent's creation, not when it was last seen."""
    edge_db.execute("UPDATE agents SET last_seen_at = '2026-01-01 00:00:00+00'")
    reports = again.run("agents", "agent_tasks")
    assert reports["agents"].reading.startswith("full: ")
    assert reports["agent_tasks"].reading == "changed rows"


def test_a_new_parent_leads_to_a_full_pass_of_what_may_refer_to_it(again: Migration, edge_db: Database) -> None:
    edge_db.execute(
        "INSERT INTO users SELECT (jsonb_populate_record(u, jsonb_build_object("
        "'id', '00000000-0000-4000-8000-0000000000bb', 'email', 'late@example.com'))).* FROM users u ORDER BY id LIMIT 1"
    )
    reports = again.run("users", "login_challenges", "agent_software")
    assert reports["login_challenges"].reading == "full: the map of users changed"
    assert reports["agent_software"].reading == "changed rows"


# --- when a full pass is needed ---------------------------------------------------------------------------------


def test_a_first_pass_is_full(migration: Migration) -> None:
    assert set(reads(migration.run("organizations", "users")).values()) == {"full: first pass"}


def test_another_database_behind_the_same_url_is_read_as_a_whole(again: Migration) -> None:
    """The copy has the same rows under the same ids, but they are no longer written by the same transactions."""
    again.target.execute("UPDATE remoteiq_etl.assets SET database = '4711/1/1/0'")
    reading = reads(again.run("permissions", "check_runs"))
    assert all(text.startswith("full: another database than before") for text in reading.values())
    assert reads(again.run("permissions"))["permissions"] == "nothing changed"


def test_a_restored_table_is_read_as_a_whole(again: Migration, edge_db: Database) -> None:
    edge_db.execute(
        "CREATE TABLE restored (LIKE login_challenges INCLUDING ALL); INSERT INTO restored SELECT * FROM login_challenges;"
        " DROP TABLE login_challenges; ALTER TABLE restored RENAME TO login_challenges"
    )
    assert reads(again.run("backup_jobs"))["backup_jobs"].startswith("full: another database than before")


@pytest.mark.parametrize(
    ("horizon", "reason"),
    [
        (f"horizon - {OLDEST_HORIZON}", "full: the last run is too many transactions ago"),
        ("horizon + 1000000", "full: the source's transactions are older than at the last run (a restored backup)"),
    ],
)
def test_a_horizon_that_cannot_be_compared_leads_to_a_full_pass(again: Migration, horizon: str, reason: str) -> None:
    again.target.execute(f"UPDATE remoteiq_etl.passes SET horizon = {horizon}")
    assert set(reads(again.run("permissions", "check_runs")).values()) == {reason}


def test_new_words_lead_to_a_full_pass_of_their_table_alone(again: Migration) -> None:
    """And a plan shows what would change."""
    words = {"check_runs.status": {"OK": "warning"}}
    planned = again.run(*RUNS, words=words, planning=True)["check_runs"]
    assert planned.reading == "full: its rules, words or options have changed"
    assert planned.total(Ledger.UPDATED) > 0
    assert again.run(*RUNS)["check_runs"].reading == "changed rows"
    reports = again.run(words=words)
    assert reports["check_runs"].total(Ledger.UPDATED) == planned.total(Ledger.UPDATED)
    assert [table for table, reading in reads(reports).items() if "its rules" in reading] == ["check_runs"]


def test_a_column_that_appears_in_the_target_leads_to_a_full_pass(again: Migration) -> None:
    again.target.execute("ALTER TABLE users ADD COLUMN phone text")
    reports = again.run("users")
    assert reports["users"].reading == "full: its rules, words or options have changed"


# --- what is remembered -----------------------------------------------------------------------------------------


def test_every_legacy_key_is_accounted_for_with_the_hash_of_its_row(again: Migration, edge_db: Database) -> None:
    with edge_db.connect() as connection:
        keys = {row[0] for row in connection.execute("SELECT id::text FROM jobs").fetchall()}
    known = again.query(
        "SELECT legacy_key FROM remoteiq_etl.legacy_agent_tasks_map WHERE legacy_table = 'jobs' AND source_hash IS NOT NULL"
        " UNION SELECT legacy_key FROM remoteiq_etl.left_out WHERE table_name = 'agent_tasks' AND source_hash IS NOT NULL"
        " UNION SELECT legacy_key FROM remoteiq_etl.quarantine WHERE table_name = 'agent_tasks' AND source_hash IS NOT NULL"
        " UNION SELECT legacy_key FROM remoteiq_etl.held WHERE table_name = 'agent_tasks' AND source_hash IS NOT NULL"
    )
    assert keys <= {row[0] for row in known}


def test_a_row_that_was_left_out_and_comes_in_is_left_out_no_longer(again: Migration, edge_db: Database) -> None:
    left_out = (
        "SELECT legacy_key FROM remoteiq_etl.left_out WHERE table_name = 'agent_task_runs' AND legacy_table = 'jobs'"
    )
    key = again.query(f"{left_out} AND rule = 'never_started' ORDER BY 1")[0][0]
    edge_db.execute(f"UPDATE jobs SET started_at = '2025-01-01 00:00:00+00', status = 'succeeded' WHERE id = '{key}'")
    assert again.run("agent_tasks", "agent_task_runs")["agent_task_runs"].total(Ledger.INSERTED) == 1
    assert key not in {row[0] for row in again.query(left_out)}


def test_a_plan_moves_no_horizon(again: Migration, edge_db: Database) -> None:
    edge_db.execute(f"UPDATE check_runs SET output = 'planned' WHERE id = {A_RUN}")
    assert again.run(*RUNS, planning=True)["check_runs"].total(Ledger.UPDATED) == 1
    again.run(*RUNS)
    assert output_of(again, "planned") == 1
