"""Tables that cannot be loaded are left alone, whole; the others are loaded, and the run says what it left out."""

from collections.abc import Iterator
from typing import Any

import pytest

from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.errors import TableBlocked
from tests.support.drifting import Heard, run, settled
from tests.support.migrating import bare_target, specs
from tests.support.server import Database, Server

TABLES = ("organizations", "permissions", "roles", "users", "user_security", "support_channels")
ADA = "c5000000-0000-4000-8000-000000000001"
# What a run may not touch of a table that it cannot read: rows, map, quarantine, and what was read up to where.
KEPT = (
    "SELECT xmin::text, ctid::text, id::text FROM users",
    "SELECT xmin::text, ctid::text, legacy_key::text FROM remoteiq_etl.legacy_users_map",
    "SELECT legacy_key, attempts::text, coalesce(released_run, 0)::text FROM remoteiq_etl.quarantine WHERE table_name = 'users'",
    "SELECT legacy_table, run_id::text, horizon::text FROM remoteiq_etl.passes WHERE table_name = 'users'",
)


@pytest.fixture
def target(server: Server) -> Iterator[Database]:
    database = bare_target(server)
    yield database
    database.drop()


def kept(target: Database) -> list[list[tuple[Any, ...]]]:
    with target.connect() as connection:
        return [sorted(connection.execute(query.encode()).fetchall()) for query in KEPT]


def last_run(target: Database) -> tuple[Any, ...]:
    with target.connect() as connection:
        query = b"SELECT status, error FROM remoteiq_etl.runs ORDER BY id DESC LIMIT 1"
        return connection.execute(query).fetchall()[0]


def test_a_blocked_table_is_left_alone_and_the_others_are_loaded(edge_db: Database, target: Database) -> None:
    """Nothing is taken for deleted or mended; once the column is back the table goes on where it was."""
    migration = settled(edge_db, target)
    first = run(migration, *TABLES)
    assert first["users"].total(Ledger.QUARANTINED) > 0
    before = kept(target)
    assert all(before)
    edge_db.execute(
        "ALTER TABLE users RENAME phone TO phone_number; UPDATE support_legal_settings SET updated_at = now()"
    )
    heard = Heard()
    reports = run(migration, *TABLES, listener=heard, accept=("users.phone_number",))
    assert kept(target) == before
    assert {name for name, report in reports.items() if report.blocked} == {"users", "user_security", "roles"} & {
        *migration.legacy_drift(("users.phone_number",)).blocked
    }
    assert "missing column: users.phone" in str(reports["users"].blocked)
    assert reports["support_channels"].read > 0
    status, error = last_run(target)
    assert (status, error.startswith("not loaded: ")) == ("failed", True)
    assert [text for text in heard.warnings if "users.phone" in text]
    edge_db.execute("ALTER TABLE users RENAME phone_number TO phone")
    again = run(migration, *TABLES)
    assert not any(report.blocked for report in again.values())
    assert last_run(target) == ("succeeded", None)


def test_one_table_that_is_blocked_says_why(edge_db: Database, target: Database) -> None:
    edge_db.execute("DROP TABLE support_legal")
    migration = settled(edge_db, target)
    with migration.run() as opened, pytest.raises(TableBlocked) as refused:
        opened.load(specs()["support_channels"])
    assert "missing table: support_legal" in str(refused.value)
    assert "nothing of it was touched" in str(refused.value)


def test_a_column_that_no_rule_needs_changes_nothing_by_its_absence(edge_db: Database, server: Server) -> None:
    """The same rows come out as with the column, whose value was never carried."""
    with_it, without = bare_target(server), bare_target(server)
    try:
        expected = run(settled(edge_db, with_it), *TABLES)
        edge_db.execute("ALTER TABLE users DROP totp_secret")
        found = run(settled(edge_db, without), *TABLES)
        assert found["user_security"].counts() == expected["user_security"].counts()
        assert found["users"].counts() == expected["users"].counts()
        assert last_run(without) == ("succeeded", None)
        for database in (with_it, without):
            with database.connect() as connection:
                rows = connection.execute("SELECT user_id::text, two_factor_enabled FROM user_security ORDER BY 1")
                assert rows.fetchall()
    finally:
        with_it.drop()
        without.drop()


def test_a_row_that_breaks_a_check_is_carried_all_the_same(edge_db: Database, target: Database) -> None:
    """Named, and judged by the rules of its table: two-factor sign-in without a secret is no reason to hold a user back."""
    with edge_db.connect() as connection:
        query = b"SELECT conname FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype = 'c'"
        for (name,) in connection.execute(query).fetchall():
            connection.execute(f'ALTER TABLE users DROP CONSTRAINT "{name}"'.encode())
    edge_db.execute(f"UPDATE users SET two_factor_enabled = true, two_factor_secret = NULL WHERE id = '{ADA}'")
    heard = Heard()
    run(settled(edge_db, target), "organizations", "permissions", "roles", "users", listener=heard)
    assert [text for text in heard.warnings if "two_factor" in text and ADA in text]
    with target.connect() as connection:
        [(found,)] = connection.execute("SELECT count(*) FROM users WHERE id = %s", [ADA]).fetchall()
    assert found == 1
