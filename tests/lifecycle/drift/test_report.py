"""The drift report names every difference between a live database and our definitions, and says which one blocks."""

from collections.abc import Iterator

import pytest

from remoteiq_etl.errors import DriftError
from remoteiq_etl.lifecycle.drift.differences import DifferenceKind
from remoteiq_etl.lifecycle.drift.report import Drift, DriftReport, compare
from remoteiq_etl.lifecycle.drift.verdicts import LEGACY, TARGET, Side
from tests.support import schemas
from tests.support.server import Database, Server


@pytest.fixture
def new_db(server: Server) -> Iterator[Database]:
    database = server.clone("redesign", schemas.with_new_schema)
    yield database
    database.drop()


def report(database: Database, side: Side, schema: str = "public", role: str | None = None) -> DriftReport:
    with database.connect(**({"role": role} if role else {})) as connection:
        return compare(connection, schema, schemas.METADATA[side], side)


def drifts(database: Database, side: Side) -> list[tuple[str, str, bool]]:
    return [(str(drift.kind), drift.where, drift.blocks) for drift in report(database, side).drifts]


@pytest.mark.every_postgres
def test_our_own_schemas_do_not_drift(legacy_db: Database, new_db: Database) -> None:
    """What our DDL makes is exactly what we expect, on every version of PostgreSQL."""
    assert report(legacy_db, "legacy").drifts == ()
    assert report(new_db, "target").drifts == ()


@pytest.mark.parametrize("side", ["legacy", "target"])
def test_schema_of_another_name_and_search_path(target_db: Database, side: Side) -> None:
    """The comparison depends neither on the schema's name nor on the search_path."""
    with target_db.connect() as connection:
        schemas.build(connection, side, 'The "user"')
        connection.execute("SET search_path TO pg_catalog")
        assert compare(connection, 'The "user"', schemas.METADATA[side], side).drifts == ()


def test_a_role_that_may_only_select_suffices(legacy_db: Database) -> None:
    legacy_db.execute("ALTER TABLE users DROP COLUMN phone")
    reader = legacy_db.select_only_role("public")
    assert report(legacy_db, "legacy", role=reader) == report(legacy_db, "legacy")


def test_the_comparison_works_in_a_read_only_transaction(legacy_db: Database) -> None:
    with legacy_db.connect(autocommit=False) as connection:
        connection.read_only = True
        assert compare(connection, "public", schemas.METADATA["legacy"], "legacy").drifts == ()


LEGACY_CASES = {
    "missing table": ("DROP TABLE agent_jobs", [("missing_table", "agent_jobs", True)]),
    "extra table": ("CREATE TABLE storage_connections ()", [("extra_table", "storage_connections", True)]),
    "extra partitioned table": (
        "CREATE TABLE parted (id int) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parted DEFAULT",
        [("extra_table", "parted", True)],
    ),
    "extra view": ("CREATE VIEW roles_with_meta AS SELECT 1 AS one", [("extra_view", "roles_with_meta", False)]),
    "a view for a table": (
        "DROP TABLE imap_state; CREATE VIEW imap_state AS SELECT 1 AS one",
        [("differing_table", "imap_state", True)],
    ),
    "missing column": ("ALTER TABLE users DROP COLUMN phone", [("missing_column", "users.phone", True)]),
    "extra column": ("ALTER TABLE users ADD shoe_size int", [("extra_column", "users.shoe_size", True)]),
    "extra column NOT NULL": (
        "ALTER TABLE users ADD shoe_size int NOT NULL",
        [("required_column", "users.shoe_size", True)],
    ),
    "an optional target column is no optional legacy column": (
        "ALTER TABLE agents ADD site_id uuid",
        [("extra_column", "agents.site_id", True)],
    ),
    "unreadable type": (
        "ALTER TABLE agent_jobs ALTER result TYPE text",
        [("differing_type", "agent_jobs.result", True)],
    ),
    "wider number": (
        "ALTER TABLE job_results ALTER exit_code TYPE bigint",
        [("differing_type", "job_results.exit_code", True)],
    ),
    "time without zone": (
        "ALTER TABLE devices ALTER last_seen TYPE timestamp",
        [("differing_type", "devices.last_seen", True)],
    ),
    "narrower number": (
        "ALTER TABLE imap_ingested ALTER uid TYPE int",
        [("readable_type", "imap_ingested.uid", False)],
    ),
    "shorter text": (
        "ALTER TABLE devices ALTER hostname TYPE varchar(63)",
        [("readable_type", "devices.hostname", False)],
    ),
    "citext": ("ALTER TABLE roles ALTER description TYPE citext", [("readable_type", "roles.description", False)]),
    "citext array": (
        "ALTER TABLE role_meta ALTER permissions DROP DEFAULT, ALTER permissions TYPE citext[]",
        [("missing_default", "role_meta.permissions", False), ("readable_type", "role_meta.permissions", False)],
    ),
    "time of less precision": (
        "ALTER TABLE devices ALTER last_seen TYPE timestamptz(3)",
        [("readable_type", "devices.last_seen", False)],
    ),
    "json for jsonb": ("ALTER TABLE jobs ALTER payload TYPE json", [("readable_type", "jobs.payload", False)]),
    "a domain reads as the type below it": (
        "CREATE DOMAIN one_line AS text; ALTER TABLE roles ALTER description TYPE one_line",
        [],
    ),
    "an enum for text": (
        "CREATE TYPE word AS ENUM ('a'); ALTER TABLE jobs ALTER type TYPE word USING 'a'::word",
        [("readable_type", "jobs.type", False)],
    ),
    "text for an enum": (
        "ALTER TABLE email_settings ALTER purpose TYPE text; DROP TYPE email_purpose",
        [("missing_enum", "email_purpose", False), ("readable_type", "email_settings.purpose", False)],
    ),
    "extra label": ("ALTER TYPE email_purpose ADD VALUE 'news'", [("extra_label", "email_purpose.news", False)]),
    "missing label": (
        "ALTER TYPE email_purpose RENAME VALUE 'reports' TO 'news'",
        [("extra_label", "email_purpose.news", False), ("missing_label", "email_purpose.reports", False)],
    ),
    "NULL allowed": ("ALTER TABLE users ALTER name DROP NOT NULL", [("looser_column", "users.name", False)]),
    "NULL forbidden": ("ALTER TABLE users ALTER phone SET NOT NULL", [("stricter_column", "users.phone", False)]),
    "missing default": ("ALTER TABLE users ALTER role DROP DEFAULT", [("missing_default", "users.role", False)]),
    "other default": ("ALTER TABLE users ALTER role SET DEFAULT 'x'", [("differing_default", "users.role", False)]),
    "a default spelled otherwise": ("ALTER TABLE users ALTER created_at SET DEFAULT CURRENT_TIMESTAMP", []),
    "identity always": (
        "ALTER TABLE tickets ALTER number SET GENERATED ALWAYS",
        [("read_only_column", "tickets.number", False)],
    ),
    "missing primary key": (
        "ALTER TABLE jobs DROP CONSTRAINT pk_jobs CASCADE",
        [("missing_foreign_key", "job_results.job_id", False), ("missing_primary_key", "jobs.id", False)],
    ),
    "missing unique": (
        "ALTER TABLE users DROP CONSTRAINT uq_users_email",
        [("missing_unique", "users.email", False)],
    ),
    "extra unique": ("CREATE UNIQUE INDEX ON users (name)", []),
    "missing check": ("ALTER TABLE agents DROP CONSTRAINT ck_agents_os", [("missing_check", "agents", False)]),
    "extra check": ("ALTER TABLE agents ADD CHECK (os <> '')", []),
    "an index more or less": ("DROP INDEX idx_agents_client; CREATE INDEX ON agents (os)", []),
}


@pytest.mark.parametrize("name", LEGACY_CASES)
def test_legacy_drift(legacy_db: Database, name: str) -> None:
    statement, expected = LEGACY_CASES[name]
    legacy_db.execute(statement)
    assert drifts(legacy_db, "legacy") == expected


TARGET_CASES = {
    "missing table": ("DROP TABLE ticket_tags", [("missing_table", "ticket_tags", False)]),
    "extra table": ("CREATE TABLE invoices ()", [("extra_table", "invoices", False)]),
    "extra view": ("CREATE VIEW open_tickets AS SELECT 1 AS one", [("extra_view", "open_tickets", False)]),
    "a view for a table": (
        "DROP TABLE ticket_tags; CREATE VIEW ticket_tags AS SELECT 1 AS one",
        [("differing_table", "ticket_tags", True)],
    ),
    "missing column": ("ALTER TABLE users DROP last_name", [("missing_column", "users.last_name", True)]),
    "extra column": ("ALTER TABLE users ADD theme text", [("extra_column", "users.theme", False)]),
    "extra column NOT NULL with default": (
        "ALTER TABLE users ADD theme text NOT NULL DEFAULT 'dark'",
        [("extra_column", "users.theme", False)],
    ),
    "extra column NOT NULL": (
        "ALTER TABLE users ADD theme text NOT NULL",
        [("required_column", "users.theme", True)],
    ),
    "extra column NOT NULL, computed": (
        "ALTER TABLE users ADD n int NOT NULL GENERATED ALWAYS AS (1) STORED, ADD m int GENERATED ALWAYS AS IDENTITY",
        [("extra_column", "users.m", False), ("extra_column", "users.n", False)],
    ),
    "extra column NOT NULL in a table that is not written": (
        "ALTER TABLE automations ADD theme text NOT NULL",
        [("required_column", "automations.theme", False)],
    ),
    "optional column": ("ALTER TABLE users ADD name text", [("optional_column", "users.name", False)]),
    "optional column NOT NULL": (
        "ALTER TABLE check_assignments ADD dedupe_key text NOT NULL",
        [("optional_column", "check_assignments.dedupe_key", False)],
    ),
    "differing type": (
        "ALTER TABLE agents ALTER version TYPE int USING 1",
        [("differing_type", "agents.version", True)],
    ),
    "shorter text": (
        "ALTER TABLE devices ALTER hostname TYPE varchar(63)",
        [("readable_type", "devices.hostname", True)],
    ),
    "NULL allowed": ("ALTER TABLE users ALTER email DROP NOT NULL", [("looser_column", "users.email", False)]),
    "NULL forbidden": (
        "ALTER TABLE users ALTER last_name SET NOT NULL",
        [("stricter_column", "users.last_name", True)],
    ),
    "missing default": (
        "ALTER TABLE users ALTER created_at DROP DEFAULT",
        [("missing_default", "users.created_at", True)],
    ),
    "missing default in a table that is not written": (
        "ALTER TABLE automations ALTER created_at DROP DEFAULT",
        [("missing_default", "automations.created_at", False)],
    ),
    "other default": (
        "ALTER TABLE organizations ALTER time_zone SET DEFAULT 'Europe/Vienna'",
        [("differing_default", "organizations.time_zone", False)],
    ),
    "column that the database makes up": (
        "ALTER TABLE tickets ALTER ticket_number ADD GENERATED ALWAYS AS IDENTITY",
        [("read_only_column", "tickets.ticket_number", True)],
    ),
    "missing label": (
        "ALTER TYPE user_status RENAME VALUE 'disabled' TO 'off'",
        [("missing_label", "user_status.disabled", True), ("extra_label", "user_status.off", False)],
    ),
    "missing enum": (
        "DROP TABLE ticket_updates; ALTER TABLE tickets ALTER status DROP DEFAULT, ALTER status TYPE text;"
        " DROP TYPE ticket_status",
        [
            ("missing_default", "tickets.status", True),
            ("readable_type", "tickets.status", True),
            ("missing_enum", "ticket_status", False),
            ("missing_table", "ticket_updates", False),
        ],
    ),
    "missing primary key": (
        "ALTER TABLE ticket_tags DROP CONSTRAINT pk_ticket_tags",
        [("missing_primary_key", "ticket_tags.tag, ticket_id", True)],
    ),
    "a unique index for a primary key": (
        "ALTER TABLE ticket_tags DROP CONSTRAINT pk_ticket_tags; CREATE UNIQUE INDEX ON ticket_tags (tag, ticket_id)",
        [],
    ),
    "missing unique": (
        "ALTER TABLE users DROP CONSTRAINT uq_users_organization_id_email",
        [("missing_unique", "users.email, organization_id", True)],
    ),
    "a unique that ON CONFLICT cannot name": (
        "ALTER TABLE users DROP CONSTRAINT uq_users_organization_id_email;"
        " ALTER TABLE users ADD UNIQUE (organization_id, email) DEFERRABLE;"
        " CREATE UNIQUE INDEX ON users (organization_id, email) WHERE status = 'active';"
        " CREATE UNIQUE INDEX ON users (organization_id, lower(email::text))",
        [("missing_unique", "users.email, organization_id", True)],
    ),
    "a unique index for a unique constraint, with one more column": (
        "ALTER TABLE users DROP CONSTRAINT uq_users_organization_id_email;"
        " CREATE UNIQUE INDEX ON users (email, organization_id) INCLUDE (status)",
        [],
    ),
    "extra unique": ("CREATE UNIQUE INDEX ON contacts (email)", [("extra_unique", "contacts.email", False)]),
    "missing foreign key": (
        "ALTER TABLE sites DROP CONSTRAINT fk_sites_client_id",
        [("missing_foreign_key", "sites.client_id", False)],
    ),
    "foreign key that does something else on delete": (
        "ALTER TABLE sites DROP CONSTRAINT fk_sites_client_id;"
        " ALTER TABLE sites ADD FOREIGN KEY (client_id) REFERENCES clients (id)",
        [("extra_foreign_key", "sites.client_id", False), ("missing_foreign_key", "sites.client_id", False)],
    ),
    "missing check": (
        "ALTER TABLE email_messages DROP CONSTRAINT ck_email_messages_direction",
        [("missing_check", "email_messages", False)],
    ),
    "extra check": ("ALTER TABLE users ADD CHECK (first_name <> '')", [("extra_check", "users", False)]),
}


@pytest.mark.parametrize("name", TARGET_CASES)
def test_target_drift(new_db: Database, name: str) -> None:
    statement, expected = TARGET_CASES[name]
    new_db.execute(statement)
    assert drifts(new_db, "target") == expected


@pytest.mark.parametrize(("schema", "kind"), [("public", "empty_schema"), ("elsewhere", "missing_schema")])
def test_nothing_there(target_db: Database, schema: str, kind: str) -> None:
    """An empty target will be filled by prepare; an empty legacy schema is a wrong setting. Both are one line."""
    for side, blocks in (("legacy", True), ("target", False)):
        (drift,) = report(target_db, side, schema).drifts
        assert (drift.kind, drift.where, drift.blocks) == (kind, "", blocks)
    assert "REMOTEIQ_LEGACY_SCHEMA" in str(report(target_db, "legacy", schema).drifts[0])


def test_both_schemas_in_one_database(legacy_db: Database) -> None:
    """An enum or a table of the one schema is not taken for one of the other."""
    with legacy_db.connect() as connection:
        schemas.build(connection, "target", "redesign")
    assert report(legacy_db, "legacy").drifts == ()
    assert report(legacy_db, "target", "redesign").drifts == ()


def test_the_legacy_schema_is_no_target(legacy_db: Database) -> None:
    """Whoever points the target at the legacy schema is stopped."""
    assert {"users", "agents", "tickets"} <= {drift.table for drift in report(legacy_db, "target").blocking}


def test_a_database_of_another_application_is_recognised(server: Server, legacy_db: Database) -> None:
    """One that happens to have a table of our name; a legacy database without a few tables is one all the same."""
    other = server.create_database("other")
    other.execute("CREATE TABLE users (id integer PRIMARY KEY); CREATE TABLE orders (id integer PRIMARY KEY)")
    (drift,) = report(other, "legacy").drifts
    assert (drift.kind, drift.stops) == (DifferenceKind.FOREIGN_DATABASE, True)
    assert "found 34 of them are missing: this is not a legacy RemoteIQ database" in str(drift)
    other.drop()
    legacy_db.execute("DROP TABLE agent_software")
    assert {one.kind for one in report(legacy_db, "legacy").drifts} == {DifferenceKind.MISSING_TABLE}


def test_every_difference_says_what_to_do() -> None:
    """Each kind has a reason on both sides, except what legacy may have beyond ours without harm."""
    assert set(DifferenceKind) - TARGET.keys() == {
        DifferenceKind.BROKEN_CHECK,
        DifferenceKind.UNREADABLE_KEY,
        DifferenceKind.FOREIGN_DATABASE,
    }
    assert set(DifferenceKind) - LEGACY.keys() == {
        DifferenceKind.EXTRA_UNIQUE,
        DifferenceKind.EXTRA_FOREIGN_KEY,
        DifferenceKind.EXTRA_CHECK,
        DifferenceKind.OPTIONAL_COLUMN,
    }


def test_report_in_order_and_for_display(legacy_db: Database) -> None:
    """What blocks comes first, then by place; a row holds texts only."""
    legacy_db.execute("ALTER TABLE users DROP phone, ALTER name DROP NOT NULL, ADD a int; ALTER TABLE agents DROP site")
    rows = report(legacy_db, "legacy").as_rows()
    assert [row["where"] for row in rows] == ["agents.site", "users.a", "users.phone", "users.name"]
    assert [row["scope"] for row in rows] == ["its tables", "the run, until accepted", "its tables", ""]
    assert rows[2] == {
        "difference": "missing column",
        "where": "users.phone",
        "expected": "text",
        "found": "",
        "blocks": "yes",
        "scope": "its tables",
        "reason": LEGACY[DifferenceKind.MISSING_COLUMN].reason.format(table="users", column="phone"),
    }


def test_what_stops_a_run_raises_with_every_place(legacy_db: Database) -> None:
    """What a missing column keeps from being loaded is no reason to stop everything else."""
    legacy_db.execute("ALTER TABLE users DROP phone, ADD a int; CREATE TABLE extra ()")
    with pytest.raises(DriftError) as caught:
        report(legacy_db, "legacy").raise_if_blocking()
    assert "--accept-drift users.a:" in str(caught.value)
    assert "--accept-drift extra:" in str(caught.value)
    assert "users.phone" not in str(caught.value)


def test_what_blocks_a_table_alone_does_not_raise(legacy_db: Database) -> None:
    legacy_db.execute("ALTER TABLE users DROP phone")
    found = report(legacy_db, "legacy")
    found.raise_if_blocking()
    assert "users.phone" in {one.where for one in found.drifts}


@pytest.mark.parametrize(
    ("table", "column", "name"),
    [("users", "shoe size", "users.shoe size"), ("a.b", "c", '"a.b".c'), ("a", "b.c", 'a."b.c"'), ('"', None, '""""')],
)
def test_a_name_to_accept_is_never_that_of_another_place(table: str, column: str | None, name: str) -> None:
    assert Drift(DifferenceKind.EXTRA_COLUMN, table, column, None, None, True, "").where == name


def test_drift_as_text() -> None:
    drift = Drift(DifferenceKind.DIFFERING_TYPE, "jobs", "payload", "jsonb", "text", True, "change it")
    assert str(drift) == "differing type: jobs.payload: expected jsonb, found text: change it"
