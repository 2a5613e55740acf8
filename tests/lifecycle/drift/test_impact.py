"""What the legacy database lacks blocks only what needs it; what its rows say beyond the catalogue is named."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from assets.email import email_channels
from remoteiq_etl.lifecycle.drift.differences import DifferenceKind
from remoteiq_etl.lifecycle.drift.impact import LegacyDrift, examine
from remoteiq_etl.lifecycle.drift.needs import Needs, legacy_tables, named_columns
from remoteiq_etl.lifecycle.drift.report import Drift
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.support.drifting import settled
from tests.support.migrating import specs
from tests.support.server import Database

NEWS = "ALTER TYPE email_purpose ADD VALUE 'news'"
STATUS_CHECK = "status = ANY (ARRAY['online'::text, 'offline'::text])"


@pytest.fixture
def blank(target_db: Database) -> Iterator[Database]:
    return target_db


def seen(legacy: Database, target: Database, **settings: object) -> LegacyDrift:
    return settled(legacy, target, **settings).legacy_drift()


def named(found: LegacyDrift, kind: DifferenceKind) -> list[Drift]:
    return [drift for drift in found.report.drifts if drift.kind is kind]


# --- what is not there --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "directly", "after", "not_at_all"),
    [
        ("ALTER TABLE agent_software DROP version", {"agent_software"}, set(), {"agents", "users", "tickets"}),
        ("DROP TABLE agent_software", {"agent_software"}, set(), {"agents", "users", "tickets"}),
        ("ALTER TABLE tickets DROP description", {"tickets"}, {"email_messages"}, {"clients", "sites", "users"}),
        ("ALTER TABLE tickets DROP site", {"tickets", "clients", "sites"}, {"devices", "agents"}, {"users"}),
        (
            "ALTER TABLE job_results ALTER exit_code TYPE bigint",
            {"agent_task_results", "agent_task_runs"},
            set(),
            {"agents"},
        ),
        (
            "DROP TABLE localization_settings",
            {"organizations"},
            {"users", "roles", "seed_roles", "tickets"},
            {"permissions"},
        ),
        ("DROP TABLE imap_state; CREATE VIEW imap_state AS SELECT 1 AS a", {"email_ingest_state"}, set(), {"users"}),
    ],
)
def test_what_is_not_there_blocks_what_needs_it_and_nothing_else(
    legacy_db: Database, blank: Database, statement: str, directly: set[str], after: set[str], not_at_all: set[str]
) -> None:
    legacy_db.execute(statement)
    found = seen(legacy_db, blank)
    assert directly | after <= found.blocked.keys()
    assert not not_at_all & found.blocked.keys()
    assert all("missing" in found.blocked[name] or "differing" in found.blocked[name] for name in directly)
    assert all("which cannot be loaded" in found.blocked[name] for name in after)
    [blocking] = found.report.blocking
    assert all(name in blocking.reason for name in directly | after)
    assert not blocking.stops


@pytest.mark.parametrize("column", ["users.totp_secret", "jobs.agent_uuid"])
def test_a_column_that_no_rule_needs_is_read_as_null(legacy_db: Database, blank: Database, column: str) -> None:
    table, name = column.split(".")
    legacy_db.execute(f"ALTER TABLE {table} DROP {name}")
    found = seen(legacy_db, blank)
    assert found.absent == {table: frozenset({name})}
    assert found.blocked == {}
    assert [text for text in found.warnings if column in text]


def test_a_superseded_column_of_another_type_blocks_a_retired_one_does_not(
    legacy_db: Database, blank: Database
) -> None:
    """What a superseded column says is archived where it differs: it may not be taken for empty."""
    legacy_db.execute(
        "ALTER TABLE users ALTER totp_secret TYPE bytea USING NULL; ALTER TABLE jobs ALTER agent_uuid TYPE int USING NULL"
    )
    found = seen(legacy_db, blank)
    assert found.absent == {"users": frozenset({"totp_secret"})}
    assert "agent_tasks" in found.blocked


def test_tables_that_nothing_here_reads_block_nothing(legacy_db: Database, blank: Database) -> None:
    legacy_db.execute("DROP TABLE agent_software")
    session = EngineDatabase(legacy_db.url, "public", read_only=True).connect()
    try:
        found = examine(session, "public", {"organizations": specs()["organizations"]}, {})
    finally:
        session.close()
    assert (found.blocked, found.report.blocking) == ({}, ())


def test_a_wrong_schema_stops_everything(empty_db: Database, blank: Database) -> None:
    found = seen(empty_db, blank)
    assert [drift.stops for drift in found.report.drifts] == [True]
    assert (found.blocked, found.warnings) == ({}, ())


def test_every_table_of_the_organization_waits_for_it() -> None:
    """Its id may be that of an organization which the target had: no row may get another one."""
    blocked = Needs(specs()).with_dependants({"organizations": ""})
    owned = {name for name, spec in specs().items() if "organization_id" in spec.target.columns and spec.sources}
    assert owned <= blocked.keys()


def test_what_a_declaration_reads_is_found_in_its_queries_too() -> None:
    agents = specs()["agents"]
    assert {"agents", "devices"} <= legacy_tables(agents)
    assert {"devices.hostname", "agents.id"} <= named_columns(agents)
    assert "devices.os" not in named_columns(agents)
    assert {"check_runs.assignment_id", "check_assignments.id"} <= named_columns(specs()["check_runs"])


# --- labels -------------------------------------------------------------------------------------------------------


def test_a_label_that_no_row_uses_is_only_a_note(legacy_db: Database, blank: Database) -> None:
    legacy_db.execute(NEWS)
    found = seen(legacy_db, blank)
    [drift] = named(found, DifferenceKind.EXTRA_LABEL)
    assert (drift.blocks, drift.warns, found.warnings) == (False, False, ())


def with_news(legacy: Database) -> None:
    legacy.execute(NEWS)
    legacy.execute("UPDATE email_settings SET purpose = 'news' WHERE purpose = 'reports'")


def test_a_label_in_use_is_named_with_its_value_map(edge_db: Database, blank: Database) -> None:
    """And with what becomes of it, which the configuration decides."""
    with_news(edge_db)
    [drift] = named(seen(edge_db, blank), DifferenceKind.EXTRA_LABEL)
    assert drift.warns
    assert drift.reason == "1 row of email_settings.purpose: the value map email_channels.purpose makes it 'system'"
    configured = seen(edge_db, blank, values={"email_channels.purpose": {"news": "alerts"}})
    assert "makes it 'alerts'" in named(configured, DifferenceKind.EXTRA_LABEL)[0].reason


def test_a_label_that_its_map_does_not_know_is_said_to_quarantine(edge_db: Database) -> None:
    with_news(edge_db)
    strict = replace(email_channels.SPEC, value_maps=(replace(email_channels.PURPOSE, default=None),))
    session = EngineDatabase(edge_db.url, "public", read_only=True).connect()
    try:
        found = examine(session, "public", {**specs(), "email_channels": strict}, {})
    finally:
        session.close()
    reason = named(found, DifferenceKind.EXTRA_LABEL)[0].reason
    assert "quarantined until [values.\"email_channels.purpose\"] in remoteiq.toml says what 'news' means" in reason


def test_an_accepted_label_is_no_warning_any_more(edge_db: Database, blank: Database) -> None:
    with_news(edge_db)
    found = seen(edge_db, blank, accept_drift=("email_purpose.news",))
    assert not [text for text in found.warnings if "news" in text]
    assert [drift.where for drift in found.accepted] == ["email_purpose.news"]
    assert found.extras == ()


# --- checks -------------------------------------------------------------------------------------------------------


def drop_check(legacy: Database, table: str, mention: str) -> None:
    with legacy.connect() as connection:
        query = (
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'"
            " AND pg_get_constraintdef(oid) LIKE %s"
        )
        for (name,) in connection.execute(query, [table, f"%{mention}%"]).fetchall():
            connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'.encode())


def test_rows_that_break_a_check_are_named_with_some_of_their_keys(edge_db: Database, blank: Database) -> None:
    edge_db.execute("UPDATE devices SET status = 'asleep'")
    [devices] = [
        drift for drift in named(seen(edge_db, blank), DifferenceKind.BROKEN_CHECK) if drift.table == "devices"
    ]
    with edge_db.connect() as connection:
        keys = [str(key) for (key,) in connection.execute("SELECT id FROM devices ORDER BY id::text").fetchall()]
    assert devices.expected == f"CHECK {STATUS_CHECK}"
    assert devices.found == f"{len(keys)} rows: {', '.join(keys[:5])}"
    assert (devices.blocks, devices.warns) == (False, True)


def test_a_check_that_is_not_validated_is_counted_too(legacy_db: Database, blank: Database) -> None:
    drop_check(legacy_db, "devices", "status")
    legacy_db.execute(
        "INSERT INTO devices (id, hostname, os, status) VALUES ('d1000000-0000-4000-8000-000000000001', 'pc', 'x', 'asleep');"
        f" ALTER TABLE devices ADD CHECK ({STATUS_CHECK}) NOT VALID"
    )
    [drift] = seen(legacy_db, blank).report.drifts
    assert (drift.kind, drift.found) == (DifferenceKind.BROKEN_CHECK, "1 row: d1000000-0000-4000-8000-000000000001")


def test_where_every_check_is_validated_no_row_is_read(legacy_db: Database, blank: Database) -> None:
    statements: list[str] = []
    migration = settled(legacy_db, blank)
    replace(migration, legacy=replace(migration.legacy, observer=statements.append)).legacy_drift()
    assert statements
    assert not [text for text in statements if '"public".' in text]


def test_a_check_of_a_table_that_may_not_be_read_is_left_out(edge_db: Database, blank: Database) -> None:
    """The run stops at the table itself; looking is no reason to fail before."""
    reader = edge_db.select_only_role()
    edge_db.execute(f"REVOKE SELECT ON devices FROM {reader}")
    found = settled(edge_db, blank, reader=reader).legacy_drift()
    assert {drift.table for drift in named(found, DifferenceKind.BROKEN_CHECK)} == {"users"}


def test_a_check_whose_column_is_gone_is_left_out(edge_db: Database, blank: Database) -> None:
    edge_db.execute("ALTER TABLE devices DROP status")
    assert {drift.table for drift in named(seen(edge_db, blank), DifferenceKind.BROKEN_CHECK)} == {"users"}
