"""A number in a JSON column reaches the target with all its digits, also where an object is rebuilt; what is too deep waits."""

import pytest

from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.frames.json_text import DEEPEST
from tests.support.migrating import Migration
from tests.support.server import Database

NUMBERS = '{"huge": 1e400, "price": 1.10, "exact": 0.12345678901234567890, "longest": 1e5000}'
TABLES = (
    "organizations",
    "organization_settings",
    "organization_setting_audits",
    "clients",
    "sites",
    "devices",
    "agents",
)


@pytest.fixture
def with_numbers(edge_db: Database, migration: Migration) -> Migration:
    edge_db.execute(
        f"UPDATE agents SET facts = '{NUMBERS}', os = 'linux' WHERE id = 1;"
        f" UPDATE backups_config SET notifications = '{NUMBERS}' WHERE id = 'singleton'"
    )
    return migration


def same(migration: Migration, value: str, rows: str) -> bool:
    """Whether PostgreSQL says of a value of these rows that the numbers are all there and equal."""
    found = migration.query(f"SELECT {value} @> '{NUMBERS}'::jsonb, {value} ->> 'price' FROM {rows}")
    return found == [(True, "1.10")]


def test_numbers_that_no_double_holds_are_carried(with_numbers: Migration) -> None:
    """Into an object with added keys, into the settings, and into the audit of their change; a second run changes nothing."""
    with_numbers.run(*TABLES)
    agent = "(SELECT new_key FROM remoteiq_etl.legacy_agents_map WHERE legacy_key = '1')"
    assert same(with_numbers, "facts", f"agents WHERE id = {agent}")
    assert same(with_numbers, "(notifications -> 'backups')", "organization_settings")
    audits = "(next -> 'backups')", "organization_setting_audits WHERE settings_type = 'notifications'"
    assert same(with_numbers, *audits)
    again = with_numbers.run(*TABLES)
    assert {table: report.total(Ledger.UPDATED) for table, report in again.items()} == dict.fromkeys(TABLES, 0)
    assert same(with_numbers, *audits)


def test_a_plan_says_so_too(with_numbers: Migration) -> None:
    reports = with_numbers.run(*TABLES, planning=True)
    assert reports["organization_settings"].total(Ledger.INSERTED) == 1


def test_a_quarantined_row_shows_its_numbers(with_numbers: Migration, edge_db: Database) -> None:
    edge_db.execute(
        "ALTER TABLE agents ALTER agent_uuid DROP NOT NULL; UPDATE agents SET agent_uuid = NULL WHERE id = 1"
    )
    with_numbers.run(*TABLES)
    [[shown]] = with_numbers.query("SELECT \"row\" ->> 'facts' FROM remoteiq_etl.quarantine WHERE legacy_key = '1'")
    assert '"price":1.10' in shown


@pytest.mark.parametrize("depth", [DEEPEST, DEEPEST + 1])
def test_a_row_whose_json_is_nested_too_deep_to_be_read_waits(
    migration: Migration, edge_db: Database, depth: int
) -> None:
    """PostgreSQL takes thousands of levels; one such row ends no load, and the quarantine shows nothing of it."""
    nested = '{"a":' * depth + "1" + "}" * depth
    edge_db.execute(f"UPDATE agents SET facts = '{nested}' WHERE id = 1")
    migration.run("organizations", "clients", "sites", "devices", "agents")
    found = migration.query(
        "SELECT rule, columns, detail, \"row\" ->> 'facts' FROM remoteiq_etl.quarantine WHERE table_name = 'agents' AND legacy_key = '1'"
    )
    refused = ("source_contract", ["facts"], "facts: at most 200 levels of JSON", "[redacted]")
    assert found == ([refused] if depth > DEEPEST else [])
