"""One-way doors: what is revoked, disabled or changed in the new system stays so, whoever wins."""

import pytest

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.config.conflicts import ConflictPolicies, ConflictPolicy
from tests.support.migrating import Migration
from tests.support.server import Database

ADA, OTTO = "c5000000-0000-4000-8000-000000000001", "c5000000-0000-4000-8000-000000000018"
ACCESS = ("organizations", "users", "user_security", "sessions", "personal_access_tokens", "trusted_devices")
EVERY = pytest.mark.parametrize("policy", [ConflictPolicy.KEEP_TARGET, ConflictPolicy.TAKE_LEGACY])


def rerun(migration: Migration, policy: ConflictPolicy = ConflictPolicy.TAKE_LEGACY) -> dict[str, TableReport]:
    return migration.run(*ACCESS, conflicts=ConflictPolicies(policy))


def refused(migration: Migration, table: str) -> list[tuple[object, ...]]:
    return migration.query(
        "SELECT reason, columns FROM remoteiq_etl.conflicts WHERE table_name = %s AND resolved_run IS NULL ORDER BY id",
        table,
    )


def of_ada(migration: Migration, columns: str, table: str = "users", key: str = "id") -> tuple[object, ...]:
    return migration.query(f"SELECT {columns} FROM {table} WHERE {key} = %s", ADA)[0]


@EVERY
def test_a_disabled_user_is_never_enabled_and_the_rest_flows(
    either: Migration, edge_db: Database, policy: ConflictPolicy
) -> None:
    either.first_run(*ACCESS)
    either.target.execute(f"UPDATE users SET status = 'disabled' WHERE id = '{ADA}'")
    edge_db.execute(f"UPDATE users SET name = 'Ada Legacy' WHERE id = '{ADA}'")
    for _ in range(2):
        rerun(either, policy)
        assert of_ada(either, "status::text, last_name") == ("disabled", "Legacy")
        assert refused(either, "users") == [("one-way door", ["status"])]


def test_a_user_whom_legacy_disabled_is_not_enabled_by_legacy_either(migration: Migration, edge_db: Database) -> None:
    edge_db.execute(f"UPDATE users SET suspended = true WHERE id = '{OTTO}'")
    migration.run(*ACCESS)
    edge_db.execute(f"UPDATE users SET suspended = false WHERE id = '{OTTO}'")
    rerun(migration)
    assert migration.query("SELECT status::text FROM users WHERE id = %s", OTTO) == [("disabled",)]
    assert refused(migration, "users") == [("one-way door", ["status"])]
    migration.target.execute(f"UPDATE users SET status = 'active' WHERE id = '{OTTO}'")
    rerun(migration)
    assert refused(migration, "users") == [], "an administrator has let the user in again: both sides agree"


@EVERY
def test_the_second_factor_of_the_target_stays(either: Migration, edge_db: Database, policy: ConflictPolicy) -> None:
    """Not switched off, its changed secret not replaced, a used recovery code not given back; the rest flows."""
    either.first_run(*ACCESS)
    kept = "two_factor_enabled, totp_secret, recovery_codes::text"
    either.target.execute(
        "UPDATE user_security SET totp_secret = 'CHANGEDINTARGET2', recovery_codes = recovery_codes[2:]"
        f" WHERE user_id = '{ADA}'"
    )
    before = of_ada(either, kept, "user_security", "user_id")
    edge_db.execute(
        "UPDATE users SET two_factor_enabled = false, two_factor_secret = NULL, two_factor_recovery_codes = '{new-code}',"
        f" password_updated_at = '2026-01-01 00:00:00+00' WHERE id = '{ADA}'"
    )
    rerun(either, policy)
    assert of_ada(either, kept, "user_security", "user_id") == before
    assert of_ada(either, "password_changed_at::date::text", "user_security", "user_id") == ("2026-01-01",)
    column_guards = ["two_factor_enabled", "totp_secret", "recovery_codes"]
    assert refused(either, "user_security") == [("one-way door", column_guards)]


def test_a_second_factor_that_nobody_touched_in_the_target_follows_legacy(
    migration: Migration, edge_db: Database
) -> None:
    migration.first_run(*ACCESS)
    edge_db.execute(f"UPDATE users SET two_factor_secret = 'KRSXG5CTMVRXEZLU' WHERE id = '{ADA}'")
    rerun(migration, ConflictPolicy.KEEP_TARGET)
    assert of_ada(migration, "totp_secret", "user_security", "user_id") == ("KRSXG5CTMVRXEZLU",)


def change_password(migration: Migration, at: str) -> None:
    migration.target.execute(
        f"UPDATE users SET password_hash = 'of-target' WHERE id = '{ADA}';"
        f"UPDATE user_security SET password_changed_at = '{at}' WHERE user_id = '{ADA}'"
    )


@EVERY
def test_a_password_changed_later_in_the_target_is_not_replaced(
    either: Migration, edge_db: Database, policy: ConflictPolicy
) -> None:
    either.first_run(*ACCESS)
    change_password(either, "2026-06-01 00:00:00+00")
    edge_db.execute(
        "UPDATE users SET password_hash = 'of-legacy', password_updated_at = '2026-05-01 00:00:00+00',"
        f" name = 'Ada Legacy' WHERE id = '{ADA}'"
    )
    for _ in range(2):
        rerun(either, policy)
        assert of_ada(either, "password_hash, last_name") == ("of-target", "Legacy")
        changed = of_ada(either, "password_changed_at::date::text", "user_security", "user_id")
        assert changed == ("2026-06-01",), "else the next run would take the target's password for the older one"
    assert refused(either, "users") == [("one-way door", ["password_hash"])]


def test_a_password_changed_later_in_legacy_is_a_conflict_like_others(migration: Migration, edge_db: Database) -> None:
    migration.first_run(*ACCESS)
    change_password(migration, "2026-04-01 00:00:00+00")
    edge_db.execute(
        "UPDATE users SET password_hash = 'of-legacy', password_updated_at = '2026-05-01 00:00:00+00'"
        f" WHERE id = '{ADA}'"
    )
    rerun(migration, ConflictPolicy.KEEP_TARGET)
    assert of_ada(migration, "password_hash") == ("of-target",)
    rerun(migration)
    assert of_ada(migration, "password_hash") == ("of-legacy",)


SESSIONS = (
    "SELECT m.legacy_key, m.new_key::text FROM remoteiq_etl.legacy_sessions_map m JOIN sessions s ON s.id = m.new_key"
)


@EVERY
def test_a_revoked_session_is_never_unrevoked(either: Migration, edge_db: Database, policy: ConflictPolicy) -> None:
    either.first_run(*ACCESS)
    legacy, session = either.query(f"{SESSIONS} WHERE s.revoked_at IS NULL AND m.state = 'live' ORDER BY 1 LIMIT 1")[0]
    either.target.execute(f"UPDATE sessions SET revoked_at = now() WHERE id = '{session}'")
    edge_db.execute(f"UPDATE sessions SET user_agent = 'changed' WHERE id = '{legacy}'")
    rerun(either, policy)
    query = "SELECT revoked_at IS NOT NULL, user_agent FROM sessions WHERE id = %s"
    assert either.query(query, session) == [(True, "changed")]
    assert refused(either, "sessions") == [("one-way door", ["revoked_at"])]


def test_a_revoked_session_that_was_deleted_in_the_target_is_written_again(
    either: Migration, edge_db: Database
) -> None:
    """A missing row would let the cookie in. One that is not revoked stays deleted."""
    either.first_run(*ACCESS)
    ((legacy, revoked), (_, other)) = either.query(
        f"{SESSIONS} WHERE s.revoked_at IS NULL AND m.state = 'live' LIMIT 2"
    )
    edge_db.execute(f"UPDATE sessions SET revoked_at = '2026-02-02 00:00:00+00' WHERE id = '{legacy}'")
    either.target.execute(f"DELETE FROM sessions WHERE id IN ('{revoked}', '{other}')")
    report = rerun(either)["sessions"]
    assert (report.total(Ledger.INSERTED), report.recreated, report.total(Ledger.DELETED)) == (1, 1, 1)
    there = "SELECT id::text, revoked_at::date::text FROM sessions WHERE id IN (%s, %s)"
    assert either.query(there, revoked, other) == [(revoked, "2026-02-02")]
    assert rerun(either)["sessions"].total(Ledger.INSERTED) == 0


def test_a_revoked_session_comes_back_although_no_legacy_row_changed(migration: Migration) -> None:
    migration.first_run(*ACCESS)
    query = "SELECT id::text FROM sessions WHERE revoked_at IS NOT NULL ORDER BY 1"
    revoked = migration.query(query)
    assert revoked
    migration.target.execute("DELETE FROM sessions")
    migration.run(*ACCESS)
    assert migration.query(query) == revoked
    assert migration.query("SELECT count(*) FROM sessions") == [(len(revoked),)]


def test_a_revoked_token_is_never_unrevoked(migration: Migration, edge_db: Database) -> None:
    migration.first_run(*ACCESS)
    legacy, token = migration.query(
        "SELECT m.legacy_key, m.new_key::text FROM remoteiq_etl.legacy_personal_access_tokens_map m"
        " JOIN personal_access_tokens t ON t.id = m.new_key WHERE t.revoked_at IS NULL ORDER BY 1 LIMIT 1"
    )[0]
    migration.target.execute(f"UPDATE personal_access_tokens SET revoked_at = now() WHERE id = '{token}'")
    edge_db.execute(f"UPDATE personal_tokens SET name = 'renamed' WHERE id = '{legacy}'")
    rerun(migration)
    query = "SELECT revoked_at IS NOT NULL, description FROM personal_access_tokens WHERE id = %s"
    assert migration.query(query, token) == [(True, "renamed")]


@EVERY
def test_trust_never_lasts_longer_than_legacy_says(
    either: Migration, edge_db: Database, policy: ConflictPolicy
) -> None:
    """The application trusts for 90 days after last_seen_at; what it prolonged ends when legacy says so since."""
    either.first_run(*ACCESS)
    legacy, device = either.query(
        "SELECT m.legacy_key, m.new_key::text FROM remoteiq_etl.legacy_trusted_devices_map m ORDER BY 1 LIMIT 1"
    )[0]
    either.target.execute(f"UPDATE trusted_devices SET last_seen_at = '2030-01-01' WHERE id = '{device}'")
    edge_db.execute(f"UPDATE trusted_devices SET expires_at = '2026-04-01 00:00:00+00' WHERE id = '{legacy}'")
    rerun(either, policy)
    query = "SELECT last_seen_at = timestamptz '2026-04-01 00:00:00+00' - interval '2160 hours' FROM trusted_devices WHERE id = %s"
    assert either.query(query, device) == [(True,)]
