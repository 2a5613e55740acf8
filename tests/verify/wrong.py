"""A target row that the program seems to have written wrong: a BUG that no edit and no change of legacy explains."""

from tests.support.migrating import Migration


def written_wrong(migration: Migration, table: str, column: str, number: int) -> tuple[str, str]:
    """As if the program had written another text: target and map agree, the mapping does not. Gives both keys of the row."""
    entity = f"remoteiq_etl.legacy_{table}_map"
    ((key, legacy_key),) = migration.query(
        f"SELECT m.new_key::text, m.legacy_key::text FROM {entity} AS m JOIN {table} AS t ON t.id = m.new_key"
        f" WHERE m.state = 'live' AND NOT m.adopted AND t.{column} IS NOT NULL AND m.legacy_table <> 'derived'"
        f" ORDER BY m.legacy_key OFFSET {number} LIMIT 1"
    )
    migration.target.execute(
        f"SET session_replication_role = replica; UPDATE {table} SET {column} = 'wrong' WHERE id = '{key}';"
        f" UPDATE {entity} SET last_written = last_written || '{{\"{column}\": \"wrong\"}}' WHERE new_key = '{key}'"
    )
    return key, legacy_key
