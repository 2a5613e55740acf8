"""A target with types, generated columns, casts and labels of the application's own is migrated as any other."""

from collections.abc import Iterator

import pytest

from remoteiq_etl.lifecycle.drift.report import compare
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Label
from schemas import target
from tests.application.target import as_installed
from tests.support.drifting import settled
from tests.support.migrating import Migration, foreign_target
from tests.support.server import Server


@pytest.fixture(scope="module")
def installed(server: Server, edge_template: str) -> Iterator[Migration]:
    """The edge-case database, migrated to a target as the application has it. Only to be looked at."""
    legacy, application = server.create_database(template=edge_template), foreign_target(server)
    as_installed(application)
    legacy.execute(
        "ALTER TABLE localization_settings ALTER first_day_of_week DROP DEFAULT;"
        " ALTER TABLE localization_settings ALTER first_day_of_week TYPE int USING 1;"
        " UPDATE jobs SET type = 'PATCH_SCAN' WHERE id = (SELECT min(id::text)::uuid FROM jobs WHERE status = 'succeeded')"
    )
    migration = Migration.of(legacy, application)
    migration.run()
    yield migration
    for database in (legacy, application):
        database.drop()


def test_nothing_of_it_stops_a_run(installed: Migration) -> None:
    with installed.target.connect() as connection:
        assert compare(connection, "public", target.metadata, "target").blocking == ()
    settled(installed.legacy, installed.target).legacy_drift().report.raise_if_blocking()


def test_words_that_the_target_has_labels_for_are_carried_and_not_archived(installed: Migration) -> None:
    """A ticket in progress was pending in a target without that label; of a patch scan an update was made."""
    assert installed.query("SELECT count(*) FROM tickets WHERE status = 'in_progress'") == [(1,)]
    assert installed.query("SELECT count(*) FROM agent_tasks WHERE type = 'patch_scan'") == [(1,)]
    kept = "SELECT count(*) FROM remoteiq_etl.legacy_archive WHERE rule = 'lossy_word' AND value #>> '{}' ILIKE 'in_progress'"
    assert installed.query(kept) == [(0,)]


def test_a_first_day_of_the_week_that_is_a_number_is_carried_as_text(installed: Migration) -> None:
    assert installed.query("SELECT localization -> 'firstDayOfWeek' FROM organization_settings") == [("1",)]


def test_a_value_that_the_database_makes_up_is_archived_where_legacy_has_it(installed: Migration) -> None:
    kept = "SELECT DISTINCT l.value #>> '{}' FROM remoteiq_etl.legacy_archive AS l WHERE (l.legacy_table, l.\"column\") = ('users', 'name')"
    with installed.legacy.connect() as connection:
        names = connection.execute(b"SELECT DISTINCT name FROM users WHERE status = 'active'").fetchall()
    assert set(names) <= set(installed.query(kept))


def test_every_difference_is_explained(installed: Migration) -> None:
    verdict = verify(installed.plan)
    assert [one.error for one in verdict.tables if one.error] == []
    assert {one.label for table in verdict.tables for one in table.findings if one.check != "sequences"} == {
        Label.QUARANTINED,
        Label.HELD,
    }


def test_a_run_after_it_writes_nothing(installed: Migration) -> None:
    versions = installed.versions()
    installed.run()
    assert installed.versions() == versions
