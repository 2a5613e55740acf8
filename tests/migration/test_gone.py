"""Rows gone from legacy: listed or deleted by rules, never more than what is ours, as we wrote it, and referred to by nobody."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from remoteiq_etl.backfill.accounts import Ledger
from remoteiq_etl.backfill.gone import Policy
from tests.support.migrating import Migration
from tests.support.server import Server
from tests.support.small_installation import TABLES, cloned, key, migrated_pair


@pytest.fixture(scope="module")
def pair(server: Server) -> Iterator[tuple[str, str]]:
    from tests.conftest import _with_legacy_schema

    legacy = server.clone("legacy", _with_legacy_schema)
    yield from migrated_pair(server, legacy)
    legacy.drop()


@pytest.fixture
def migration(server: Server, pair: tuple[str, str]) -> Iterator[Migration]:
    found = cloned(server, pair)
    yield found
    found.legacy.drop()
    found.target.drop()


def new_key(migration: Migration, table: str, legacy_key: str, legacy_table: str | None = None) -> str:
    ((found,),) = migration.query(
        f"SELECT new_key::text FROM remoteiq_etl.legacy_{table}_map WHERE legacy_key::text = %s AND legacy_table = %s",
        legacy_key,
        legacy_table or table,
    )
    return str(found)


def listed(migration: Migration, table: str) -> list[tuple[Any, ...]]:
    """Legacy key, outcome, reason and holder of what is gone."""
    return migration.query(
        "SELECT legacy_key, outcome, reason, holder FROM remoteiq_etl.gone WHERE table_name = %s AND returned_run IS NULL"
        " ORDER BY 1",
        table,
    )


def count(migration: Migration, table: str) -> int:
    return int(migration.query(f"SELECT count(*) FROM {table}")[0][0])


def delete_ticket(migration: Migration, number: int) -> str:
    migration.legacy.execute(f"DELETE FROM tickets WHERE id = '{key('ticket', number)}'")
    return key("ticket", number)


# --- listing ----------------------------------------------------------------------------------------------------


def test_nothing_is_gone_when_nothing_is(migration: Migration) -> None:
    before = migration.versions()
    reports = migration.gone(Policy.PROPAGATE)
    assert not any(report.gone or report.listed or report.brake for report in reports.values())
    assert migration.versions() == before


def test_by_default_a_gone_row_is_listed_and_stays(migration: Migration) -> None:
    ticket, before = delete_ticket(migration, 1), migration.versions()
    report = migration.gone(Policy.LIST)["tickets"]
    assert (report.gone, report.listed, report.deleted) == (1, 1, 0)
    assert listed(migration, "tickets") == [(ticket, "listed", None, None)]
    assert migration.versions() == before


def test_a_listed_row_that_comes_back_is_listed_no_longer(migration: Migration) -> None:
    ticket = delete_ticket(migration, 1)
    migration.gone(Policy.LIST)
    migration.legacy.execute(
        f"INSERT INTO tickets (id, number, title) OVERRIDING SYSTEM VALUE VALUES ('{ticket}', 1, 'x')"
    )
    assert migration.gone(Policy.LIST)["tickets"].returned == 1
    assert listed(migration, "tickets") == []


def test_a_row_stays_listed_since_the_run_that_found_it(migration: Migration) -> None:
    delete_ticket(migration, 1)
    for _ in range(2):
        migration.gone(Policy.LIST)
    ((first, last),) = migration.query("SELECT first_run, last_run FROM remoteiq_etl.gone WHERE table_name = 'tickets'")
    assert last == first + 1


# --- users ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", list(Policy))
def test_a_gone_user_is_disabled_and_loses_sessions_tokens_and_trust(migration: Migration, policy: Policy) -> None:
    """Under both policies, also what the new application gave; the rows of others are not touched."""
    user = new_key(migration, "users", key("user", 1))
    migration.target.execute(
        f"INSERT INTO sessions (user_id, refresh_token) VALUES ('{user}', 'new');"
        f"INSERT INTO trusted_devices (user_id, device_fingerprint) VALUES ('{user}', 'new')"
    )
    migration.legacy.execute(f"DELETE FROM users WHERE id = '{key('user', 1)}'")
    report = migration.gone(policy)["users"]
    assert (report.gone, report.withdrawn, report.deleted) == (1, 1, 0)
    assert migration.query("SELECT id::text FROM users WHERE status = 'disabled'") == [(user,)]
    for table, left in (("sessions", 2), ("personal_access_tokens", 1)):
        revoked = (
            f"SELECT count(*) FILTER (WHERE user_id = %s AND revoked_at IS NOT NULL), count(revoked_at) FROM {table}"
        )
        assert migration.query(revoked, user) == [(left, left)]
    assert migration.query("SELECT count(*) FROM trusted_devices WHERE user_id = %s", user) == [(0,)]
    assert count(migration, "trusted_devices") == 19
    images = migration.query(
        "SELECT table_name, operation, count(*) FROM remoteiq_etl.before_images GROUP BY 1, 2 ORDER BY 1, 2"
    )
    assert [row for row in images if row[0] != "user_roles"] == [
        ("personal_access_tokens", "update", 1), ("sessions", "update", 2), ("trusted_devices", "delete", 2),
        ("users", "update", 1),
    ]  # fmt: skip


def test_a_gone_user_is_never_deleted_nor_what_belongs_to_it(migration: Migration) -> None:
    """The sessions have to stay, or their cookies would be let in again."""
    migration.legacy.execute(f"DELETE FROM users WHERE id = '{key('user', 1)}'")
    for _ in range(2):
        migration.gone(Policy.PROPAGATE)
    assert (count(migration, "users"), count(migration, "user_security"), count(migration, "sessions")) == (20, 20, 20)


def test_a_user_is_disabled_once(migration: Migration) -> None:
    """Who is enabled again by hand stays so."""
    migration.legacy.execute(f"DELETE FROM users WHERE id = '{key('user', 1)}'")
    migration.gone(Policy.LIST)
    migration.target.execute("UPDATE users SET status = 'active'")
    assert migration.gone(Policy.LIST)["users"].withdrawn == 0
    assert migration.query("SELECT DISTINCT status::text FROM users") == [("active",)]


def test_a_user_that_comes_back_stays_disabled(migration: Migration) -> None:
    with migration.legacy.connect() as connection:
        row = connection.execute("SELECT to_json(u)::text FROM users u WHERE id = %s", [key("user", 1)]).fetchone()
        assert row is not None
        connection.execute("DELETE FROM users WHERE id = %s", [key("user", 1)])
        migration.gone(Policy.PROPAGATE)
        connection.execute("INSERT INTO users SELECT * FROM json_populate_record(NULL::users, %s::json)", [row[0]])
    migration.run(*TABLES)
    migration.gone(Policy.PROPAGATE)
    user = new_key(migration, "users", key("user", 1))
    assert migration.query("SELECT id::text FROM users WHERE status = 'disabled'") == [(user,)]
    assert listed(migration, "users") == []


def test_an_adopted_user_that_is_gone_is_only_listed(migration: Migration) -> None:
    """The account is the target's, not ours to disable."""
    migration.target.execute(
        f"UPDATE remoteiq_etl.legacy_users_map SET adopted = true WHERE legacy_key = '{key('user', 1)}'"
    )
    migration.legacy.execute(f"DELETE FROM users WHERE id = '{key('user', 1)}'")
    migration.gone(Policy.PROPAGATE)
    assert listed(migration, "users") == [(key("user", 1), "listed", "adopted", None)]
    assert migration.query("SELECT count(*) FROM users WHERE status = 'disabled'") == [(0,)]


def test_a_gone_session_is_revoked_and_not_deleted(migration: Migration) -> None:
    """The application lets a cookie in whose session it does not find."""
    migration.legacy.execute(f"DELETE FROM sessions WHERE id = '{key('session', 1)}'")
    assert migration.gone(Policy.LIST)["sessions"].withdrawn == 0
    assert migration.gone(Policy.PROPAGATE)["sessions"].withdrawn == 1
    assert migration.query("SELECT count(*), count(revoked_at) FROM sessions") == [(20, 1)]


# --- deleting ---------------------------------------------------------------------------------------------------


def test_a_gone_row_is_deleted_with_an_image_and_comes_back_under_its_id(migration: Migration) -> None:
    with migration.legacy.connect() as connection:
        row = connection.execute("SELECT to_json(t)::text FROM tickets t WHERE id = %s", [key("ticket", 1)]).fetchone()
        ticket, old = delete_ticket(migration, 1), new_key(migration, "tickets", key("ticket", 1))
        migration.run("clients", "sites", "devices", "contacts", "tickets", "ticket_tags")
        report = migration.gone(Policy.PROPAGATE)["tickets"]
        assert (report.gone, report.deleted, report.listed) == (1, 1, 0)
        assert migration.query("SELECT count(*) FROM tickets WHERE id = %s", old) == [(0,)]
        assert migration.query("SELECT count(*) FROM ticket_tags WHERE ticket_id = %s", old) == [(0,)]
        ((subject,),) = migration.query(
            "SELECT image ->> 'subject' FROM remoteiq_etl.before_images WHERE table_name = 'tickets' AND operation = 'delete'"
        )
        assert subject == "Ticket 1"
        assert migration.query(
            "SELECT state, written_hash FROM remoteiq_etl.legacy_tickets_map WHERE legacy_key = %s", ticket
        ) == [("gone", None)]
        assert row is not None
        connection.execute(
            "INSERT INTO tickets OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_record(NULL::tickets, %s::json)",
            [row[0]],
        )
    assert migration.run(*TABLES)["tickets"].total(Ledger.INSERTED) == 1
    assert migration.query("SELECT subject FROM tickets WHERE id = %s", old) == [("Ticket 1",)]
    assert migration.query("SELECT count(*) FROM ticket_tags WHERE ticket_id = %s", old)[0][0] > 0
    migration.gone(Policy.PROPAGATE)
    assert listed(migration, "tickets") == []


def test_an_edited_row_is_listed(migration: Migration) -> None:
    ticket = delete_ticket(migration, 1)
    migration.target.execute(
        f"UPDATE tickets SET subject = 'by hand' WHERE id = '{new_key(migration, 'tickets', ticket)}'"
    )
    assert migration.gone(Policy.PROPAGATE)["tickets"].deleted == 0
    assert listed(migration, "tickets") == [(ticket, "listed", "edited in target", None)]


def test_activity_is_no_edit(migration: Migration) -> None:
    device = new_key(migration, "devices", key("device", 1))
    migration.target.execute(f"UPDATE devices SET last_seen_at = now(), status = 'offline' WHERE id = '{device}'")
    migration.legacy.execute(f"DELETE FROM agents WHERE id = 1; DELETE FROM devices WHERE id = '{key('device', 1)}'")
    assert migration.gone(Policy.PROPAGATE)["devices"].deleted == 1


def test_an_adopted_row_is_listed(migration: Migration) -> None:
    ticket = delete_ticket(migration, 1)
    migration.target.execute(f"UPDATE remoteiq_etl.legacy_tickets_map SET adopted = true WHERE legacy_key = '{ticket}'")
    migration.gone(Policy.PROPAGATE)
    assert listed(migration, "tickets") == [(ticket, "listed", "adopted", None)]


def test_a_row_deleted_in_the_target_already_is_not_listed(migration: Migration) -> None:
    ticket = delete_ticket(migration, 1)
    migration.target.execute(f"DELETE FROM tickets WHERE id = '{new_key(migration, 'tickets', ticket)}'")
    report = migration.gone(Policy.PROPAGATE)["tickets"]
    assert (report.deleted, report.listed) == (0, 0)
    assert listed(migration, "tickets")[0][1] == "was deleted in target"


@pytest.mark.parametrize(
    ("statement", "holder"),
    [
        ("INSERT INTO ticket_updates (ticket_id, message) VALUES ('{ticket}', 'seen')", "ticket_updates"),
        ("INSERT INTO ticket_tags (ticket_id, tag) VALUES ('{ticket}', 'vip')", "ticket_tags"),
    ],
    ids=["a table that we do not write", "a row of the application in a table of ours"],
)
def test_a_row_that_a_row_not_ours_refers_to_is_listed_with_it(
    migration: Migration, statement: str, holder: str
) -> None:
    """A cascade never takes what is not ours."""
    ticket = delete_ticket(migration, 1)
    new = new_key(migration, "tickets", ticket)
    migration.target.execute(statement.format(ticket=new))
    migration.gone(Policy.PROPAGATE)
    ((_, outcome, reason, held_by),) = listed(migration, "tickets")
    assert (outcome, reason, held_by.split()[0]) == ("listed", "referred to", holder)
    assert migration.query("SELECT count(*) FROM tickets WHERE id = %s", new) == [(1,)]
    assert migration.query(f"SELECT count(*) > 0 FROM {holder} WHERE ticket_id = %s", new) == [(True,)]


def test_a_reference_by_set_null_of_a_row_not_ours_holds_too(migration: Migration) -> None:
    contact = migration.query("SELECT requester_contact_id::text FROM tickets WHERE subject = 'Ticket 1'")[0][0]
    migration.target.execute(
        "INSERT INTO tickets (organization_id, ticket_number, subject, requester_contact_id)"
        f" SELECT organization_id, 999, 'new', '{contact}' FROM tickets LIMIT 1"
    )
    delete_ticket(migration, 1)
    reports = migration.gone(Policy.PROPAGATE)
    assert (reports["tickets"].deleted, reports["contacts"].deleted) == (1, 0)
    assert listed(migration, "contacts")[0][2] == "referred to"
    assert migration.query("SELECT requester_contact_id::text FROM tickets WHERE subject = 'new'") == [(contact,)]


def test_a_table_of_the_operators_own_holds_what_it_refers_to(migration: Migration) -> None:
    """The foreign keys of the live database count, whatever the schema; at any depth a row that stays holds its parents."""
    ticket = delete_ticket(migration, 1)
    new = new_key(migration, "tickets", ticket)
    migration.target.execute(
        "CREATE SCHEMA crm; CREATE TABLE crm.notes (note int PRIMARY KEY, ticket uuid REFERENCES public.tickets ON DELETE CASCADE);"
        f"INSERT INTO crm.notes VALUES (7, '{new}')"
    )
    reports = migration.gone(Policy.PROPAGATE)
    assert listed(migration, "tickets") == [(ticket, "listed", "referred to", "crm.notes 7")]
    assert reports["contacts"].deleted == 0, "the ticket stays, so the contact that it names does"


def test_what_one_legacy_row_became_goes_together(migration: Migration) -> None:
    """A job became a task and its run, its result a result: all go, children first, or none of the job."""
    migration.legacy.execute(f"DELETE FROM jobs WHERE id IN ('{key('job', 1)}', '{key('job', 2)}')")
    task = new_key(migration, "agent_tasks", key("job", 2), "jobs")
    migration.target.execute(f"UPDATE agent_tasks SET payload = '{{\"edited\": true}}' WHERE id = '{task}'")
    reports = migration.gone(Policy.PROPAGATE)
    assert [reports[table].deleted for table in ("agent_tasks", "agent_task_runs", "agent_task_results")] == [1, 1, 2]
    assert listed(migration, "agent_task_runs")[1] == (
        key("job", 2), "listed", "goes with another row", f"agent_tasks {task}"
    )  # fmt: skip
    assert listed(migration, "agent_tasks")[1][2] == "edited in target"
    assert migration.query("SELECT count(*) FROM agent_task_runs WHERE task_id = %s", task) == [(1,)]


def test_a_synthesized_row_goes_with_its_last_cause(migration: Migration) -> None:
    """The agent alone had a device, a client and a site made for it."""
    before = {table: count(migration, table) for table in ("devices", "clients", "sites", "agents")}
    migration.legacy.execute("DELETE FROM agents WHERE id = 21")
    reports = migration.gone(Policy.PROPAGATE)
    assert {table: reports[table].deleted for table in before} == dict.fromkeys(before, 1)
    assert migration.query("SELECT name FROM clients") == [("Acme",)]


def test_a_synthesized_row_stays_while_a_cause_is_left(migration: Migration) -> None:
    migration.legacy.execute("UPDATE tickets SET client = 'Solo' WHERE number = 1; DELETE FROM agents WHERE id = 21")
    reports = migration.gone(Policy.PROPAGATE)
    assert (reports["sites"].deleted, reports["clients"].gone) == (1, 0)


def test_the_account_of_a_delete_is_in_the_ledger(migration: Migration) -> None:
    delete_ticket(migration, 1)
    migration.gone(Policy.PROPAGATE)
    assert migration.query(
        "SELECT primary_rows, \"read\", outcomes FROM remoteiq_etl.ledger WHERE table_name = 'tickets'"
        " AND run_id = (SELECT max(id) FROM remoteiq_etl.runs)"
    ) == [(False, 0, {"deleted, gone from legacy": 1})]


def test_the_archive_keeps_what_is_gone_and_marks_it(migration: Migration) -> None:
    of_role = "SELECT count(*), count(gone_run) FROM remoteiq_etl.legacy_archive WHERE legacy_key = %s"
    ((values, marked),) = migration.query(of_role, key("role", 2))
    assert (values > 0, marked) == (True, 0)
    migration.legacy.execute(f"DELETE FROM roles WHERE id = '{key('role', 2)}'")
    migration.gone(Policy.LIST, confirmed=["roles"])
    assert migration.query(of_role, key("role", 2)) == [(values, values)]


def test_a_pass_that_was_interrupted_is_resumed(migration: Migration, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is whole: what was committed stays, the next pass does the rest."""
    from remoteiq_etl.backfill import deletion

    migration.legacy.execute("DELETE FROM agent_software WHERE id <= 3")
    account, batches = deletion.write_account, iter([True, False])

    def fails_in_the_second_batch(*arguments: Any) -> None:
        if not next(batches):
            raise KeyboardInterrupt
        account(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(deletion, "write_account", fails_in_the_second_batch)
        small = Migration(
            migration.legacy, migration.target, migration.plan.__class__(**{**vars(migration.plan), "batch_rows": 1})
        )
        with pytest.raises(KeyboardInterrupt):
            small.gone(Policy.PROPAGATE)
    assert count(migration, "agent_software") == 19
    assert [row[1] for row in listed(migration, "agent_software")].count("deleted") == 1
    assert migration.gone(Policy.PROPAGATE)["agent_software"].deleted == 2
    assert count(migration, "agent_software") == 17


def test_rows_of_these_tables_alone_are_looked_at(migration: Migration) -> None:
    delete_ticket(migration, 1)
    migration.legacy.execute("DELETE FROM agent_software WHERE id = 1")
    reports = migration.gone(Policy.PROPAGATE, tables=["agent_software"])
    assert list(reports) == ["agent_software"]
    assert (count(migration, "agent_software"), count(migration, "tickets")) == (19, 20)


def test_a_trigger_that_keeps_rows_stops_the_pass(migration: Migration) -> None:
    """What was to be deleted has to be gone: else nothing of the batch is committed."""
    from remoteiq_etl.errors import ConservationError

    delete_ticket(migration, 1)
    migration.target.execute(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER keep BEFORE DELETE ON tickets FOR EACH ROW EXECUTE FUNCTION keep()"
    )
    with pytest.raises(ConservationError, match="tickets: 1 rows gone from legacy were to be deleted, but 0 were"):
        migration.gone(Policy.PROPAGATE)
    assert migration.query("SELECT count(*) FROM remoteiq_etl.legacy_tickets_map WHERE state = 'gone'") == [(0,)]


# --- the brake --------------------------------------------------------------------------------------------------


def test_the_brake_stops_a_table_that_lost_too_much_and_what_depends_on_it(migration: Migration) -> None:
    """11 of 20 devices: nothing is recorded, withdrawn or deleted, neither there nor in tables that depend on it."""
    migration.legacy.execute(
        "ALTER TABLE jobs DISABLE TRIGGER ALL; DELETE FROM devices WHERE hostname <> 'host-1' AND right(id::text, 2)::int <= 12"
    )
    migration.legacy.execute("DELETE FROM agent_software WHERE id = 1")
    reports = migration.gone(Policy.PROPAGATE)
    assert "has lost 11 of 20 mapped rows" in str(reports["devices"].brake)
    assert "--confirm devices" in str(reports["devices"].brake)
    assert reports["agent_software"].brake is not None
    assert (count(migration, "devices"), count(migration, "agent_software")) == (21, 20)
    assert migration.query(
        "SELECT count(*) FROM remoteiq_etl.gone WHERE table_name IN ('devices', 'agent_software')"
    ) == [(0,)]


def test_ten_rows_are_no_reason_to_brake(migration: Migration) -> None:
    migration.legacy.execute("DELETE FROM agent_software WHERE id <= 10")
    assert migration.gone(Policy.PROPAGATE)["agent_software"].deleted == 10


def test_a_confirmation_lifts_the_brake(migration: Migration) -> None:
    migration.legacy.execute("DELETE FROM agent_software WHERE id <= 11")
    assert migration.gone(Policy.PROPAGATE)["agent_software"].brake is not None
    report = migration.gone(Policy.PROPAGATE, confirmed=["agent_software"])["agent_software"]
    assert (report.brake, report.deleted) == (None, 11)


def test_an_empty_table_brakes_however_few_rows_it_had(migration: Migration) -> None:
    migration.legacy.execute("TRUNCATE permissions CASCADE")
    reports = migration.gone(Policy.PROPAGATE)
    assert "permissions is empty" in str(reports["permissions"].brake)
    assert reports["role_permissions"].brake is not None
    assert count(migration, "permissions") >= 1


def test_users_are_not_disabled_behind_the_brake(migration: Migration) -> None:
    migration.legacy.execute("TRUNCATE users CASCADE")
    migration.gone(Policy.LIST)
    assert migration.query("SELECT count(*) FROM users WHERE status = 'disabled'") == [(0,)]
    assert count(migration, "trusted_devices") == 20


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("REVOKE SELECT ON agent_software FROM {role}", "SELECT on it is missing"),
        ("ALTER TABLE agent_software RENAME TO elsewhere", "does not exist"),
        ("ALTER TABLE agent_software ENABLE ROW LEVEL SECURITY", "row security hides rows"),
    ],
    ids=["no right", "no table", "hidden rows"],
)
def test_a_table_that_cannot_be_read_as_a_whole_is_left_alone(
    migration: Migration, statement: str, reason: str
) -> None:
    """Not even a confirmation helps: nothing is known of its rows."""
    role = migration.legacy.select_only_role()
    migration.legacy.execute(statement.format(role=role))
    reader = Migration(migration.legacy, migration.target, _read_as(migration, role))
    reports = reader.gone(Policy.PROPAGATE, confirmed=["agent_software"])
    assert reason in str(reports["agent_software"].brake)
    assert count(migration, "agent_software") == 20
    assert reports["tickets"].brake is None


def _read_as(migration: Migration, role: str) -> Any:
    from dataclasses import replace

    legacy = replace(migration.plan.legacy, url=migration.legacy.url_as(role))
    return replace(migration.plan, legacy=legacy)


def test_nothing_is_written_to_the_source(migration: Migration) -> None:
    role = migration.legacy.select_only_role()
    delete_ticket(migration, 1)
    reader = Migration(migration.legacy, migration.target, _read_as(migration, role))
    assert reader.gone(Policy.PROPAGATE)["tickets"].deleted == 1
    with migration.legacy.connect(role=role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM tickets")
