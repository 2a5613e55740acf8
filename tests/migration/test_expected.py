"""The edge-case data set becomes exactly the rows that were worked out by hand from the mapping."""

from collections.abc import Iterator

import pytest

from tests.support import expected
from tests.support.migrating import Migration, bare_target, foreign_target, specs
from tests.support.server import Server

TABLES = [table for table in expected.expected_tables() if table in specs()]


@pytest.fixture(scope="module", params=[bare_target, foreign_target], ids=["our target", "foreign target"])
def migrated(request: pytest.FixtureRequest, server: Server, edge_template: str) -> Iterator[Migration]:
    legacy, target = server.create_database(template=edge_template), request.param(server)
    migration = Migration.of(legacy, target)
    migration.run()
    yield migration
    legacy.drop()
    target.drop()


@pytest.mark.parametrize("table", TABLES)
def test_rows_are_the_expected_ones_column_by_column(migrated: Migration, table: str) -> None:
    assert expected.differences(table, migrated.rows(table)) == []


def test_every_expected_table_has_an_asset() -> None:
    assert sorted(set(expected.expected_tables()) - set(specs())) == []
