"""Rows gone from legacy: listed or deleted by rules, never more than what is ours, as we wrote it, and referred to by nobody."""

from dataclasses import replace
from typing import Any

import pytest

from remoteiq_etl.backfill import deletion
from remoteiq_etl.backfill.accounts import Ledger
from remoteiq_etl.backfill.capture import Mode
from remoteiq_etl.backfill.gone import GoneReport, Policy
from remoteiq_etl.errors import ConservationError
from tests.support.migrating import Migration
from tests.support.small_installation import TABLES, key

Report = dict[str, GoneReport]


def new_key(migration: Migration, table: str, legacy_key: str, legacy_table: str | None = None) -> str:
    ((found,),) = migration.query(
        f"SELECT new_key::text FROM remoteiq_etl.legacy_{table}_map WHERE legacy_key::text = %s AND legacy_table = %s",
        legacy_key,
        legacy_table or table,
    )
    return str(found)


def listed(migration: Migration, table: str, *legacy_keys: str) -> list[tuple[Any, ...]]:
    """Outcome, reason and holder of what is gone."""
    return migration.query(
        "SELECT outcome, reason, holder FROM remoteiq_etl.gone WHERE table_name = %s AND returned_run IS NULL"
        " AND (legacy_key = ANY (%s) OR cardinality(%s::text[]) = 0) ORDER BY legacy_key",
        table,
        list(legacy_keys),
        list(legacy_keys),
    )


def count(migration: Migration, table: str) -> int:
    return int(migration.query(f"SELECT count(*) FROM {table}")[0][0])


def is_there(migration: Migration, table: str, row: str) -> bool:
    return bool(migration.query(f"SELECT EXISTS (SELECT FROM {table} WHERE id = %s)", row)[0][0])


def legacy_row(migration: Migration, table: str, row: str) -> str:
    """A legacy row as JSON text, to put it back."""
    with migration.legacy.connect() as connection:
        found = connection.execute(f"SELECT to_json(t)::text FROM {table} t WHERE id = %s", [row]).fetchone()
    assert found is not None
    return str(found[0])


def put_back(migration: Migration, table: str, row: str) -> None:
    with migration.legacy.connect() as connection:
        connection.execute(
            f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_record(NULL::{table}, %s::json)",
            [row],
        )


# --- one pass over rows of every kind -----------------------------------------------------------------------------

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
    return migration, migration.gone(Policy.PROPAGATE)


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


# --- listing ----------------------------------------------------------------------------------------------------


def test_by_default_a_gone_row_is_listed_and_stays_listed_until_it_is_back(pair: Migration) -> None:
    """Listed since the run that found it; nothing is written to the target; back again, it is listed no longer."""
    before = pair.versions()
    assert not any(report.gone or report.brake for report in pair.gone(Policy.LIST).values())
    row = legacy_row(pair, "tickets", CLEAN)
    pair.legacy.execute(f"DELETE FROM tickets WHERE id = '{CLEAN}'")
    for _ in range(2):
        report = pair.gone(Policy.LIST)["tickets"]
        assert (report.gone, report.listed, report.deleted) == (1, 1, 0)
    assert listed(pair, "tickets") == [("listed", None, None)]
    assert pair.query("SELECT last_run - first_run FROM remoteiq_etl.gone WHERE table_name = 'tickets'") == [(1,)]
    put_back(pair, "tickets", row)
    assert pair.gone(Policy.LIST)["tickets"].returned == 1
    assert listed(pair, "tickets") == []
    assert pair.versions() == before


def test_a_gone_row_that_waited_or_was_left_out_does_so_no_longer(pair: Migration) -> None:
    """What the archive keeps of it is marked, until it is back."""
    pair.legacy.execute(
        "INSERT INTO users (id, name, email) VALUES"
        f" ('{key('user', 51)}', 'Twice', 'USER3@example.com'), ('{key('user', 52)}', 'No mail', ' ');"
        f"INSERT INTO permissions (id, key, label, group_key, group_label) VALUES ('{key('perm', 2)}', ' ', 'Lost', 'ops', 'Ops')"
    )
    pair.run(*TABLES)
    waiting = "SELECT count(*) FROM remoteiq_etl.quarantine WHERE table_name = 'users' AND released_run IS NULL"
    left_out = "SELECT count(*) FROM remoteiq_etl.left_out WHERE table_name = 'permissions' AND legacy_key = %s"
    marked = "SELECT DISTINCT gone_run IS NOT NULL FROM remoteiq_etl.legacy_archive WHERE legacy_key = %s"
    assert pair.query(waiting) == [(2,)]
    assert (pair.query(left_out, key("perm", 2)), pair.query(marked, key("perm", 2))) == ([(1,)], [(False,)])
    row = legacy_row(pair, "permissions", key("perm", 2))
    pair.legacy.execute(
        f"DELETE FROM users WHERE id = '{key('user', 52)}'; DELETE FROM permissions WHERE id = '{key('perm', 2)}'"
    )
    pair.gone(Policy.LIST, tables=["users", "permissions"])
    assert pair.query(waiting) == [(1,)]
    assert (pair.query(left_out, key("perm", 2)), pair.query(marked, key("perm", 2))) == ([(0,)], [(True,)])
    with pair.legacy.connect() as connection:
        connection.execute(
            "INSERT INTO permissions SELECT * FROM json_populate_record(NULL::permissions, %s::json)", [row]
        )
    pair.run(*TABLES)
    pair.gone(Policy.LIST, tables=["permissions"])
    assert (pair.query(left_out, key("perm", 2)), pair.query(marked, key("perm", 2))) == ([(1,)], [(False,)])


def test_under_the_policy_of_listing_a_gone_user_is_disabled_once(pair: Migration) -> None:
    """Who is enabled again by hand stays so; a session alone is only listed."""
    pair.legacy.execute(f"DELETE FROM users WHERE id = '{USER}'; DELETE FROM sessions WHERE id = '{key('session', 3)}'")
    reports = pair.gone(Policy.LIST, tables=["users", "sessions"])
    assert (reports["users"].withdrawn, reports["sessions"].withdrawn) == (1, 0)
    assert pair.query("SELECT count(*) FROM users WHERE status = 'disabled'") == [(1,)]
    pair.target.execute("UPDATE users SET status = 'active'")
    assert pair.gone(Policy.LIST, tables=["users"])["users"].withdrawn == 0
    assert pair.query("SELECT DISTINCT status::text FROM users") == [("active",)]


# --- coming back ------------------------------------------------------------------------------------------------


def test_a_deleted_row_comes_back_under_its_old_id(pair: Migration) -> None:
    """With what was made of it; what had referred to it before does so again."""
    old = new_key(pair, "tickets", CLEAN)
    row = legacy_row(pair, "tickets", CLEAN)
    pair.legacy.execute(f"DELETE FROM tickets WHERE id = '{CLEAN}'")
    assert pair.gone(Policy.PROPAGATE)["tickets"].deleted == 1
    put_back(pair, "tickets", row)
    assert pair.run(*TABLES)["tickets"].total(Ledger.INSERTED) == 1
    assert pair.query("SELECT subject FROM tickets WHERE id = %s", old) == [("Ticket 1",)]
    assert pair.query("SELECT count(*) > 0 FROM ticket_tags WHERE ticket_id = %s", old) == [(True,)]
    pair.gone(Policy.PROPAGATE, tables=["tickets"])
    assert listed(pair, "tickets") == []


def test_a_user_that_comes_back_stays_disabled(pair: Migration) -> None:
    """A one-way door; what it refused is in the conflict list."""
    row = legacy_row(pair, "users", USER)
    pair.legacy.execute(f"DELETE FROM users WHERE id = '{USER}'")
    pair.gone(Policy.PROPAGATE, tables=["users"])
    put_back(pair, "users", row)
    pair.run("organizations", "users", "user_security")
    assert pair.query(
        "SELECT columns, reason FROM remoteiq_etl.conflicts WHERE table_name = 'users' AND legacy_key = %s", USER
    ) == [(["status"], "one-way door")]
    pair.gone(Policy.PROPAGATE, tables=["users"])
    assert pair.query("SELECT id::text FROM users WHERE status = 'disabled'") == [(new_key(pair, "users", USER),)]
    assert listed(pair, "users") == []


def test_a_row_whose_winner_is_gone_lives_on_under_the_others(pair: Migration) -> None:
    """The next of them takes it over, under its id; with the last of them it goes, and its keys all with it."""
    winner, other = key("role", 4), key("role", 5)
    old, before = new_key(pair, "roles", winner), count(pair, "roles")
    pair.legacy.execute(f"DELETE FROM roles WHERE id = '{winner}'")
    assert pair.gone(Policy.PROPAGATE, tables=["roles"])["roles"].lives_on == 1
    report = pair.run(*TABLES)["roles"]
    assert (report.total(Ledger.INSERTED), report.total(Ledger.QUARANTINED)) == (0, 0)
    assert pair.query("SELECT name FROM roles WHERE id = %s", old) == [("twin ",)]
    states = "SELECT legacy_key, state FROM remoteiq_etl.legacy_roles_map WHERE new_key = %s AND legacy_table = 'roles' ORDER BY 1"
    assert pair.query(states, old) == [(winner, "merged"), (other, "live")]
    pair.legacy.execute(f"DELETE FROM roles WHERE id = '{other}'")
    pair.run(*TABLES)
    assert pair.gone(Policy.PROPAGATE)["roles"].deleted == 1
    assert count(pair, "roles") == before - 1
    assert {row[0] for row in listed(pair, "roles")} == {"deleted"}


def test_links_and_grants_of_what_is_gone_go_by_the_policy(pair: Migration) -> None:
    """They are replaced as ever while their owner is there."""
    user, role = key("user", 1), new_key(pair, "roles", key("role", 3))
    pair.legacy.execute(
        f"DELETE FROM users WHERE id = '{user}'; UPDATE users SET role = '' WHERE id = '{key('user', 2)}';"
        f"DELETE FROM roles WHERE id = '{key('role', 3)}'"
    )
    links, grants = count(pair, "user_roles"), count(pair, "role_permissions")
    pair.run(*TABLES, mode=Mode.FULL)
    assert count(pair, "user_roles") == links - 1, "that of the user who lost the word"
    assert count(pair, "role_permissions") == grants
    assert pair.gone(Policy.LIST)["role_permissions"].listed == 1
    pair.gone(Policy.PROPAGATE)
    assert not is_there(pair, "roles", role)
    assert pair.query("SELECT count(*) FROM role_permissions WHERE role_id = %s", role) == [(0,)]


# --- a pass that does not come to its end -------------------------------------------------------------------------


def test_a_pass_that_was_interrupted_is_resumed(pair: Migration, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each batch is whole: what was committed stays, the next pass does the rest."""
    pair.legacy.execute("DELETE FROM agent_software WHERE id <= 3")
    account, batches = deletion.write_account, iter([True, False])

    def fails_in_the_second_batch(*arguments: Any) -> None:
        if not next(batches):
            raise KeyboardInterrupt
        account(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(deletion, "write_account", fails_in_the_second_batch)
        one_by_one = replace(pair, plan=replace(pair.plan, batch_rows=1))
        with pytest.raises(KeyboardInterrupt):
            one_by_one.gone(Policy.PROPAGATE, tables=["agent_software"])
    assert count(pair, "agent_software") == 19
    assert sorted(row[0] for row in listed(pair, "agent_software")) == ["deleted", "listed", "listed"]
    assert pair.gone(Policy.PROPAGATE, tables=["agent_software"])["agent_software"].deleted == 2
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
        pair.gone(Policy.PROPAGATE, tables=["agent_software"])
    assert pair.query("SELECT DISTINCT state FROM remoteiq_etl.legacy_agent_software_map") == [("live",)]


# --- the choice of tables, and the brake --------------------------------------------------------------------------


def test_only_the_tables_asked_for_are_looked_at_with_what_is_made_of_the_same_rows(pair: Migration) -> None:
    pair.legacy.execute("DELETE FROM agent_software WHERE id = 1; DELETE FROM tickets WHERE number = 1")
    assert set(pair.gone(Policy.PROPAGATE, tables=["agent_software"])) == {"agent_software"}
    assert (count(pair, "agent_software"), count(pair, "tickets")) == (19, 60)
    assert set(pair.gone(Policy.LIST, tables=["tickets"])) == {"tickets", "ticket_tags"}


def test_the_brake_stops_a_table_that_lost_too_much_and_what_depends_on_it(pair: Migration) -> None:
    """11 of 20 devices: nothing is recorded or deleted, neither there nor in tables that depend on it."""
    pair.legacy.execute(
        "DELETE FROM devices WHERE right(id::text, 2)::int <= 11; DELETE FROM agent_software WHERE id = 1"
    )
    reports = pair.gone(Policy.PROPAGATE)
    assert "11 of the 20 mapped rows of devices from devices are gone" in str(reports["devices"].brake)
    assert "--confirm devices" in str(reports["devices"].brake)
    assert "it depends on" in str(reports["agent_software"].brake)
    assert (count(pair, "devices"), count(pair, "agent_software")) == (21, 20)
    assert pair.query("SELECT count(*) FROM remoteiq_etl.gone") == [(0,)]


def test_a_confirmation_lifts_the_brake_that_ten_rows_do_not_need(pair: Migration) -> None:
    pair.legacy.execute("DELETE FROM agent_software WHERE id <= 10; DELETE FROM tickets WHERE number <= 13")
    reports = pair.gone(Policy.PROPAGATE)
    assert (reports["agent_software"].deleted, reports["tickets"].deleted) == (10, 0)
    assert reports["tickets"].brake is not None
    report = pair.gone(Policy.PROPAGATE, tables=["tickets"], confirmed=["tickets"])["tickets"]
    assert (report.brake, report.deleted) == (None, 13)


def test_an_empty_table_brakes_however_few_rows_it_had(pair: Migration) -> None:
    """Nobody is disabled either."""
    pair.legacy.execute("TRUNCATE permissions, users CASCADE")
    reports = pair.gone(Policy.PROPAGATE)
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
    reports = reader.gone(Policy.PROPAGATE, tables=["agent_software", "tickets"], confirmed=["agent_software"])
    assert reason in str(reports["agent_software"].brake)
    assert count(pair, "agent_software") == 20
    assert reports["tickets"].deleted == 1
