"""Where the databases are makes no difference: rights, schemas, several sources in one target, every PostgreSQL."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from adbc_driver_manager import Error as AdbcError

from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.errors import ConfigurationError, StateVersionError
from remoteiq_etl.fixtures import edge_cases
from remoteiq_etl.postgres.arrow import connect_arrow
from remoteiq_etl.postgres.database import Database as EngineDatabase
from schemas import ddl, legacy, state
from tests.conftest import with_edge_cases
from tests.support import server as servers
from tests.support.migrating import Migration, build_target, migrated_target
from tests.support.server import Database, Server

Checksums = dict[str, tuple[int, str]]
QUOTED = 'Re "design" of; 2024'
#: Of every kind: derived, set-wise, a log, documents. Enough where a place shows in one table as in another.
SOME_TABLES = (
    *("organizations", "clients", "sites", "users", "sessions", "devices", "agents", "agent_software", "agent_tasks"),
    *("contacts", "tickets", "email_channels", "organization_settings"),
)
WRITES = "SELECT tup_inserted, tup_updated, tup_deleted FROM pg_stat_database WHERE datname = current_database()"


def build_edge_cases(database: Database, schema: str = "public") -> None:
    """The legacy schema with the edge-case data set, under any name."""
    statements = [
        *ddl.extension_ddl(),
        *ddl.schema_ddl(schema),
        *ddl.create_enums(legacy.metadata, schema),
        *ddl.create_tables(legacy.metadata, schema, foreign_keys=True, indexes=True),
    ]
    database.execute(";".join(statements))
    with database.connect(autocommit=False) as connection:
        edge_cases.load(connection, schema)


def placed(source: Database, target: Database, legacy_schema: str, target_schema: str, **more: Any) -> Migration:
    """A migration between these schemas, which may be in one database."""
    migration = Migration.of(source, target, **more)
    plan = replace(
        migration.plan,
        legacy=replace(migration.plan.legacy, schema=legacy_schema),
        target=replace(migration.plan.target, schema=target_schema),
    )
    return replace(migration, plan=plan)


@pytest.fixture(scope="session")
def on_17(server_pool: Callable[[Path], Server]) -> Checksums:
    """What two databases of the bundled PostgreSQL come to."""
    with migrated_on(server_pool(servers.bundled_bin_dir())) as migration:
        return migration.checksums()


@contextmanager
def migrated_on(server: Server) -> Iterator[Migration]:
    source = server.clone("edge", with_edge_cases)
    migration = migrated_target(server, source)
    yield migration
    migration.target.drop()
    source.drop()


def of(checksums: Checksums, tables: Sequence[str]) -> Checksums:
    """Those of some tables, or of all."""
    return {table: checksums[table] for table in tables or checksums}


# --- rights -----------------------------------------------------------------------------------------------------


def test_select_alone_is_enough_and_nothing_is_written(
    edge_db: Database, our_target: Database, on_17: Checksums
) -> None:
    """A planted secret is looked for after runs of all tables by such a role, too."""
    role = edge_db.select_only_role("public")
    migration = Migration.of(edge_db, our_target)
    reader = replace(migration.plan.legacy, url=edge_db.url_as(role))
    before = written(edge_db)
    replace(migration, plan=replace(migration.plan, legacy=reader)).run(*SOME_TABLES)
    assert of(migration.checksums(), SOME_TABLES) == of(on_17, SOME_TABLES)
    assert written(edge_db) == before


def written(database: Database) -> tuple[Any, ...]:
    """Rows ever written in a database. A session that ended has reported what it did."""
    with database.connect() as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute(WRITES).fetchone()
    assert row is not None
    return row


@pytest.mark.parametrize(
    "statement", ["DELETE FROM sessions", "CREATE TABLE ours ()", "SELECT nextval('agents_id_seq')"]
)
def test_the_sessions_on_legacy_are_read_only(edge_db: Database, statement: str) -> None:
    """Also for a role that may do everything, and over both drivers."""
    database = EngineDatabase(edge_db.url, "public", read_only=True)
    edge_db.execute("CREATE SEQUENCE IF NOT EXISTS agents_id_seq")
    session, arrow = database.connect(), connect_arrow(database)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        session.execute(statement)
    with pytest.raises(AdbcError, match="read-only transaction"):
        arrow.execute(statement)
    session.close()
    arrow.close()


# --- schemas ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("legacy_schema", "target_schema", "state_schema", "tables"),
    [
        ("public", "redesigned", "remoteiq_etl", SOME_TABLES),
        ("old", "public", "remoteiq_etl", SOME_TABLES),
        ('Old "one"', QUOTED, "Our state", ()),
    ],
    ids=["legacy in public", "target in public", "quoted names"],
)
def test_one_database_gives_the_same_rows_as_two(
    empty_db: Database,
    on_17: Checksums,
    legacy_schema: str,
    target_schema: str,
    state_schema: str,
    tables: Sequence[str],
) -> None:
    """All tables where no schema is in the search path: there a name that is not qualified finds nothing."""
    build_edge_cases(empty_db, legacy_schema)
    build_target(empty_db, foreign_keys=True, schema=target_schema)
    migration = placed(empty_db, empty_db, legacy_schema, target_schema, state_schema=state_schema)
    migration.run(*tables)
    assert of(migration.checksums(), tables) == of(on_17, tables)
    before = migration.versions()
    migration.run(*tables)
    assert migration.versions() == before
    schemas = {row[0] for row in migration.query("SELECT schemaname FROM pg_tables")}
    assert schemas - {"pg_catalog", "information_schema"} == {legacy_schema, target_schema, state_schema}


# --- several sources --------------------------------------------------------------------------------------------


@pytest.fixture
def branch(server: Server, edge_template: str, again: Migration) -> Iterator[Migration]:
    """A second legacy database for the same target, with the same keys but other agents and cookies."""
    source = server.create_database(template=edge_template)
    source.execute(
        "UPDATE agents SET agent_uuid = gen_random_uuid() WHERE id NOT IN"
        " (SELECT a.id FROM agents a JOIN devices d ON d.agent_uuid = a.agent_uuid);"
        "UPDATE sessions SET jti = gen_random_uuid() WHERE jti IS NOT NULL"
    )
    plan = replace(
        again.plan,
        legacy=replace(again.plan.legacy, url=source.url),
        source="branch",
        organization_slug="branch",
    )
    yield Migration(source, again.target, plan)
    source.drop()


def rows_of(again: Migration, table: str, slug: str) -> int:
    query = f"SELECT count(*) FROM {table} t JOIN organizations o ON o.id = t.organization_id WHERE o.slug = %s"
    return int(again.query(query, slug)[0][0])


def test_two_sources_share_a_target(again: Migration, branch: Migration) -> None:
    """Equal keys of two sources are different rows; neither touches the other's."""
    before = again.versions()
    branch.run()
    after = again.versions()
    assert {table for table in before if not before[table] <= after[table]} == set()
    for table in ("users", "roles", "clients", "checks", "contacts", "tickets", "email_channels", "dkim_domains"):
        assert rows_of(branch, table, "branch") == rows_of(again, table, "default"), table
    for later in (again, branch):
        reports = later.run()
        assert again.versions() == after
        assert {table for table, report in reports.items() if report.total(Ledger.INSERTED)} == set()


def test_a_row_of_one_source_is_not_adopted_by_the_other(again: Migration, branch: Migration) -> None:
    """Permissions alone are common to all: a key means the same to everybody."""
    reports = branch.run("organizations", "permissions", "roles", "users", "clients")
    assert {table for table, report in reports.items() if report.total(Ledger.ADOPTED)} <= {"permissions"}
    shared = again.query(
        "SELECT count(*) FROM remoteiq_etl.legacy_users_map a JOIN remoteiq_etl.legacy_users_map b USING (new_key)"
        " WHERE a.source_id < b.source_id"
    )
    assert shared == [(0,)]


def test_a_slug_of_another_source_is_refused(migration: Migration) -> None:
    migration.run("organizations")
    before = migration.versions()
    with pytest.raises(ConfigurationError, match="the organization slug 'default' belongs to the source 'default'"):
        migration.run("organizations", source="branch")
    assert migration.versions() == before
    assert migration.query("SELECT name FROM remoteiq_etl.sources") == [("default",)]


def test_a_source_keeps_its_slug(migration: Migration) -> None:
    migration.run("organizations")
    with pytest.raises(ConfigurationError, match="was migrated with the organization slug 'default', but 'other'"):
        migration.run("organizations", organization_slug="other")
    assert migration.query("SELECT slug FROM organizations") == [("default",)]


def test_the_state_of_a_newer_program_is_left_alone(migration: Migration) -> None:
    migration.run("organizations")
    migration.target.execute("UPDATE remoteiq_etl.meta SET schema_version = schema_version + 1")
    with pytest.raises(StateVersionError, match="A newer version of the program wrote it"):
        migration.run()
    assert migration.query("SELECT count(*) FROM remoteiq_etl.runs") == [(1,)]
    assert migration.rows("users") == []


def test_the_state_of_an_older_program_is_upgraded_and_keeps_its_rows(migration: Migration) -> None:
    migration.run("organizations")
    migration.target.execute(
        "UPDATE remoteiq_etl.meta SET schema_version = 1; DROP TABLE remoteiq_etl.passes;"
        " ALTER TABLE remoteiq_etl.runs DROP COLUMN error, ADD COLUMN of_an_operator text DEFAULT 'kept';"
        " ALTER TABLE remoteiq_etl.legacy_organizations_map DROP COLUMN owner_key;"
        " ALTER TABLE remoteiq_etl.conflicts DROP COLUMN id CASCADE, ADD PRIMARY KEY (source_id, table_name, new_key);"
        " DROP INDEX remoteiq_etl.uq_conflicts_open"
    )
    migration.run("organizations")
    assert migration.query("SELECT schema_version FROM remoteiq_etl.meta") == [(state.SCHEMA_VERSION,)]
    assert migration.query("SELECT count(*), min(of_an_operator) FROM remoteiq_etl.runs") == [(2, "kept")]
    assert migration.query("SELECT count(*) FROM remoteiq_etl.legacy_organizations_map") == [(1,)]
    assert migration.query("SELECT to_regclass('remoteiq_etl.passes') IS NOT NULL") == [(True,)]
    keys = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'remoteiq_etl' AND tablename = 'conflicts' ORDER BY 1"
    assert [row[0].split(" USING ")[1] for row in migration.query(keys)] == [
        "btree (id)",
        "btree (source_id, table_name, legacy_table, legacy_key, new_key, reason) WHERE (resolved_run IS NULL)",
    ]


# --- every PostgreSQL -------------------------------------------------------------------------------------------


@pytest.mark.every_postgres
def test_every_postgresql_gives_the_same_rows(server: Server, on_17: Checksums) -> None:
    with migrated_on(server) as migration:
        assert migration.checksums() == on_17
        before = migration.versions()
        migration.run()
        assert migration.versions() == before
