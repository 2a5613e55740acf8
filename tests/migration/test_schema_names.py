"""Schemas may have any name: what is a placeholder elsewhere is none in a name."""

from contextlib import closing
from dataclasses import replace

from psycopg import sql

from remoteiq_etl.lifecycle.operations.overview import Overview
from remoteiq_etl.lifecycle.operations.quarantine import Quarantine
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.engine import verify
from tests.support.migrating import Migration
from tests.support.server import Database
from tests.support.undoing import EVERYTHING, undone

LEGACY, TARGET, STATE = 'legacy 100% {a} "b"', "target %s", "state%(source_id)s"
TABLES = ("backup_jobs", "backup_job_logs")


def renamed(database: Database, name: str) -> None:
    statement = sql.SQL("ALTER SCHEMA public RENAME TO {}; CREATE SCHEMA public").format(sql.Identifier(name))
    database.execute(statement.as_string(None))


def test_schemas_with_percent_signs_braces_and_quotes(legacy_db: Database, our_target: Database) -> None:
    """Loaded, re-synced, looked at, verified, and undone."""
    legacy_db.execute(
        "INSERT INTO backup_jobs (id, started_at, status) SELECT gen_random_uuid(), '2024-01-01', 'success'"
        " FROM generate_series(1, 2); INSERT INTO backup_job_logs SELECT id, 'done' FROM backup_jobs"
    )
    renamed(legacy_db, LEGACY)
    renamed(our_target, TARGET)
    migration = Migration.of(legacy_db, our_target)
    legacy, target = EngineDatabase(legacy_db.url, LEGACY, read_only=True), EngineDatabase(our_target.url, TARGET)
    plan = replace(migration.plan, legacy=legacy, target=target, state_schema=STATE)
    migration = replace(migration, plan=plan)
    migration.run(*TABLES)
    legacy_db.execute('UPDATE "legacy 100% {a} ""b""".backup_job_logs SET log_text = \'again\'')
    migration.run(*TABLES)
    assert [row["log_text"] for row in migration.rows("backup_job_logs")] == ["again"] * 2
    with closing(migration.plan.target.connect()) as session:
        overview = Overview.of(session, State(migration.plan.target, STATE), "default")
        assert overview is not None
        assert {row.name: row.quarantined for row in overview.tables()}["backup_job_logs"] == 0
        assert Quarantine(session, overview.state, overview.source_id).rows() == []
    assert [(one.table, one.error) for one in verify(migration.plan, TABLES[1:]).tables if one.error] == []
    undone(migration, EVERYTHING)
    assert migration.rows("backup_job_logs") == []
