"""Values at the limits of their types, in every column of every legacy table: no table stops, and what came of each is right."""

import pytest

from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Finding, Label, Status
from tests.support.limits import cases, put
from tests.support.migrating import Migration
from tests.support.server import Database


@pytest.fixture
def limits_db(edge_db: Database) -> tuple[Database, int]:
    """The edge cases, and beside them a row for each limit that legacy takes; how many these are."""
    taken = 0
    with edge_db.connect(autocommit=False) as connection:
        for number, case in enumerate(cases()):
            taken += put(connection, case, number)
        connection.commit()
    return edge_db, taken


def test_no_value_of_any_column_stops_a_table_or_is_called_a_bug(
    limits_db: tuple[Database, int], our_target: Database
) -> None:
    legacy_db, taken = limits_db
    assert taken > 1500
    migration = Migration.of(legacy_db, our_target)
    reports = migration.run()
    assert reports.keys() == migration.plan.specs.keys()
    verdict = verify(migration.plan)
    assert {one.table: one.error for one in verdict.tables if one.status is not Status.VERIFIED} == {}
    assert [shown(one) for table in verdict.tables for one in table.findings if one.label is Label.BUG] == []


def shown(one: Finding) -> tuple[str, ...]:
    return (one.table, one.check, one.kind, f"{one.legacy_table} {one.legacy_key}", ", ".join(one.columns), one.detail)
