"""Looking for rows gone from legacy: what ends a pass early, which tables it looks at, and when the brake stops it."""

from dataclasses import replace
from typing import Any

import pytest

from remoteiq_etl.backfill.deletes import delete
from remoteiq_etl.backfill.deletes.detect import DeletePolicy
from remoteiq_etl.backfill.outcomes.ledger import write_outcomes
from remoteiq_etl.errors import ConservationError
from tests.support.gone import count, listed
from tests.support.migrating import Migration

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


def test_a_trigger_that_keeps_rows_stops_the_pass(pair: Migration) -> None:
    """What was to be deleted has to be gone: else nothing of the batch is committed."""
    pair.legacy.execute("DELETE FROM agent_software WHERE id = 1")
    pair.target.execute(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER keep BEFORE DELETE ON agent_software FOR EACH ROW EXECUTE FUNCTION keep()"
    )
    with pytest.raises(
        ConservationError, match="agent_software: 1 rows gone from legacy were to be deleted, but 0 were"
    ):
        pair.gone(DeletePolicy.PROPAGATE, tables=["agent_software"])
    assert pair.query("SELECT DISTINCT state FROM remoteiq_etl.legacy_agent_software_map") == [("live",)]


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
