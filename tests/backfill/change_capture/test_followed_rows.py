"""Rows that follow a row of another table are read again when that one changes, whatever else happens or does not."""

import pytest

from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.verify.expected.expectation import expectations
from tests.support.migrating import Migration, with_dependencies
from tests.support.server import Database
from tests.verify.conftest import bench

TABLES = ("backup_jobs", "backup_job_logs")


@pytest.fixture
def quiet(legacy_db: Database, our_target: Database) -> Migration:
    """Two jobs with a log each, migrated: no row waits."""
    legacy_db.execute(
        "INSERT INTO backup_jobs (id, started_at, status) SELECT gen_random_uuid(), '2024-01-01', 'success'"
        " FROM generate_series(1, 2); INSERT INTO backup_job_logs SELECT id, 'done' FROM backup_jobs"
    )
    migration = Migration.of(legacy_db, our_target)
    migration.run(*TABLES)
    return migration


def test_a_change_of_the_followed_row_alone_is_enough(quiet: Migration) -> None:
    """No log waits and none was written: all that happened is that a job began at another time."""
    quiet.legacy.execute(
        "UPDATE backup_jobs SET started_at = '2024-02-03 04:05:06+00' WHERE id = (SELECT min(id::text)::uuid FROM backup_jobs)"
    )
    report = quiet.run(*TABLES)["backup_job_logs"]
    assert (report.reading, report.read, report.total(Ledger.UPDATED)) == ("changed rows", 1, 1)
    assert quiet.query("SELECT count(*) FROM backup_job_logs WHERE created_at = '2024-02-03 04:05:06+00'") == [(1,)]
    assert quiet.run(*TABLES)["backup_job_logs"].unchanged


OLD, NEW = "d0000001-0000-4000-8000-000000000000", "d0000002-0000-4000-8000-000000000000"
ASSIGNED = f"""
ALTER TABLE devices DROP CONSTRAINT ck_devices_status;
INSERT INTO devices (id, hostname, os, status, client, site) VALUES
('{OLD}', 'old', 'linux', 'online', 'Acme', 'HQ'), ('{NEW}', 'new', 'linux', 'no such status', 'Acme', 'HQ');
INSERT INTO check_assignments (id, device_id, check_type, check_name, created_at)
VALUES ('ca000001-0000-4000-8000-000000000000', '{OLD}', 'PING', 'up', '2024-01-01');
INSERT INTO check_runs (id, assignment_id, device_id, status, created_at)
VALUES ('cb000001-0000-4000-8000-000000000000', 'ca000001-0000-4000-8000-000000000000', 'old', 'OK', '2024-01-02')
"""


def test_a_row_follows_one_that_was_held_when_that_one_is_written(legacy_db: Database, our_target: Database) -> None:
    """An assignment moves to a device that waits: its run names another device than it once that one has come."""
    legacy_db.execute(ASSIGNED)
    migration = Migration.of(legacy_db, our_target)
    tables = with_dependencies({"check_runs"})
    migration.run(*tables)
    legacy_db.execute(f"UPDATE check_assignments SET device_id = '{NEW}'")
    held = migration.run(*tables)
    assert held["check_assignments"].total(Ledger.HELD) == 1
    assert migration.query("SELECT target_id::text FROM check_assignments") == [(OLD,)]
    assert migration.query("SELECT metrics FROM check_runs") == [(None,)]
    legacy_db.execute(f"UPDATE devices SET status = 'online' WHERE id = '{NEW}'")
    assert migration.run(*tables)["check_runs"].reading == "changed rows"
    assert migration.query("SELECT target_id::text FROM check_assignments") == [(NEW,)]
    assert migration.query("SELECT metrics FROM check_runs") == [({"legacy": {"deviceId": "old"}},)]
    with bench(migration) as asked:
        assert [
            one
            for expectation in expectations()
            if expectation.name == "check_runs"
            for one in asked.differences(expectation)
        ] == []
    assert migration.run(*tables)["check_runs"].unchanged
