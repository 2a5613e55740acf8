"""Rows that follow a row of another table are read again when that one changes, whatever else happens or does not."""

import pytest

from remoteiq_etl.backfill.accounts import Ledger
from tests.support.migrating import Migration
from tests.support.server import Database

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
