"""Short ways to see what became of rows that are gone from legacy, and to put such a row back.

Belongs here: looking at the list, the maps and the rows. Does not belong here: making rows go, which each test does itself.
"""

from typing import Any

from tests.support.migrating import Migration


def new_key(migration: Migration, table: str, legacy_key: str, legacy_table: str | None = None) -> str:
    ((found,),) = migration.query(
        f"SELECT new_key::text FROM remoteiq_etl.legacy_{table}_map WHERE legacy_key::text = %s AND legacy_table = %s",
        legacy_key,
        legacy_table or table,
    )
    return str(found)


def listed(migration: Migration, table: str, *legacy_keys: str) -> list[tuple[Any, ...]]:
    """Outcome, reason and holder of what is gone."""
    return migration.query(
        "SELECT outcome, reason, holder FROM remoteiq_etl.gone WHERE table_name = %s AND returned_run IS NULL"
        " AND (legacy_key = ANY (%s) OR cardinality(%s::text[]) = 0) ORDER BY legacy_key",
        table,
        list(legacy_keys),
        list(legacy_keys),
    )


def count(migration: Migration, table: str) -> int:
    return int(migration.query(f"SELECT count(*) FROM {table}")[0][0])


def is_there(migration: Migration, table: str, row: str) -> bool:
    return bool(migration.query(f"SELECT EXISTS (SELECT FROM {table} WHERE id = %s)", row)[0][0])


def legacy_row(migration: Migration, table: str, row: str) -> str:
    """A legacy row as JSON text, to put it back."""
    with migration.legacy.connect() as connection:
        found = connection.execute(f"SELECT to_json(t)::text FROM {table} t WHERE id = %s", [row]).fetchone()
    assert found is not None
    return str(found[0])


def put_back(migration: Migration, table: str, row: str) -> None:
    with migration.legacy.connect() as connection:
        connection.execute(
            f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_record(NULL::{table}, %s::json)",
            [row],
        )
