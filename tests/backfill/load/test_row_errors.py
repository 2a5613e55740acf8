"""Whatever the target says of one row is about that row: it is quarantined with SQLSTATE and constraint, the rest goes on."""

from collections.abc import Iterator
from itertools import chain

import psycopg
import pytest

from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Label
from tests.support.migrating import Migration, foreign_target, with_dependencies
from tests.support.server import Database, Server
from tests.support.small_installation import fill, key
from tests.support.undoing import EVERYTHING, undone

#: Random hexadecimal digits, which no index can make shorter.
NOISE = (
    "CREATE FUNCTION pg_temp.noise(n int, seed text) RETURNS text LANGUAGE sql AS"
    " $$ SELECT left(string_agg(md5(seed || i), ''), n) FROM generate_series(1, n / 32 + 1) AS i $$;"
)
OPEN = (
    "SELECT legacy_key, rule, detail FROM remoteiq_etl.quarantine WHERE table_name = %s AND released_run IS NULL"
    " ORDER BY legacy_key"
)


@pytest.fixture
def installation(legacy_db: Database, server: Server) -> Iterator[Migration]:
    """A small installation, and a target with all of its indexes; nothing is loaded."""
    fill(legacy_db)
    target = foreign_target(server)
    yield Migration.of(legacy_db, target)
    target.drop()


def refuse(migration: Migration, table: str, condition: str, code: str, event: str = "INSERT OR UPDATE") -> None:
    """Let a trigger of the target raise an error of such a SQLSTATE about some rows, with a value of theirs in its text."""
    migration.target.execute(
        f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {condition} THEN"
        f" RAISE EXCEPTION 'not %', NEW USING ERRCODE = '{code}'; END IF; RETURN NEW; END $$;"
        f"CREATE TRIGGER trg_refuse BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()"
    )


@pytest.mark.parametrize("code", ["P0001", "P0004", "54000", "XX000", "0A000", "23P01", "RQ001"])
def test_an_error_about_a_row_quarantines_that_row(installation: Migration, code: str) -> None:
    """Trigger functions raise what they like; the row is named by its key, and no value of it is."""
    refuse(installation, "users", "NEW.email::text IN ('user2@example.com', 'user9@example.com')", code)
    report = installation.run("organizations", "users", batch_rows=6)["users"]
    detail = f"SQLSTATE {code} of users"
    assert installation.query(OPEN, "users") == [
        (key("user", number), "refused_by_target", detail) for number in (2, 9)
    ]
    assert (report.total(Ledger.INSERTED), report.total(Ledger.QUARANTINED)) == (18, 2)


@pytest.mark.parametrize("code", ["53100", "42501", "55P03", "40001", "57014", "08006", "58030", "XX001"])
def test_an_error_that_is_about_no_row_ends_the_table(installation: Migration, code: str) -> None:
    refuse(installation, "users", "NEW.email = 'user2@example.com'", code)
    with pytest.raises(psycopg.Error) as raised:
        installation.run("organizations", "users")
    assert raised.value.sqlstate == code
    assert installation.query("SELECT count(*) FROM users") == [(0,)]
    assert installation.query("SELECT count(*) FROM remoteiq_etl.quarantine WHERE table_name = 'users'") == [(0,)]


def test_an_update_that_a_trigger_refuses_keeps_the_last_good_state(pair: Migration) -> None:
    refuse(pair, "users", "NEW.last_name = 'Refused'", "P0001", "UPDATE")
    pair.legacy.execute(f"UPDATE users SET name = 'User Refused' WHERE id = '{key('user', 1)}'")
    pair.legacy.execute(f"UPDATE users SET name = 'User Fine' WHERE id = '{key('user', 2)}'")
    report = pair.run("organizations", "users")["users"]
    assert pair.query(OPEN, "users") == [(key("user", 1), "refused_by_target", "SQLSTATE P0001 of users")]
    assert report.total(Ledger.UPDATED) == 1


def test_a_row_that_cannot_even_be_staged_is_quarantined(installation: Migration) -> None:
    """The staging table has the live types: a domain refuses in COPY, before anything is compared."""
    installation.target.execute(
        "CREATE DOMAIN short AS text CHECK (value <> '3'); ALTER TABLE users ALTER last_name TYPE short"
    )
    report = installation.run("organizations", "users", batch_rows=7)["users"]
    assert installation.query(OPEN, "users") == [(key("user", 3), "check_violation", "SQLSTATE 23514 of users")]
    assert (report.total(Ledger.INSERTED), report.total(Ledger.QUARANTINED)) == (19, 1)


def test_an_error_outside_of_the_merge_is_narrowed_too(installation: Migration) -> None:
    """Here the archive refuses a value: the batch is written in ever smaller parts until the row stands alone."""
    installation.run("organizations")
    installation.legacy.execute(
        f"UPDATE tickets SET assignee_id = '{key('user', 5)}', assignee_user_id = '{key('user', 6)}' WHERE number = 7"
    )
    installation.target.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.table_name = 'tickets' THEN"
        " RAISE 'no'; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER trg_refuse BEFORE INSERT ON remoteiq_etl.legacy_archive FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    reports = installation.run(*with_dependencies({"tickets"}))
    assert [row[:2] for row in installation.query(OPEN, "tickets")] == [(key("ticket", 7), "refused_by_target")]
    assert reports["tickets"].total(Ledger.INSERTED) == 59


LONG = {
    "clients": "UPDATE tickets SET client = pg_temp.noise(4000, 'c') WHERE number = 2",
    "sites": "UPDATE tickets SET site = pg_temp.noise(4000, 's') WHERE number = 3",
    "devices": "UPDATE devices SET hostname = pg_temp.noise(4000, 'h') WHERE hostname = 'host-2'",
    "contacts": "UPDATE tickets SET requester_email = pg_temp.noise(3000, 'e') || '@example.com' WHERE number = 5",
    "roles": f"UPDATE users SET role = pg_temp.noise(4000, 'r') WHERE id = '{key('user', 2)}'",
}


INDEXES = {
    "clients": "uq_clients_organization_id_name of clients",
    "sites": "uq_sites_client_id_name of sites",
    "devices": "uq_devices_site_id_hostname of devices",
    "contacts": "pk_legacy_contacts_map of legacy_contacts_map",
    "roles": "uq_roles_organization_id_name of roles",
}


def without_text_indexes(legacy: Database) -> None:
    """Not every installation has the indexes that keep such values out of the legacy database."""
    found = (
        "SELECT string_agg(format('DROP INDEX %I', indexname), ';') FROM pg_indexes"
        " WHERE tablename IN ('users', 'tickets') AND indexdef !~ 'UNIQUE'"
    )
    with legacy.connect() as connection:
        row = connection.execute(found).fetchone()
    assert row is not None
    legacy.execute(row[0])


def test_names_that_no_index_holds_stop_neither_their_table_nor_those_behind_it(installation: Migration) -> None:
    """4,000 characters where an entry of an index holds 2,704 bytes: those rows wait, and all other rows are there."""
    without_text_indexes(installation.legacy)
    for statement in LONG.values():
        installation.legacy.execute(NOISE + statement)
    tables = with_dependencies({"tickets", "agents", "contacts", "user_roles", "sites"})
    for _ in range(2):
        installation.run(*tables)
        refused = {table: installation.query(OPEN, table) for table in LONG}
        for table, index in INDEXES.items():
            assert [row[2] for row in refused[table] if row[1] == "refused_by_target"] == [
                f"constraint {index} (SQLSTATE 54000)"
            ]
        assert all(len(row[0]) < 2000 for row in chain(*refused.values()))
        assert [row[1] for row in refused["sites"]] == ["parent_quarantined", "refused_by_target"]
        assert [row[1] for row in installation.query(OPEN, "user_roles")] == ["parent_quarantined"]
        assert [
            one for table in verify(installation.plan, LONG).tables for one in table.findings if one.label == Label.BUG
        ] == []
        for table, rows in {"tickets": 60, "users": 20, "user_roles": 19, "devices": 20}.items():
            assert installation.query(f"SELECT count(*) FROM {table}") == [(rows,)]
    installation.legacy.execute("UPDATE tickets SET client = 'Acme' WHERE number = 2; UPDATE users SET role = 'Ops'")
    installation.run(*tables)
    assert installation.query(OPEN, "clients") + installation.query(OPEN, "user_roles") == []
    assert installation.query("SELECT count(*) FROM user_roles") == [(20,)]


def found_bugs(migration: Migration) -> list[tuple[str, ...]]:
    found = [one for table in verify(migration.plan).tables for one in table.findings if one.label == Label.BUG]
    return [
        (one.table, one.check, one.kind, one.detail, str(one.key), str(one.legacy_key)[:40], *one.columns)
        for one in found
    ]


LONG_CLIENT = (
    NOISE
    + """
INSERT INTO devices (id, hostname, os, arch, last_seen, status, client, site) VALUES
    ('d0000001-0000-4000-8000-000000000000', 'GOOD-1', 'windows', 'x64', '2024-01-01', 'online', 'Acme', 'HQ');
INSERT INTO tickets (id, number, title, client, site, requester_name, requester_email, created_at, updated_at)
    OVERRIDING SYSTEM VALUE VALUES
    ('7c000001-0000-4000-8000-000000000000', 1, 'good', 'Acme', 'HQ', 'Jane', 'jane@example.com', '2024-01-01', '2024-01-02'),
    ('7c000002-0000-4000-8000-000000000000', 2, 'long', pg_temp.noise(4000, 'c'), 'HQ', 'Jane', 'jane@example.com', '2024-01-01',
    '2024-01-02')
"""
)


def test_one_value_that_no_index_holds_stops_nothing_but_its_row(
    legacy_db: Database, application_target: Database
) -> None:
    """Every table is loaded, twice, verified without a BUG, and taken back."""
    legacy_db.execute(LONG_CLIENT)
    migration = Migration.of(legacy_db, application_target)
    for _ in range(2):
        migration.run()
        assert [row[1] for row in migration.query(OPEN, "clients")] == ["refused_by_target"]
        assert migration.query("SELECT ticket_number FROM tickets ORDER BY 1") == [(1,), (2,)]
        assert migration.query("SELECT name FROM clients") == [("Acme",)]
        assert found_bugs(migration) == []
    undone(migration, EVERYTHING)
    assert migration.query("SELECT count(*) FROM tickets") == [(0,)]
