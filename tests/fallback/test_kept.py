"""What is kept from legacy: rows that somebody else has changed there, and rows that legacy refuses."""

import pytest

from remoteiq_etl.errors import CutOverError
from remoteiq_etl.fallback.model import Kind
from schemas import target
from tests.support.cutting_over import Ready
from tests.support.falling_back import fall_back, in_legacy_behind_the_fence, planned

ADA, BOB = "c5000000-0000-4000-8000-000000000001", "c5000000-0000-4000-8000-000000000004"

WRITES = f"""
UPDATE users SET last_name = 'King' WHERE id = '{ADA}';
UPDATE users SET last_name = 'Rock' WHERE id = '{BOB}';
DELETE FROM sessions WHERE refresh_token = 'legacy-cookie-carol';
INSERT INTO devices (id, hostname, operating_system, architecture)
VALUES ('22222222-2222-4222-8222-222222222222', 'NEW-1', 'plan9', 'x64');
INSERT INTO agents (id, device_id, agent_uuid, version, last_check_in_at)
VALUES ('33333333-3333-4333-8333-333333333333', '22222222-2222-4222-8222-222222222222', gen_random_uuid(), '9.1', now());
"""
CONFLICTS = [("users", Kind.UPDATE), ("sessions", Kind.DELETE)]


@pytest.fixture(scope="module")
def written(cut: Ready) -> Ready:
    in_legacy_behind_the_fence(
        cut,
        f"UPDATE users SET name = 'Ada Byron' WHERE id = '{ADA}'; UPDATE sessions SET ip = NULL WHERE jti = 'legacy-cookie-carol'",
    )
    cut.target.execute(WRITES)
    return cut


def test_a_legacy_row_that_changed_since_the_fence_is_kept_and_listed_each_time(written: Ready) -> None:
    plan = planned(written)
    assert [(one.table, one.kind) for one in plan.conflicts] == CONFLICTS
    assert [one.columns for one in plan.conflicts if one.kind is Kind.UPDATE] == [("name", "updated_at")]
    done = fall_back(written)
    assert [(one.table, one.kind) for one in done.conflicts] == CONFLICTS
    assert written.in_legacy(f"SELECT name FROM users WHERE id IN ('{ADA}', '{BOB}') ORDER BY id") == [
        ("Ada Byron",),
        ("Bob Rock",),
    ]
    assert written.in_legacy("SELECT count(*) FROM sessions WHERE jti = 'legacy-cookie-carol'") == [(1,)]
    assert [(one.table, one.kind) for one in planned(written).conflicts] == CONFLICTS
    # To the next run it is what it always was: a row that both sides have changed.
    listed = (
        "SELECT legacy_key, columns FROM remoteiq_etl.conflicts WHERE table_name = 'users' AND resolved_run IS NULL"
    )
    assert written.query(listed) == [(ADA, ["last_name"])]


def test_what_a_check_of_legacy_refuses_is_listed_by_its_constraint(written: Ready) -> None:
    """Without a value; and no map leads to a row that legacy does not have."""
    done = fall_back(written)
    left = [one for one in done.left if one.table == "agents"]
    assert done.refused == 1
    assert [one.reason for one in left] == ["constraint ck_agents_os of agents (SQLSTATE 23514)"]
    assert written.query("SELECT count(*) FROM remoteiq_etl.legacy_agents_map WHERE new_key::text LIKE '3333%'") == [
        (0,)
    ]
    assert written.query(
        "SELECT refused FROM remoteiq_etl.fall_back_batches WHERE legacy_table = 'agents' LIMIT 1"
    ) == [(1,)]


def test_what_is_written_again_as_it_was_does_not_go_back(written: Ready) -> None:
    """Whatever is spelled otherwise in legacy, and also of logs, of which nothing but a hash is kept."""
    before = planned(written)
    for table in target.metadata.sorted_tables:
        key = next(iter(table.primary_key.columns)).name
        written.target.execute(
            f"BEGIN; SET LOCAL remoteiq_etl.preserve_updated_at = 'on'; UPDATE {table.name} SET {key} = {key}; COMMIT"
        )
    after = planned(written)
    assert (after.tables, after.conflicts) == (before.tables, before.conflicts)


def test_another_target_is_told_by_its_system_identifier(written: Ready) -> None:
    written.query("""UPDATE remoteiq_etl.cutovers SET marks = jsonb_set(marks, '{target,database}', '"7/7"')""")
    with pytest.raises(CutOverError, match="another database than the one that was cut over to"):
        planned(written)
