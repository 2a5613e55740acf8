"""Rows gone from legacy: one pass deletes by rules, never more than what is ours, as we wrote it, and referred to by nobody."""

import pytest

from remoteiq_etl.backfill.deletes.detect import DeletePolicy, DeletesReport
from tests.support.books import moved, unbalanced
from tests.support.gone import count, is_there, listed, new_key
from tests.support.migrating import Migration
from tests.support.small_installation import key

Report = dict[str, DeletesReport]

CLEAN, EDITED, ADOPTED, DELETED, WITH_UPDATE, WITH_TAG, WITH_NOTE, OF_CONTACT = (key("ticket", n) for n in range(1, 9))
OUR_JOB, EDITED_JOB = key("job", 1), key("job", 2)
USER, ADOPTED_USER = key("user", 1), key("user", 2)


@pytest.fixture(scope="module")
def propagated(module_pair: Migration) -> tuple[Migration, Report]:
    """What one pass makes of tickets, jobs, users and an agent that are gone, each in a state of its own."""
    migration = module_pair
    tickets = {row: new_key(migration, "tickets", row) for row in (EDITED, DELETED, WITH_UPDATE, WITH_TAG, WITH_NOTE)}
    contact = migration.query("SELECT requester_contact_id::text FROM tickets WHERE subject = 'Ticket 8'")[0][0]
    task, user = new_key(migration, "agent_tasks", EDITED_JOB, "jobs"), new_key(migration, "users", USER)
    migration.target.execute(f"""
        UPDATE tickets SET subject = 'by hand' WHERE id = '{tickets[EDITED]}';
        UPDATE remoteiq_etl.legacy_tickets_map SET adopted = true WHERE legacy_key = '{ADOPTED}';
        DELETE FROM tickets WHERE id = '{tickets[DELETED]}';
        INSERT INTO ticket_updates (ticket_id, message) VALUES ('{tickets[WITH_UPDATE]}', 'seen');
        INSERT INTO ticket_tags (ticket_id, tag) VALUES ('{tickets[WITH_TAG]}', 'vip');
        CREATE SCHEMA crm; CREATE TABLE crm.notes (note int PRIMARY KEY, ticket uuid REFERENCES public.tickets ON DELETE CASCADE);
        INSERT INTO crm.notes VALUES (7, '{tickets[WITH_NOTE]}');
        INSERT INTO tickets (organization_id, ticket_number, subject, requester_contact_id)
            SELECT organization_id, 999, 'new', '{contact}' FROM tickets LIMIT 1;
        UPDATE agent_tasks SET payload = '{{"edited": true}}' WHERE id = '{task}';
        INSERT INTO sessions (user_id, refresh_token) VALUES ('{user}', 'new');
        INSERT INTO trusted_devices (user_id, device_fingerprint) VALUES ('{user}', 'new');
        UPDATE remoteiq_etl.legacy_users_map SET adopted = true WHERE legacy_key = '{ADOPTED_USER}'
    """)
    migration.legacy.execute(f"""
        DELETE FROM tickets WHERE number <= 8;
        DELETE FROM jobs WHERE id IN ('{OUR_JOB}', '{EDITED_JOB}');
        DELETE FROM users WHERE id IN ('{USER}', '{ADOPTED_USER}');
        DELETE FROM sessions WHERE id = '{key("session", 3)}';
        DELETE FROM agents WHERE id = 21;
        DELETE FROM roles WHERE id = '{key("role", 2)}'
    """)
    return migration, migration.gone(DeletePolicy.PROPAGATE)


Propagated = tuple[Migration, Report]


def test_a_row_that_is_ours_and_as_we_wrote_it_is_deleted_with_an_image(propagated: Propagated) -> None:
    migration, _ = propagated
    old = new_key(migration, "tickets", CLEAN)
    assert listed(migration, "tickets", CLEAN) == [("deleted", None, None)]
    assert not is_there(migration, "tickets", old)
    assert migration.query(
        "SELECT operation, image ->> 'subject' FROM remoteiq_etl.before_images WHERE table_name = 'tickets' AND new_key = %s",
        old,
    ) == [("delete", "Ticket 1")]


def test_the_map_keeps_the_row_marked(propagated: Propagated) -> None:
    migration, _ = propagated
    query = "SELECT state, written_hash, new_key IS NOT NULL FROM remoteiq_etl.legacy_tickets_map WHERE legacy_key = %s"
    assert migration.query(query, CLEAN) == [("gone", None, True)]


def test_what_came_less_what_went_is_what_is_there(propagated: Propagated) -> None:
    migration, reports = propagated
    assert unbalanced(migration) == []
    assert moved(migration, "tickets")["gone from legacy"] == -reports["tickets"].deleted < 0
    assert moved(migration, "trusted_devices")["withdrawn"] < 0


def test_the_tags_that_are_ours_go_with_their_ticket(propagated: Propagated) -> None:
    migration, reports = propagated
    assert migration.query(
        "SELECT count(*) FROM ticket_tags WHERE ticket_id = %s", new_key(migration, "tickets", CLEAN)
    ) == [(0,)]
    assert reports["ticket_tags"].deleted > 0


@pytest.mark.parametrize(("row", "reason"), [(EDITED, "edited in target"), (ADOPTED, "adopted")])
def test_what_is_not_ours_as_we_wrote_it_is_listed(propagated: Propagated, row: str, reason: str) -> None:
    migration, _ = propagated
    assert listed(migration, "tickets", row) == [("listed", reason, None)]
    assert is_there(migration, "tickets", new_key(migration, "tickets", row))


def test_what_was_deleted_in_the_target_is_not_listed(propagated: Propagated) -> None:
    migration, _ = propagated
    assert [row[0] for row in listed(migration, "tickets", DELETED)] == ["was deleted in target"]


@pytest.mark.parametrize(
    ("row", "holder"),
    [(WITH_UPDATE, "ticket_updates"), (WITH_TAG, "ticket_tags"), (WITH_NOTE, "crm.notes")],
    ids=["of a table that we do not write", "of the application in a table of ours", "of the operator's own table"],
)
def test_what_a_row_not_ours_refers_to_is_listed_with_it(propagated: Propagated, row: str, holder: str) -> None:
    """A cascade never takes what is not ours; the foreign keys of the live database count, whatever their schema."""
    migration, _ = propagated
    ((outcome, reason, held_by),) = listed(migration, "tickets", row)
    assert (outcome, reason, held_by.split()[0]) == ("listed", "referred to", holder)
    assert is_there(migration, "tickets", new_key(migration, "tickets", row))
    assert count(migration, holder) >= 1


def test_a_row_that_stays_holds_what_it_refers_to(propagated: Propagated) -> None:
    """At any depth: the ticket is held by a note, and holds its contact, although that reference could be set to null."""
    migration, _ = propagated
    ((outcome, reason, _),) = listed(migration, "contacts", '["email","pat7@example.com"]')
    assert (outcome, reason) == ("listed", "referred to")
    ((kept,),) = migration.query(
        "SELECT requester_contact_id IS NOT NULL FROM tickets WHERE id = %s", new_key(migration, "tickets", WITH_NOTE)
    )
    assert kept


def test_a_reference_that_would_be_set_to_null_holds_too(propagated: Propagated) -> None:
    migration, _ = propagated
    assert listed(migration, "tickets", OF_CONTACT) == [("deleted", None, None)]
    assert [row[1] for row in listed(migration, "contacts", '["email","pat8@example.com"]')] == ["referred to"]
    assert migration.query("SELECT requester_contact_id IS NOT NULL FROM tickets WHERE subject = 'new'") == [(True,)]


def test_what_one_legacy_row_became_goes_together(propagated: Propagated) -> None:
    """A job became a task and its run, its result a result: all go, children first, or none of the job."""
    migration, reports = propagated
    task = new_key(migration, "agent_tasks", EDITED_JOB, "jobs")
    assert [reports[table].deleted for table in ("agent_tasks", "agent_task_runs", "agent_task_results")] == [1, 1, 2]
    assert listed(migration, "agent_tasks", OUR_JOB) == [("deleted", None, None)]
    assert listed(migration, "agent_tasks", EDITED_JOB) == [("listed", "edited in target", None)]
    assert listed(migration, "agent_task_runs", EDITED_JOB) == [
        ("listed", "goes with another row", f"agent_tasks {task}")
    ]
    assert migration.query("SELECT count(*) FROM agent_task_runs WHERE task_id = %s", task) == [(1,)]


def test_a_synthesized_row_goes_with_its_last_cause(propagated: Propagated) -> None:
    """The agent alone had a device, a client and a site made for it."""
    migration, reports = propagated
    assert {table: reports[table].deleted for table in ("agents", "devices", "sites", "clients")} == {
        "agents": 1, "devices": 1, "sites": 1, "clients": 1
    }  # fmt: skip
    assert migration.query("SELECT name FROM clients") == [("Acme",)]


def test_a_row_lives_while_one_of_its_legacy_rows_does(propagated: Propagated) -> None:
    migration, reports = propagated
    assert (reports["roles"].lives_on, reports["roles"].deleted) == (1, 0)
    assert is_there(migration, "roles", new_key(migration, "roles", key("role", 2)))


def test_the_archive_keeps_what_is_gone_and_marks_it(propagated: Propagated) -> None:
    migration, _ = propagated
    archived = "SELECT DISTINCT gone_run IS NOT NULL FROM remoteiq_etl.legacy_archive WHERE legacy_table = 'roles' AND legacy_key = %s"
    assert migration.query(archived, key("role", 2)) == [(True,)]
    assert migration.query(
        "SELECT count(gone_run) FROM remoteiq_etl.legacy_archive WHERE legacy_table = 'devices'"
    ) == [(0,)]


def test_a_gone_user_is_disabled_and_loses_sessions_tokens_and_trust(propagated: Propagated) -> None:
    """Also what the new application gave it; the rows of others are not touched, and each row has its image."""
    migration, reports = propagated
    user = new_key(migration, "users", USER)
    assert (reports["users"].gone, reports["users"].withdrawn, reports["users"].deleted) == (2, 1, 0)
    assert migration.query("SELECT id::text FROM users WHERE status = 'disabled'") == [(user,)]
    for table, rows in (("sessions", 2), ("personal_access_tokens", 1)):
        left = f"SELECT count(*), count(revoked_at) FROM {table} WHERE user_id = %s"
        assert migration.query(left, user) == [(rows, rows)]
    assert migration.query("SELECT count(*) FROM trusted_devices WHERE user_id = %s", user) == [(0,)]
    assert count(migration, "trusted_devices") == 18, "that of the adopted user is ours"
    images = "SELECT DISTINCT table_name, operation FROM remoteiq_etl.before_images ORDER BY 1"
    assert {
        ("users", "update"), ("sessions", "update"), ("personal_access_tokens", "update"), ("trusted_devices", "delete")
    } <= set(migration.query(images))  # fmt: skip


def test_a_gone_user_is_never_deleted_nor_what_belongs_to_it(propagated: Propagated) -> None:
    """The sessions have to stay, or their cookies would be let in again."""
    migration, _ = propagated
    assert (count(migration, "users"), count(migration, "user_security"), count(migration, "sessions")) == (20, 20, 21)
    assert listed(migration, "user_security", USER)[0][:2] == ("listed", "goes with another row")


def test_an_adopted_user_that_is_gone_is_only_listed(propagated: Propagated) -> None:
    """The account is the target's, not ours to disable."""
    migration, _ = propagated
    assert listed(migration, "users", ADOPTED_USER) == [("listed", "adopted", None)]


def test_a_gone_session_is_revoked_and_not_deleted(propagated: Propagated) -> None:
    """The application lets a cookie in whose session it does not find."""
    migration, _ = propagated
    session = new_key(migration, "sessions", key("session", 3))
    assert migration.query("SELECT revoked_at IS NOT NULL FROM sessions WHERE id = %s", session) == [(True,)]
    assert [row[0] for row in listed(migration, "sessions", key("session", 3))] == ["withdrawn"]


def test_the_account_of_a_delete_is_in_the_ledger(propagated: Propagated) -> None:
    migration, _ = propagated
    ((primary, read, outcomes),) = migration.query(
        "SELECT primary_rows, \"read\", outcomes FROM remoteiq_etl.ledger WHERE table_name = 'tickets'"
        " AND run_id = (SELECT max(id) FROM remoteiq_etl.runs)"
    )
    assert (primary, read) == (False, 0)
    assert outcomes == {
        "deleted, gone from legacy": 2, "gone from legacy, edited in target": 1, "gone from legacy, adopted": 1,
        "gone from legacy, referred to": 3, "gone from legacy, was deleted in target": 1,
    }  # fmt: skip


def test_the_report_counts_what_is_listed_and_why(propagated: Propagated) -> None:
    _, reports = propagated
    report = reports["tickets"]
    assert report.counts() == {
        "mapped": 60, "gone": 8, "deleted": 2, "withdrawn": 0, "listed": 5, "lives_on": 0, "returned": 0
    }  # fmt: skip
    assert report.reasons == {"edited in target": 1, "adopted": 1, "referred to": 3}


def test_no_secret_of_a_row_is_in_its_image(propagated: Propagated) -> None:
    migration, _ = propagated
    images = migration.query("SELECT string_agg(image::text, ' ') FROM remoteiq_etl.before_images")[0][0]
    assert not any(secret in images for secret in ("hash1", "digest1", "print1"))
