"""Looking for rows gone from legacy: what ends a pass early, which tables it looks at, and when the brake stops it."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from remoteiq_etl.backfill.deletes import delete
from remoteiq_etl.backfill.deletes.detect import DeletePolicy
from remoteiq_etl.backfill.outcomes.ledger import write_outcomes
from tests.support.books import unbalanced
from tests.support.gone import count, listed, new_key
from tests.support.migrating import Migration
from tests.support.small_installation import key

# --- a pass that does not come to its end -------------------------------------------------------------------------


def test_a_pass_that_was_interrupted_is_resumed(pair: Migration, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is whole: what was committed stays, the next pass does the rest."""
    pair.legacy.execute("DELETE FROM agent_software WHERE id <= 3")
    account, batches = write_outcomes, iter([True, False])

    def fails_in_the_second_batch(*arguments: Any) -> None:
        if not next(batches):
            raise KeyboardInterrupt
        account(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(delete, "write_outcomes", fails_in_the_second_batch)
        one_by_one = replace(pair, plan=replace(pair.plan, batch_rows=1))
        with pytest.raises(KeyboardInterrupt):
            one_by_one.gone(DeletePolicy.PROPAGATE, tables=["agent_software"])
    assert count(pair, "agent_software") == 19
    assert sorted(row[0] for row in listed(pair, "agent_software")) == ["deleted", "listed", "listed"]
    assert pair.gone(DeletePolicy.PROPAGATE, tables=["agent_software"])["agent_software"].deleted == 2
    assert count(pair, "agent_software") == 17


def _keep(migration: Migration, table: str, body: str) -> None:
    migration.target.execute(
        f"CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN OLD; END $$;"
        f"CREATE TRIGGER keep BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION keep()"
    )


@pytest.mark.parametrize(
    ("answer", "holder"),
    [("RETURN NULL", "a trigger or rule of agent_software"), ("RAISE 'stays'", "SQLSTATE P0001 of agent_software")],
    ids=["skips", "raises"],
)
def test_rows_that_the_target_does_not_let_go_are_named_and_the_others_go(
    pair: Migration, answer: str, holder: str
) -> None:
    """Whatever they stand beside in their batch; once the target lets them go, they go."""
    kept = {new_key(pair, "agent_software", str(number)) for number in (2, 7)}
    pair.legacy.execute("DELETE FROM agent_software WHERE id <= 9")
    _keep(pair, "agent_software", f"IF OLD.id::text IN ({', '.join(map(repr, kept))}) THEN {answer}; END IF;")
    assert pair.gone(DeletePolicy.PROPAGATE, tables=["agent_software"])["agent_software"].deleted == 7
    assert listed(pair, "agent_software", "2", "7") == [("listed", "kept by target", holder)] * 2
    assert {str(row["id"]) for row in pair.rows("agent_software")} >= kept
    assert (count(pair, "agent_software"), unbalanced(pair)) == (13, [])
    pair.target.execute("DROP TRIGGER keep ON agent_software")
    assert pair.gone(DeletePolicy.PROPAGATE, tables=["agent_software"])["agent_software"].deleted == 2
    assert unbalanced(pair) == []


def test_a_row_that_stays_keeps_what_it_came_with_and_what_it_holds(pair: Migration) -> None:
    """A result whose job is gone: the job's task and run stay with it, those of the other job go."""
    kept, others = key("job", 1), key("job", 2)
    run = new_key(pair, "agent_task_runs", kept, "jobs")
    pair.legacy.execute(f"DELETE FROM jobs WHERE id IN ('{kept}', '{others}')")
    _keep(pair, "agent_task_results", f"IF OLD.run_id = '{run}' THEN RAISE 'stays'; END IF;")
    reports = pair.gone(DeletePolicy.PROPAGATE)
    tables = ("agent_task_results", "agent_task_runs", "agent_tasks")
    assert [reports[table].deleted for table in tables] == [1, 1, 1]
    assert [listed(pair, table, kept)[0][1] for table in tables] == ["kept by target", "referred to", "referred to"]
    assert [count(pair, table) for table in tables] == [19, 19, 19]
    assert unbalanced(pair) == []


@pytest.mark.parametrize(
    ("answer", "holder"),
    [
        ("RETURN NULL", "a trigger or rule of users or of what refers to it"),
        ("RAISE 'stays'", "SQLSTATE P0001 of users"),
    ],
    ids=["skips", "raises"],
)
def test_a_row_that_the_target_lets_nobody_revoke_is_named_and_the_others_are_revoked(
    pair: Migration, answer: str, holder: str
) -> None:
    """It is not changed, and not called revoked; the next pass tries again."""
    users = [key("user", number) for number in (1, 2, 3)]
    pair.legacy.execute(f"DELETE FROM users WHERE id IN ({', '.join(map(repr, users))})")
    pair.target.execute(
        f"CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = '{users[1]}' THEN {answer};"
        " END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER keep BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION keep()"
    )
    status = "SELECT status::text FROM users WHERE id = ANY (%s) ORDER BY id"
    report = pair.gone(DeletePolicy.PROPAGATE)["users"]
    assert (report.withdrawn, report.reasons) == (2, {"kept by target": 1})
    assert pair.query(status, users) == [("disabled",), ("active",), ("disabled",)]
    assert listed(pair, "users", users[1]) == [("listed", "kept by target", holder)]
    assert unbalanced(pair) == []
    pair.target.execute("DROP TRIGGER keep ON users")
    assert pair.gone(DeletePolicy.LIST)["users"].withdrawn == 1
    assert pair.query(status, users) == [("disabled",)] * 3


def test_an_error_that_is_about_no_row_ends_the_pass(pair: Migration) -> None:
    pair.legacy.execute("DELETE FROM agent_software WHERE id = 1")
    _keep(pair, "agent_software", "RAISE 'full' USING ERRCODE = '53100';")
    with pytest.raises(psycopg.errors.DiskFull):
        pair.gone(DeletePolicy.PROPAGATE, tables=["agent_software"])
    assert count(pair, "agent_software") == 20


# --- the choice of tables, and the brake --------------------------------------------------------------------------


def test_only_the_tables_asked_for_are_looked_at_with_what_is_made_of_the_same_rows(pair: Migration) -> None:
    pair.legacy.execute("DELETE FROM agent_software WHERE id = 1; DELETE FROM tickets WHERE number = 1")
    assert set(pair.gone(DeletePolicy.PROPAGATE, tables=["agent_software"])) == {"agent_software"}
    assert (count(pair, "agent_software"), count(pair, "tickets")) == (19, 60)
    assert set(pair.gone(DeletePolicy.LIST, tables=["tickets"])) == {"tickets", "ticket_tags"}


def test_the_brake_stops_a_table_that_lost_too_much_and_what_depends_on_it(pair: Migration) -> None:
    """11 of 20 devices: nothing is recorded or deleted, neither there nor in tables that depend on it."""
    pair.legacy.execute(
        "DELETE FROM devices WHERE right(id::text, 2)::int <= 11; DELETE FROM agent_software WHERE id = 1"
    )
    reports = pair.gone(DeletePolicy.PROPAGATE)
    assert "11 of the 20 mapped rows of devices from devices are gone" in str(reports["devices"].brake)
    assert "--confirm devices" in str(reports["devices"].brake)
    assert "it depends on" in str(reports["agent_software"].brake)
    assert (count(pair, "devices"), count(pair, "agent_software")) == (21, 20)
    assert pair.query("SELECT count(*) FROM remoteiq_etl.gone") == [(0,)]


def test_a_confirmation_lifts_the_brake_that_ten_rows_do_not_need(pair: Migration) -> None:
    pair.legacy.execute("DELETE FROM agent_software WHERE id <= 10; DELETE FROM tickets WHERE number <= 13")
    reports = pair.gone(DeletePolicy.PROPAGATE)
    assert (reports["agent_software"].deleted, reports["tickets"].deleted) == (10, 0)
    assert reports["tickets"].brake is not None
    report = pair.gone(DeletePolicy.PROPAGATE, tables=["tickets"], confirmed=["tickets"])["tickets"]
    assert (report.brake, report.deleted) == (None, 13)


def test_an_empty_table_brakes_however_few_rows_it_had(pair: Migration) -> None:
    """Nobody is disabled either."""
    pair.legacy.execute("TRUNCATE permissions, users CASCADE")
    reports = pair.gone(DeletePolicy.PROPAGATE)
    assert "permissions is empty, but 1 of its rows" in str(reports["permissions"].brake)
    assert reports["role_permissions"].brake is not None
    assert count(pair, "permissions") >= 1
    assert pair.query("SELECT count(*) FROM users WHERE status = 'disabled'") == [(0,)]
    assert count(pair, "trusted_devices") == 20


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("REVOKE SELECT ON agent_software FROM {role}", "SELECT on it is missing"),
        ("ALTER TABLE agent_software RENAME TO elsewhere", "does not exist"),
        ("ALTER TABLE agent_software ENABLE ROW LEVEL SECURITY", "row security hides rows"),
    ],
    ids=["no right", "no table", "hidden rows"],
)
def test_a_table_that_cannot_be_read_as_a_whole_is_left_alone(pair: Migration, statement: str, reason: str) -> None:
    """Not even a confirmation helps: nothing is known of its rows. The role that reads may do nothing but SELECT."""
    role = pair.legacy.select_only_role()
    pair.legacy.execute(statement.format(role=role) + "; DELETE FROM tickets WHERE number = 1")
    legacy = replace(pair.plan.legacy, url=pair.legacy.url_as(role))
    reader = replace(pair, plan=replace(pair.plan, legacy=legacy))
    reports = reader.gone(DeletePolicy.PROPAGATE, tables=["agent_software", "tickets"], confirmed=["agent_software"])
    assert reason in str(reports["agent_software"].brake)
    assert count(pair, "agent_software") == 20
    assert reports["tickets"].deleted == 1
