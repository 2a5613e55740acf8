"""A fall-back that is killed again and again, at every statement of a batch in turn, completes."""

from dataclasses import dataclass, replace

import pytest

from remoteiq_etl.errors import RemoteIQError
from tests.support.cutting_over import Ready
from tests.support.falling_back import fall_back, planned, target_keys


class Killed(RemoteIQError):
    """Stands for the end of the process."""


@dataclass
class DeadAfterBatch:
    """An observer that lets no statement pass from the k-th on after the first batch was recorded."""

    k: int
    count: int = -1

    def __call__(self, statement: str) -> None:
        if self.count >= 0 or ("INSERT INTO" in statement and '"fall_back_batches"' in statement):
            self.count += 1
        if self.count >= self.k:
            raise Killed(f"at statement {self.count}")


#: Rows that depend on each other, in a table for each kind of key: kept, numbered, of several columns, of a log.
WRITES = """
INSERT INTO roles (id, organization_id, scope, name)
SELECT '66666666-6666-4666-8666-666666666666', id, 'organization', 'Dispatcher' FROM organizations;
INSERT INTO role_permissions (role_id, permission_key) VALUES ('66666666-6666-4666-8666-666666666666', 'devices.read');
INSERT INTO users (id, organization_id, email, password_hash, first_name, last_name, status)
SELECT '11111111-1111-4111-8111-111111111111', id, 'new@example.com', 'x', 'New', 'User', 'active' FROM organizations;
INSERT INTO user_roles (user_id, role_id) VALUES ('11111111-1111-4111-8111-111111111111', '66666666-6666-4666-8666-666666666666');
INSERT INTO user_security (user_id) VALUES ('11111111-1111-4111-8111-111111111111');
INSERT INTO devices (id, hostname, operating_system, architecture)
VALUES ('22222222-2222-4222-8222-222222222222', 'NEW-1', 'linux', 'x64');
INSERT INTO agents (id, device_id, agent_uuid, version, last_check_in_at) VALUES (
    '33333333-3333-4333-8333-333333333333', '22222222-2222-4222-8222-222222222222', '34343434-3434-4434-8434-343434343434', '9.1', now()
);
UPDATE users SET last_name = 'King' WHERE id = 'c5000000-0000-4000-8000-000000000001';
UPDATE check_runs SET output = 'worse' WHERE id = 'cb000001-0000-4000-8000-000000000000';
DELETE FROM sessions WHERE refresh_token = 'legacy-cookie-carol';
"""


def test_a_killed_fall_back_goes_on_where_it_was(cut: Ready) -> None:
    """Each attempt completes at least what the one before it had begun: at the end no row is missing, and none is there twice."""
    cut.target.execute(WRITES)
    first, before = planned(cut), target_keys(cut)
    for k in (1, 2, 3, 5, 7, 9, 11, 13, 15, 17, 19):  # a batch has about as many
        with pytest.raises(RemoteIQError, match="at statement"):
            fall_back(replace(cut, observer=DeadAfterBatch(k)))
    there = planned(cut)
    assert 0 < there.rows < first.rows
    done = fall_back(cut)
    assert (done.tables, done.conflicts, done.left, done.late) == (there.tables, [], [], None)
    left = planned(cut)
    assert (left.tables, left.conflicts) == ([], [])
    assert target_keys(cut) == before
    noted = "count(*) FILTER (WHERE done_at IS NULL) > 0, count(*) FILTER (WHERE noted_at IS NULL)"
    assert cut.query(f"SELECT {noted} FROM remoteiq_etl.fall_back_batches") == [(True, 0)]
    assert cut.in_legacy("SELECT name, role FROM users WHERE email = 'new@example.com'") == [("New User", "Dispatcher")]
    paired = "SELECT d.hostname, a.version FROM devices AS d JOIN agents AS a USING (agent_uuid) WHERE d.id::text LIKE '2222%'"
    assert cut.in_legacy(paired) == [("NEW-1", "9.1")]
