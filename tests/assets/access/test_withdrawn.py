"""A null has a meaning: what legacy has revoked at a time that nobody can read is revoked, and so it is for the verification."""

import pytest

from assets.access import personal_access_tokens, sessions
from remoteiq_etl.verify.engine import verify
from schemas import target
from tests.support.migrating import Migration, with_dependencies
from tests.support.server import Database

USER = "c5000000-0000-4000-8000-000000000001"
ROWS = (
    "INSERT INTO users (id, name, email, role, status, created_at, updated_at, password_hash) VALUES"
    f" ('{USER}', 'Good One', 'good@example.com', 'User', 'active', '2023-01-01', '2023-06-01', 'x');"
    "INSERT INTO sessions (id, user_id, jti, created_at, last_seen, last_seen_at, revoked_at)"
    f" SELECT ('5e000000-0000-4000-8000-00000000000' || n)::uuid, '{USER}', '5a000000-0000-4000-8000-00000000000' || n,"
    " '2023-01-01', NULL, CASE WHEN n = 4 THEN 'infinity'::timestamptz ELSE '2023-01-03' END, revoked::timestamptz"
    " FROM unnest(ARRAY['2023-01-04', 'infinity', '-infinity', 'infinity', '20230-01-01', '294276-01-01', NULL])"
    " WITH ORDINALITY AS u (revoked, n);"
    "INSERT INTO personal_tokens (id, user_id, name, token_hash, created_at, revoked_at)"
    f" SELECT ('ab000000-0000-4000-8000-00000000000' || n)::uuid, '{USER}', 'ci', 'h' || n, '2024-01-01', revoked::timestamptz"
    " FROM unnest(ARRAY['2024-01-02', 'infinity', '-infinity', NULL]) WITH ORDINALITY AS u (revoked, n)"
)
#: Columns that a row has while it grants something, and those of which a null says nothing of the kind, with the reason.
GRANTS = {("sessions", "revoked_at"), ("personal_access_tokens", "revoked_at")}
OTHERS = {
    ("personal_access_tokens", "expires_at"): "legacy tokens did not expire",
    ("login_challenges", "consumed_at"): "nobody can answer one: its hash compares with nothing",
    ("tickets", "closed_at"): "told by the status",
    ("user_security", "password_changed_at"): "says when, and lets nobody in",
    ("dkim_keys", "rotated_at"): "says when, and whose key is used is told by the row",
}


@pytest.fixture
def migrated(legacy_db: Database, our_target: Database) -> Migration:
    legacy_db.execute(ROWS)
    migration = Migration.of(legacy_db, our_target)
    migration.run(*with_dependencies({"sessions", "personal_access_tokens"}))
    return migration


def test_a_revoked_session_or_token_is_revoked_whatever_its_time(migrated: Migration) -> None:
    query = (
        "SELECT right(m.legacy_key::text, 1), t.revoked_at::date::text FROM {0} AS t"
        " JOIN remoteiq_etl.legacy_{0}_map AS m ON m.new_key = t.id ORDER BY 1"
    )
    assert migrated.query(query.format("sessions")) == [
        ("1", "2023-01-04"),
        ("2", "2023-01-03"),  # when it was seen last
        ("3", "2023-01-03"),
        ("4", "2023-01-01"),
        ("5", "20230-01-01"),  # carried
        ("6", "2023-01-03"),  # beyond what a column of times holds
        ("7", None),
    ]
    assert migrated.query(query.format("personal_access_tokens")) == [
        ("1", "2024-01-02"),
        ("2", "2024-01-01"),
        ("3", "2024-01-01"),
        ("4", None),
    ]


def test_the_time_is_in_the_archive_and_warned_of_and_nothing_is_called_a_bug(migrated: Migration) -> None:
    kept = migrated.query(
        "SELECT value #>> '{}', count(*) FROM remoteiq_etl.legacy_archive WHERE rule = 'time_out_of_range' AND \"column\" = 'revoked_at'"
        " GROUP BY 1 ORDER BY 1"
    )
    assert kept == [("-infinity", 2), ("294276-01-01 00:00:00+00", 1), ("infinity", 3)]
    warned = migrated.query("SELECT sum((warnings ->> 'revoked_at_unreadable')::int) FROM remoteiq_etl.ledger")
    assert warned == [(6,)]
    verdict = verify(migrated.plan, ["sessions", "personal_access_tokens"])
    assert (verdict.word, [one.labels for one in verdict.tables]) == ("verified", [{}, {}])


def test_of_equal_jtis_one_that_is_revoked_for_ever_wins(legacy_db: Database, our_target: Database) -> None:
    legacy_db.execute(ROWS)
    legacy_db.execute(
        f"INSERT INTO sessions (id, user_id, jti, created_at, last_seen_at) VALUES ('5e000000-0000-4000-8000-000000000010',"
        f" '{USER}', '5A000000-0000-4000-8000-000000000003', '2022-01-01', '2024-01-01')"
    )
    migration = Migration.of(legacy_db, our_target)
    migration.run(*with_dependencies({"sessions"}))
    found = "SELECT revoked_at IS NOT NULL FROM sessions WHERE id = '5a000000-0000-4000-8000-000000000003'"
    assert migration.query(found) == [(True,)]
    assert verify(migration.plan, ["sessions"]).bugs == 0


def test_every_time_that_may_be_null_is_known_to_grant_something_or_not() -> None:
    """A new column whose null lets somebody in has to be put on the safe side, or here."""
    words = (
        "revoked",
        "expires",
        "used_at",
        "consumed",
        "disabled",
        "closed",
        "changed",
        "rotated",
        "deleted",
        "locked",
    )
    nullable = {
        (table.name, column.name)
        for table in target.metadata.sorted_tables
        for column in table.columns
        if column.nullable and column.name.endswith("_at") and any(word in column.name for word in words)
    }
    assert nullable - {("personal_access_tokens", "last_used_at")} == GRANTS | OTHERS.keys()
    assert {sessions.SPEC.name, personal_access_tokens.SPEC.name} == {table for table, _ in GRANTS}
