"""What is decided about devices, checks, roles, permissions, sessions and tickets still holds when legacy changes between two runs."""

from datetime import UTC, datetime

import pytest
from psycopg.types.json import Jsonb

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.verify.engine import verify
from tests.machine.broken import At, Killed
from tests.support.migrating import Migration
from tests.support.server import Database
from tests.support.small_installation import TABLES as LOADED
from tests.support.small_installation import key
from tests.support.undoing import last_run, undone

#: What is decided about devices and checks is written here.
TABLES = ("organizations", "clients", "sites", "devices", "agents", "checks", "check_assignments", "check_runs")
DEVICES = "SELECT legacy_table, legacy_key, new_key::text FROM remoteiq_etl.legacy_devices_map"
#: A role of this name, and how many users have it.
LINKED = (
    "SELECT r.id, count(l.user_id) FROM roles r LEFT JOIN user_roles l ON l.role_id = r.id WHERE r.name = %s GROUP BY 1"
)


def rejected(migration: Migration) -> int:
    """Rows that wait, of the tables looked at here."""
    return sum(
        migration.query(
            f"SELECT count(*) FROM remoteiq_etl.{kept} WHERE table_name = ANY(%s) AND released_run IS NULL",
            list(TABLES),
        )[0][0]
        for kept in ("quarantine", "held")
    )


def test_a_late_device_takes_over_the_synthesized_one(again: Migration, edge_db: Database) -> None:
    """Both keys lead to the existing id: no second device, the agent stays where it is, later runs change nothing."""
    agent, device = again.query(
        "SELECT m.legacy_key, m.new_key::text FROM remoteiq_etl.legacy_devices_map m"
        " JOIN agents a ON a.device_id = m.new_key"
        " WHERE m.legacy_table = 'agents' AND m.rule = 'synthesized' ORDER BY 1 LIMIT 1"
    )[0]
    devices, waiting = again.query("SELECT count(*) FROM devices")[0][0], rejected(again)
    edge_db.execute(
        "INSERT INTO devices (id, hostname, os, status, agent_uuid, last_seen)"
        " SELECT 'a0000000-0000-4000-8000-00000000beef', 'late-comer', 'linux', 'online', agent_uuid, now()"
        f" FROM agents WHERE id = {agent}"
    )
    reports = again.run(*TABLES)
    assert again.query("SELECT count(*) FROM devices")[0][0] == devices
    assert rejected(again) == waiting
    known = {(table, key): new for table, key, new in again.query(DEVICES)}
    assert known["devices", "a0000000-0000-4000-8000-00000000beef"] == device
    assert known["agents", agent] == device
    assert again.query("SELECT hostname, status::text FROM devices WHERE id = %s", device) == [("late-comer", "online")]
    assert reports["devices"].total(Ledger.CONFLICT) == 0
    before = again.versions()
    again.run(*TABLES)
    assert again.versions() == before
    edge_db.execute("DELETE FROM devices WHERE id = 'a0000000-0000-4000-8000-00000000beef'")
    again.run(*TABLES)
    assert again.query("SELECT hostname <> 'late-comer' FROM devices WHERE id = %s", device) == [(True,)]
    assert again.query("SELECT count(*) FROM devices")[0][0] == devices


def test_the_hostname_of_a_device_that_legacy_lost_is_taken_while_its_row_is_there(
    again: Migration, edge_db: Database
) -> None:
    """Its agent gets a device of its own under another name, and nothing waits for one; the name is free with the row."""
    device, agent, hostname = again.query(
        "SELECT d.id::text, m.legacy_key, d.hostname FROM devices d JOIN agents a ON a.device_id = d.id"
        " JOIN remoteiq_etl.legacy_agents_map m ON m.new_key = a.id AND m.state = 'live'"
        " WHERE EXISTS (SELECT FROM remoteiq_etl.legacy_devices_map l WHERE l.legacy_table = 'devices' AND l.new_key = d.id)"
        " AND d.site_id IS NOT NULL AND NOT d.hostname LIKE '%%~%%' ORDER BY m.legacy_key::int LIMIT 1"
    )[0]
    waiting = rejected(again)
    edge_db.execute(
        f"UPDATE agents a SET hostname = d.hostname, client = d.client, site = d.site FROM devices d"
        f" WHERE a.id = {agent} AND d.id = '{device}'"
    )
    edge_db.execute(f"DELETE FROM devices WHERE id = '{device}'")
    again.run(*TABLES)
    of_agent = (
        "SELECT d.hostname FROM devices d JOIN remoteiq_etl.legacy_devices_map m ON m.new_key = d.id"
        " WHERE m.legacy_table = 'agents' AND m.legacy_key = %s AND m.rule = 'synthesized'"
    )
    ((name,),) = again.query(of_agent, agent)
    assert name.startswith(f"{hostname}~")
    assert rejected(again) == waiting
    again.target.execute(f"DELETE FROM devices WHERE id = '{device}'")
    again.run(*TABLES, mode=Mode.FULL)
    assert again.query(of_agent, agent) == [(hostname,)]


def test_a_defined_check_takes_over_the_synthesized_one(again: Migration, edge_db: Database) -> None:
    """A check that legacy defines later, equal to a synthesized one, becomes that row."""
    key, check = again.query(
        "SELECT legacy_key, new_key::text FROM remoteiq_etl.legacy_checks_map WHERE legacy_table = 'derived'"
        " AND legacy_key NOT LIKE '[\"\",%%' ORDER BY 1 LIMIT 1"
    )[0]
    check_type, name = (part.strip('" ') for part in key.strip("[]").split('","'))
    checks, waiting = again.query("SELECT count(*) FROM checks")[0][0], rejected(again)
    edge_db.execute(
        "ALTER TABLE checks DROP CONSTRAINT IF EXISTS ck_checks_type;"
        "INSERT INTO checks (id, scope, type, name, severity_default, interval_sec, timeout_sec) VALUES"
        f" ('a0000000-0000-4000-8000-00000000beef', 'DEVICE', upper('{check_type}'), '{name}', 'WARN', 75, 5)"
    )
    again.run(*TABLES)
    assert again.query("SELECT count(*) FROM checks")[0][0] == checks
    assert rejected(again) == waiting
    assert again.query("SELECT schedule FROM checks WHERE id = %s", check) == [("@every 75s",)]
    before = again.versions()
    again.run(*TABLES)
    assert again.versions() == before


def test_the_session_that_is_revoked_later_stands_from_then_on(again: Migration, edge_db: Database) -> None:
    """Of two sessions with one jti: the row stays, under the key of the one that lets no cookie in, and back again."""
    revoked, live = (f"5e00000{number}-0000-4000-8000-000000000000" for number in (3, 4))
    rows = again.query("SELECT id FROM sessions ORDER BY id")
    for stands, other in ((live, revoked), (revoked, live)):
        edge_db.execute(
            f"UPDATE sessions SET revoked_at = '2024-09-01' WHERE id = '{stands}';"
            f"UPDATE sessions SET revoked_at = NULL WHERE id = '{other}'"
        )
        again.run("users", "sessions")
        assert again.query("SELECT id FROM sessions ORDER BY id") == rows
        query = (
            "SELECT legacy_key FROM remoteiq_etl.legacy_sessions_map WHERE state = 'live' AND legacy_key IN (%s, %s)"
        )
        assert [str(key) for (key,) in again.query(query, stands, other)] == [stands]
        assert again.query("SELECT count(*) FROM sessions WHERE id = %s AND revoked_at IS NULL", rows[-1][0]) == [(0,)]


def test_a_legacy_role_takes_the_role_of_its_word_over(again: Migration, edge_db: Database) -> None:
    """One row while their names are equal. Renamed, the legacy role keeps the row, and the word's users have another role."""
    tables = ("permissions", "roles", "users", "user_roles")
    ((made, users),) = again.query(LINKED, "Auditor")
    edge_db.execute(
        "INSERT INTO roles (id, name, created_at, description)"
        " VALUES ('a0000000-0000-4000-8000-00000000beef', 'auditor', '2024-01-01', 'Defined later')"
    )
    again.run(*tables)
    assert again.query(LINKED, "auditor") == [(made, users)]
    assert again.query("SELECT description FROM roles WHERE id = %s", made) == [("Defined later",)]
    edge_db.execute("UPDATE roles SET name = 'Reviewer' WHERE name = 'auditor'")
    again.run(*tables)
    assert again.query(LINKED, "Reviewer") == [(made, 0)]
    ((other, moved),) = again.query(LINKED, "Auditor")
    assert (other != made, moved) == (True, users)
    before = again.versions()
    again.run(*tables)
    assert again.versions() == before


def test_a_legacy_permission_takes_the_row_of_its_word_over(again: Migration, edge_db: Database) -> None:
    """One row under the key, written by whom it is: the word of role_meta, a permission that comes later, the word again."""
    ((key,),) = again.query(
        "SELECT min(new_key) FROM remoteiq_etl.legacy_permissions_map WHERE legacy_table = 'derived' AND state = 'live'"
    )
    row = f"SELECT label, description, created_at FROM permissions WHERE permission_key = '{key}'"
    of_word = again.query(row)
    arrives = (
        "INSERT INTO permissions (id, key, label, group_key, group_label, created_at)"
        f" VALUES ('a0000000-0000-4000-8000-00000000beef', ' {key.upper()}', 'Defined later', 'g', 'G', '2024-01-01')"
    )
    edge_db.execute(arrives)
    report = again.run("permissions")["permissions"]
    assert (report.total(Ledger.QUARANTINED), report.total(Ledger.CONFLICT)) == (0, 0)
    of_legacy = [("Defined later", of_word[0][1], datetime(2024, 1, 1, tzinfo=UTC))]
    assert again.query(row) == of_legacy
    assert verify(again.plan, ["permissions"]).passed
    undone(again, UndoScope(run=last_run(again)))
    assert again.query(row) == of_word
    again.run("permissions", "seed_permissions")  # the undo has taken back what is known of both
    assert again.query(row) == of_legacy
    for _ in range(2):
        edge_db.execute("DELETE FROM permissions WHERE label = 'Defined later'")
        again.run("permissions")
        assert again.query(row) == [(key, *of_legacy[0][1:])]
        assert verify(again.plan, ["permissions"]).passed
        edge_db.execute(arrives)
        again.run("permissions")
        assert again.query(row) == of_legacy
    before = again.versions()
    again.run("permissions")
    assert again.versions() == before


def test_the_assignment_of_a_global_check_goes_when_it_is_disabled(again: Migration, edge_db: Database) -> None:
    """An enabled GLOBAL check is assigned to the organization; disabled, that goes; enabled, it is back."""
    count = "SELECT count(*) FROM check_assignments WHERE target_type = 'organization'"
    assigned = again.query(count)[0][0]
    assert assigned > 0
    edge_db.execute("UPDATE checks SET enabled = false WHERE scope = 'GLOBAL'")
    again.run(*TABLES)
    assert again.query(count) == [(0,)]
    edge_db.execute("UPDATE checks SET enabled = true WHERE scope = 'GLOBAL' AND type <> 'SCRIPT'")
    again.run(*TABLES)
    assert again.query(count)[0][0] >= assigned


def test_what_refers_to_an_adopted_device_refers_to_the_row_that_was_there(again: Migration) -> None:
    """Agents and assignments of an adopted device lead to the target's row, though it has an id of its own."""
    device, site, client, agent = again.query(
        "SELECT d.id::text, s.id::text, c.id::text, a.id::text FROM devices d JOIN sites s ON s.id = d.site_id"
        " JOIN clients c ON c.id = s.client_id JOIN agents a ON a.device_id = d.id"
        " JOIN remoteiq_etl.legacy_devices_map m ON m.new_key = d.id"
        " WHERE m.legacy_table = 'devices' AND m.state = 'live'"
        " AND EXISTS (SELECT FROM check_assignments WHERE target_id = d.id) ORDER BY 1 LIMIT 1"
    )[0]
    fresh = "b0000000-0000-4000-8000-00000000beef"
    organization = again.query("SELECT organization_id::text FROM clients WHERE id = %s", client)[0][0]
    there = {"organizations": organization, "clients": client, "sites": site, "devices": device}
    kept = {
        table: again.query(f"SELECT to_jsonb(t) FROM {table} t WHERE id = %s", key)[0][0]
        for table, key in there.items()
    }
    kept["devices"]["id"] = fresh
    again.target.execute("DROP SCHEMA remoteiq_etl CASCADE")
    tables = again.query("SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public'")[
        0
    ][0]
    again.target.execute(f"TRUNCATE {tables}")
    for table, row in kept.items():
        again.query(
            f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s::jsonb) RETURNING id",
            Jsonb(row),
        )
    again.run(*TABLES)
    assert again.query("SELECT count(*) FROM devices WHERE id = %s", device) == [(0,)]
    assert again.query("SELECT device_id::text FROM agents WHERE id = %s", agent) == [(fresh,)]
    assert again.query("SELECT count(*) > 0 FROM check_assignments WHERE target_id = %s", fresh) == [(True,)]
    assert again.query("SELECT count(*) FROM check_assignments WHERE target_id = %s", device) == [(0,)]


def test_a_new_row_flips_no_winner_and_no_spelling_until_an_operator_asks(again: Migration, edge_db: Database) -> None:
    """What would be decided otherwise today is reported; asked for, the new winner takes the row over as it is."""
    tables = ("organizations", "seed_permissions", "permissions", "roles", "clients")
    role = "0f000000-0000-4000-8000-000000000001"
    older, spelt = "0f000000-0000-4000-8000-0000000000aa", 'SELECT name FROM clients ORDER BY name COLLATE "C"'
    edge_db.execute(
        f"INSERT INTO roles (id, name, description, created_at) VALUES ('{older}', 'TECHNICIAN', 'late', '2001-01-01')"
    )
    name = again.query(spelt)[-1][0]
    edge_db.execute(
        "INSERT INTO tickets (id, number, title, status, priority, client)"
        f" SELECT gen_random_uuid(), 90000 + n, 'late', 'open', 'normal', upper('{name}') FROM generate_series(1, 50) n"
    )
    found = "SELECT name, description FROM roles WHERE id = %s"
    before, names = again.query(found, role), again.query(spelt)
    for planning in (True, False):
        reports = again.run(*tables, planning=planning)
        assert reports["roles"].warnings["decided_otherwise_today"] == 1
        assert reports["clients"].warnings["spelling_would_change"] > 0
        assert (again.query(found, role), again.query(spelt)) == (before, names)
    redecided = frozenset({"roles", "clients"})
    reports = again.run(*tables, redecide=redecided)
    assert reports["roles"].total(Ledger.INSERTED) == 0
    assert again.query(found, role) == [("TECHNICIAN", "late")]
    leads = "SELECT legacy_key, state FROM remoteiq_etl.legacy_roles_map WHERE new_key = %s AND legacy_table = 'roles'"
    assert dict(again.query(leads, role))[older] == "live"
    assert dict(again.query(leads, role))[role] == "merged"
    assert name.upper() in {row[0] for row in again.query(spelt)}
    after = again.versions()
    assert again.run(*tables)["roles"].warnings["decided_otherwise_today"] == 0
    assert again.versions() == after


def test_a_number_taken_while_its_ticket_is_deleted_is_replaced_when_the_ticket_comes_back(pair: Migration) -> None:
    """Nobody shows the number of a ticket that is not there: a run that has no ticket to read leaves it as it is recorded."""
    ticket, others = key("ticket", 60), ("organizations", "agent_software")
    number = "SELECT (decision ->> 'ticket_number')::int FROM remoteiq_etl.legacy_tickets_map WHERE legacy_key = %s"
    shown = f"SELECT id::text = '{ticket}', ticket_number FROM tickets WHERE ticket_number >= 60 ORDER BY 2"
    pair.target.execute(f"DELETE FROM tickets WHERE id = '{ticket}'")
    pair.run(*LOADED)
    pair.target.execute(
        "INSERT INTO tickets (organization_id, ticket_number, subject) SELECT organization_id, max(ticket_number) + 1, 'new'"
        " FROM tickets GROUP BY 1"
    )
    assert pair.run(*LOADED)["tickets"].reading == "nothing changed"
    assert pair.query(number, ticket) == [(60,)]
    with pytest.raises(Killed):
        Migration.of(pair.legacy, pair.target, observer=At(40)).run(*others)
    assert pair.query(number, ticket) == [(60,)]
    pair.run(*LOADED, recreate={"tickets": frozenset({ticket})})
    assert pair.query(shown) == [(False, 60), (True, 61)]
    pair.run(*LOADED, mode=Mode.FULL)
    assert (pair.query(number, ticket), len(pair.query(shown))) == ([(61,)], 2)
