"""Legacy words against target labels: every row is counted once, under the label that it really has."""

from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from remoteiq_etl.verify.checks.matrices import NULL_WORD, words
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import TableVerdict
from tests.support.migrating import Migration, migrated_target, specs
from tests.support.server import Server

TABLES = ("users", "agent_tasks", "check_runs", "tickets")
#: Target column → the legacy tables and the column in each that its words come from.
COLUMNS = {
    "users.status": {"users": "status"},
    "agent_tasks.type": {"jobs": "type", "agent_jobs": "kind"},
    "agent_tasks.status": {"jobs": "status", "agent_jobs": "status"},
    "check_runs.severity": {"check_runs": "severity"},
    "tickets.priority": {"tickets": "priority"},
}


@pytest.fixture(scope="module")
def verified(server: Server, edge_template: str) -> Iterator[tuple[Migration, Mapping[str, TableVerdict]]]:
    legacy = server.create_database(template=edge_template)
    migration = migrated_target(server, legacy)
    # Ranges of a few rows, so that what is counted in several adds up.
    verdict = verify(migration.plan, TABLES, range_rows=5)
    yield migration, {table.table: table for table in verdict.tables}
    migration.target.drop()
    legacy.drop()


@pytest.mark.parametrize("name", COLUMNS)
def test_it_equals_a_count_row_by_row(verified: tuple[Migration, Mapping[str, TableVerdict]], name: str) -> None:
    migration, verdicts = verified
    table, _, column = name.partition(".")
    expected: dict[str, Counter[str]] = {}
    for legacy_table, legacy_column in COLUMNS[name].items():
        labels = labels_of(migration, table, column, legacy_table)
        with migration.legacy.connect() as connection:
            query = f'SELECT id::text, "{legacy_column}"::text FROM "{legacy_table}"'
            for key, word in connection.execute(query.encode()).fetchall():
                if key in labels:
                    expected.setdefault(NULL_WORD if word is None else word, Counter())[labels[key]] += 1
    assert {word: dict(counts) for word, counts in expected.items()} == verdicts[table].matrices[column]
    assert sum(sum(counts.values()) for counts in expected.values()) > 10


def labels_of(migration: Migration, table: str, column: str, legacy_table: str) -> dict[str, str]:
    """What each legacy key became: a label, or where it waits."""
    rows = migration.query(
        f"SELECT m.legacy_key, t.{column}::text FROM remoteiq_etl.map_{table} AS m JOIN {table} AS t ON t.id::text = m.new_key::text"
        " WHERE m.legacy_table = %s AND m.state = 'live'",
        legacy_table,
    )
    waiting = [
        (key, word)
        for word, kept in (("held", "held"), ("quarantined", "quarantine"))
        for (key,) in migration.query(
            f"SELECT legacy_key FROM remoteiq_etl.{kept} WHERE table_name = %s AND legacy_table = %s AND released_run IS NULL",
            table,
            legacy_table,
        )
    ]
    return {str(key): label for key, label in [*rows, *waiting]}


def test_the_column_of_the_same_name_has_the_words() -> None:
    assert words(specs()["check_runs"], "check_runs") == {"status": "status", "severity": "severity"}
    assert words(specs()["agent_tasks"], "agent_jobs") == {"type": "kind", "status": "status"}
    assert words(specs()["user_roles"], "users") == {}
