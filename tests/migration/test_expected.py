"""The edge-case data set becomes exactly the rows that were worked out by hand from the mapping."""

import json
from collections import Counter
from typing import Any

import pytest

from remoteiq_etl.backfill.context.report import BatchAccount, TableReport
from tests.support import expected
from tests.support.migrating import Migration, bare_target, specs, with_dependencies
from tests.support.server import Database, Server

Migrated = tuple[Migration, dict[str, TableReport]]
TABLES = expected.expected_tables()
OUTCOMES = {
    "merged_away": "merged away",
    "archived_only": "archived only",
    "filtered": "filtered",
    "quarantined": "quarantined",
    "held": "held",
}


@pytest.mark.parametrize("table", TABLES)
def test_rows_are_the_expected_ones_column_by_column(migrated: Migrated, table: str) -> None:
    assert expected.differences(table, migrated[0].rows(table)) == []


def test_every_expected_table_has_an_asset() -> None:
    assert sorted(set(TABLES) - set(specs())) == []


def primary_accounts(reports: dict[str, TableReport]) -> dict[str, tuple[str, BatchAccount]]:
    return {
        account.legacy_table: (report.table, account)
        for report in reports.values()
        for account in report.accounts.values()
        if account.primary
    }


@pytest.mark.parametrize("legacy_table", sorted(expected.outcomes()["tables"]))
def test_every_legacy_row_has_the_expected_outcome(migrated: Migrated, legacy_table: str) -> None:
    wanted = expected.outcomes()["tables"][legacy_table]
    table, account = primary_accounts(migrated[1])[legacy_table]
    counts = Counter({OUTCOMES[name]: sum(map(len, wanted[name].values())) for name in OUTCOMES if name in wanted})
    counts["inserted"] = wanted["inserted"]
    assert (table, account.read, +Counter(account.outcomes)) == (wanted["primary"], wanted["read"], +counts)


@pytest.mark.parametrize(("kept", "outcome"), [("quarantine", "quarantined"), ("held", "held")])
def test_the_expected_rows_wait(migrated: Migrated, kept: str, outcome: str) -> None:
    tables = expected.outcomes()["tables"]
    wanted = {
        (name, key_text(key))
        for name, given in tables.items()
        for keys in given.get(outcome, {}).values()
        for key in keys
    }
    rows = migrated[0].query(f"SELECT legacy_table, legacy_key, table_name FROM remoteiq_etl.{kept}")
    assert {(table, key) for table, key, name in rows if name == tables[table]["primary"]} == wanted


def key_text(key: Any) -> str:
    return json.dumps(key, ensure_ascii=False, separators=(",", ":")) if isinstance(key, list) else str(key)


def test_values_without_a_home_are_in_the_archive(migrated: Migrated) -> None:
    rows = migrated[0].query('SELECT legacy_table, legacy_key, "column", value FROM remoteiq_etl.legacy_archive')
    found = {(table, key, column): value for table, key, column, value in rows}
    missing = [
        (table, key, column)
        for table, values in expected.archive()["values"].items()
        for key, column, _ in values
        if (table, key_text(key), column) not in found
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("table", "key"), [(table, key) for table, keys in expected.archive()["whole_rows"].items() for key in keys]
)
def test_a_row_without_a_home_is_in_the_archive_with_all_its_values(migrated: Migrated, table: str, key: str) -> None:
    with migrated[0].legacy.connect() as connection:
        query = (
            f"SELECT v.name FROM {table}, jsonb_each(jsonb_strip_nulls(to_jsonb({table}))) AS v (name) WHERE id = {key}"
        )
        wanted = {row[0] for row in connection.execute(query.encode()).fetchall()}
    archive = 'SELECT "column" FROM remoteiq_etl.legacy_archive WHERE (legacy_table, legacy_key) = (%s, %s)'
    assert {row[0] for row in migrated[0].query(archive, table, key)} == wanted
    assert len(wanted) > 1


@pytest.mark.parametrize("variant", expected.variants(), ids=lambda variant: variant.name)
def test_rules_that_exclude_each_other_each_hold(variant: expected.Variant, server: Server, edge_db: Database) -> None:
    for change in variant.changes:
        edge_db.execute(change)
    target = bare_target(server)
    migration, tables = Migration.of(edge_db, target), {*variant.rows, *variant.absent}
    migration.run(*with_dependencies(tables))
    assert [line for table in sorted(tables) for line in variant.differences(table, migration.rows(table))] == []
    target.drop()
