"""Two sources in one target that have a row of the same natural key: it is the first one's, and nothing of the second's is lost."""

from collections.abc import Iterator

import pytest

from remoteiq_etl.backfill.context.report import Ledger
from tests.support.migrating import Migration
from tests.support.server import Server

TABLES = ("organizations", "backups_config", "permission_catalogue", "permissions")
CONFIG = "SELECT schedule, cron_expr FROM backups_config WHERE id = 'singleton'"
CONFLICTS = "SELECT source_id, columns, reason FROM remoteiq_etl.conflicts WHERE table_name = 'backups_config' AND resolved_run IS NULL"


def archived(migration: Migration) -> dict[str, str]:
    """What is kept of the second source's configuration, by column."""
    query = (
        "SELECT \"column\", value #>> '{}' FROM remoteiq_etl.legacy_archive"
        " WHERE (source_id, legacy_table, legacy_key, rule) = (2, 'backups_config', 'singleton', 'row_of_another_source')"
    )
    return dict(migration.query(query))


@pytest.fixture
def second(server: Server, edge_template: str, migration: Migration) -> Iterator[Migration]:
    """Another legacy database on the same target; the first one has been migrated."""
    migration.legacy.execute("UPDATE backups_config SET schedule = 'daily', cron_expr = 'first' WHERE id = 'singleton'")
    legacy = server.create_database(template=edge_template)
    legacy.execute("UPDATE backups_config SET schedule = 'weekly', cron_expr = 'second' WHERE id = 'singleton'")
    migration.run(*TABLES)
    yield Migration.of(legacy, migration.target, source="second", organization_slug="second")
    legacy.drop()


def test_the_second_source_changes_nothing_and_its_row_is_listed_and_archived(
    migration: Migration, second: Migration
) -> None:
    report = second.run(*TABLES)["backups_config"]
    assert report.accounts["backups_config"].accounted == report.accounts["backups_config"].read
    assert second.query(CONFIG) == [("daily", "first")]
    [[source, columns, reason]] = second.query(CONFLICTS)
    assert (source, reason) == (2, "row of another source")
    assert {"schedule", "cron_expr"} <= set(columns)
    kept = archived(second)
    assert (kept["schedule"], kept["cron_expr"]) == ("weekly", "second")
    with second.legacy.connect() as connection:
        row = "SELECT v.name FROM backups_config AS b, jsonb_each(jsonb_strip_nulls(to_jsonb(b))) AS v (name) WHERE id = 'singleton'"
        assert set(kept) == {name for (name,) in connection.execute(row.encode()).fetchall()}


def test_a_later_change_of_the_second_source_changes_nothing_either(migration: Migration, second: Migration) -> None:
    """Not even where the first one's row has come to be what the second one had."""
    second.run(*TABLES)
    migration.legacy.execute(
        "UPDATE backups_config SET (schedule, cron_expr) = ('weekly', 'second') WHERE id = 'singleton'"
    )
    assert migration.run(*TABLES)["backups_config"].total(Ledger.UPDATED) == 1
    second.legacy.execute("UPDATE backups_config SET cron_expr = 'third' WHERE id = 'singleton'")
    report = second.run(*TABLES)["backups_config"]
    assert (report.total(Ledger.CONFLICT), report.total(Ledger.UPDATED)) == (1, 0)
    assert second.query(CONFIG) == [("weekly", "second")]
    assert archived(second)["cron_expr"] == "third"
    assert [reason for _, _, reason in second.query(CONFLICTS)] == ["row of another source"]


def test_the_first_source_goes_on_with_its_row(migration: Migration, second: Migration) -> None:
    second.run(*TABLES)
    migration.legacy.execute("UPDATE backups_config SET cron_expr = 'new' WHERE id = 'singleton'")
    report = migration.run(*TABLES)["backups_config"]
    assert (report.total(Ledger.UPDATED), report.total(Ledger.CONFLICT)) == (1, 0)
    assert migration.query(CONFIG) == [("daily", "new")]


def test_equal_rows_are_no_conflict(migration: Migration, second: Migration) -> None:
    second.legacy.execute("UPDATE backups_config SET (schedule, cron_expr) = ('daily', 'first') WHERE id = 'singleton'")
    second.run(*TABLES)
    assert (second.query(CONFLICTS), archived(second)) == ([], {})


def test_a_label_of_a_permission_that_both_have_is_the_first_ones(migration: Migration, second: Migration) -> None:
    second.legacy.execute("UPDATE permissions SET label = 'Other words'")
    labels = second.query("SELECT permission_key, label FROM permissions ORDER BY 1")
    second.run(*TABLES)
    assert second.query("SELECT permission_key, label FROM permissions ORDER BY 1") == labels
    kept = "SELECT DISTINCT value #>> '{}' FROM remoteiq_etl.legacy_archive WHERE rule = 'row_of_another_source' AND \"column\" = 'label'"
    assert second.query(kept) == [("Other words",)]
