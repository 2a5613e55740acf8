"""Constraints that the target has and we do not know: the rows that break them are quarantined, and only they."""

from typing import Any

import pytest

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from tests.support.migrating import Migration
from tests.support.server import Database

USERS = ("organizations", "users")
LOADED = (*USERS, "user_security")
WAITING = (
    'SELECT legacy_key, rule, detail, columns, attempts, "row"::text FROM remoteiq_etl.quarantine'
    " WHERE table_name = %s AND rule LIKE '%%_violation' AND released_run IS NULL ORDER BY legacy_key"
)
ADA, GRACE = "c5000000-0000-4000-8000-000000000001", "c5000000-0000-4000-8000-000000000015"
CHECK = "ALTER TABLE users ADD CONSTRAINT ck_of_the_site CHECK (email::text NOT IN ('ada@example.com', 'grace@example.com'))"


def violations(migration: Migration, table: str = "users") -> list[tuple[Any, ...]]:
    return migration.query(WAITING, table)


def assert_closed(report: TableReport) -> None:
    """Conservation: each row read has one outcome, and the account names the rule of each row left out."""
    for account in report.accounts.values():
        if account.primary:
            assert account.accounted == account.read
            named = sum(count for (outcome, _), count in account.rules.items() if outcome == Ledger.QUARANTINED)
            assert named == account.outcomes[Ledger.QUARANTINED]


@pytest.fixture(params=[3, 50_000], ids=["small batches", "one batch"])
def batch_rows(request: pytest.FixtureRequest) -> int:
    rows: int = request.param
    return rows


def test_rows_that_break_a_check_are_quarantined_alone(
    migration: Migration, our_target: Database, batch_rows: int
) -> None:
    before = migration.run(*LOADED, batch_rows=batch_rows)
    whole = {row["id"]: row for row in migration.rows("users")}
    other = Migration.of(migration.legacy, our_target)
    our_target.execute(
        f"DROP SCHEMA remoteiq_etl CASCADE; TRUNCATE organizations CASCADE; TRUNCATE users CASCADE; {CHECK}"
    )
    our_target.execute("TRUNCATE user_security")
    reports = other.run(*LOADED, batch_rows=batch_rows)
    assert [row[:3] for row in violations(other)] == [
        (key, "check_violation", "constraint ck_of_the_site of users (SQLSTATE 23514)") for key in (ADA, GRACE)
    ]
    assert {str(row["id"]) for row in other.rows("users")} == {str(key) for key in whole} - {ADA, GRACE}
    assert reports["users"].total(Ledger.QUARANTINED) == before["users"].total(Ledger.QUARANTINED) + 2
    assert reports["users"].total(Ledger.INSERTED) == before["users"].total(Ledger.INSERTED) - 2
    assert_closed(reports["users"])


def test_a_unique_constraint_lets_the_first_row_in(
    migration: Migration, our_target: Database, edge_db: Database
) -> None:
    """Of rows that exclude each other one is written; the others name the constraint, and what hangs on them waits."""
    our_target.execute("CREATE UNIQUE INDEX uq_of_the_site ON users (last_name) WHERE last_name = 'Twin'")
    edge_db.execute("UPDATE users SET name = 'Some Twin' WHERE id IN ('" + f"{ADA}', '{GRACE}')")
    reports = migration.run(*LOADED)
    ((key, rule, detail, columns, _, _),) = violations(migration)
    assert (rule, detail, columns) == ("unique_violation", "constraint uq_of_the_site of users (SQLSTATE 23505)", [])
    assert key in (ADA, GRACE)
    assert migration.query("SELECT count(*) FROM users WHERE last_name = 'Twin'") == [(1,)]
    assert_closed(reports["users"])
    assert reports["users"].accounts["users"].rules[(Ledger.QUARANTINED, "unique_violation")] == 1
    rules = migration.query(
        "SELECT rule FROM remoteiq_etl.quarantine WHERE table_name = 'user_security' AND legacy_key = %s", key
    )
    assert rules == [("parent_quarantined",)]


def test_no_value_of_the_row_is_in_rule_or_detail(migration: Migration, our_target: Database) -> None:
    """The server's own text would quote the whole row."""
    our_target.execute(CHECK)
    migration.run(*USERS)
    for _, rule, detail, _, _, row in violations(migration):
        assert "example.com" not in rule + detail
        assert "$2b$12$" not in rule + detail + row


def test_an_update_that_breaks_a_check_keeps_the_last_good_state(
    migration: Migration, our_target: Database, edge_db: Database
) -> None:
    migration.run(*USERS)
    good = migration.query("SELECT to_jsonb(u) FROM users u WHERE id = %s", ADA)
    our_target.execute("ALTER TABLE users ADD CONSTRAINT ck_of_the_site CHECK (first_name <> 'Changed')")
    edge_db.execute(f"UPDATE users SET name = 'Changed Lovelace' WHERE id = '{ADA}'")
    edge_db.execute(f"UPDATE users SET name = 'Grace Murray Hopper' WHERE id = '{GRACE}'")
    report = migration.run(*USERS)["users"]
    assert [row[:2] for row in violations(migration)] == [(ADA, "check_violation")]
    assert migration.query("SELECT to_jsonb(u) FROM users u WHERE id = %s", ADA) == good
    assert migration.query("SELECT first_name FROM users WHERE id = %s", GRACE) == [("Grace Murray",)]
    assert report.total(Ledger.UPDATED) == 1
    assert_closed(report)


def test_attempts_are_counted_until_the_row_passes(migration: Migration, our_target: Database) -> None:
    our_target.execute(CHECK)
    for attempt in (1, 2, 3):
        report = migration.run(*LOADED)["users"]
        assert [(row[0], row[4]) for row in violations(migration)] == [(ADA, attempt), (GRACE, attempt)]
        assert_closed(report)
    our_target.execute("ALTER TABLE users DROP CONSTRAINT ck_of_the_site")
    report = migration.run(*LOADED)["users"]
    assert violations(migration) == []
    assert report.total(Ledger.INSERTED) == 2
    released = migration.query(
        "SELECT DISTINCT attempts, released_run = last_run + 1 FROM remoteiq_etl.quarantine"
        " WHERE rule = 'check_violation' AND table_name = 'users'"
    )
    assert released == [(3, True)]
    assert migration.query("SELECT count(*) FROM user_security WHERE user_id IN (%s, %s)", ADA, GRACE) == [(2,)]


def test_attempts_of_a_held_row_are_counted(migration: Migration) -> None:
    tables = ("organizations", "clients", "sites", "devices", "agents", "agent_software")
    held = "SELECT attempts, released_run FROM remoteiq_etl.held WHERE table_name = 'agent_software'"
    for attempt in (1, 2):
        reports = migration.run(*tables)
        assert migration.query(held) == [(attempt, None)]
        assert_closed(reports["agent_software"])


def test_a_grant_that_waits_is_not_removed(migration: Migration, edge_db: Database, our_target: Database) -> None:
    """The row of an owner that is held later keeps its last good state: it is not gone, it waits."""
    tables = ("organizations", "permissions", "roles", "users", "role_permissions")
    migration.run(*tables)
    grants = migration.rows("role_permissions")
    our_target.execute(
        "ALTER TABLE role_permissions ADD CONSTRAINT ck_later CHECK (granted_at < '2000-01-01') NOT VALID"
    )
    edge_db.execute("UPDATE role_meta SET updated_at = now(); UPDATE roles SET created_at = now()")
    report = migration.run(*tables)["role_permissions"]
    assert report.total(Ledger.QUARANTINED) > 0
    assert report.removed == 0
    assert migration.rows("role_permissions") == grants


def test_a_grant_whose_permission_is_held_later_is_not_removed(migration: Migration, edge_db: Database) -> None:
    tables = ("organizations", "permissions", "roles", "users", "role_permissions")
    migration.run(*tables)
    grants = migration.query("SELECT count(*) FROM role_permissions")[0][0]
    # The grant alone now names a permission that no longer has a row in legacy; its role is as it was.
    migration.target.execute(
        "UPDATE remoteiq_etl.legacy_permissions_map SET state = 'decided' WHERE legacy_table = 'permissions'"
        " AND legacy_key = '9e000000-0000-4000-8000-000000000007'"
    )
    edge_db.execute("DELETE FROM permissions WHERE id = '9e000000-0000-4000-8000-000000000007'")
    report = migration.run("role_permissions")["role_permissions"]
    held = migration.query(
        "SELECT count(*) FROM remoteiq_etl.held WHERE table_name = 'role_permissions'"
        " AND legacy_key LIKE '%9e000000-0000-4000-8000-000000000007%' AND released_run IS NULL"
    )
    assert held == [(1,)]
    assert report.removed == 0
    assert migration.query("SELECT count(*) FROM role_permissions") == [(grants,)]
