"""What the books say of a target: rows that came less those that went are the rows that the maps lead to.

Written here once more, over all tables at once, so that it can be asked after every step of a test. Does not belong here: what
a verification says of it.
"""

from typing import Any

from psycopg import sql

from tests.support.migrating import Migration

#: Tables of which the live keys are not as many as their movements add up to.
UNBALANCED = """
SELECT coalesce(m.entity, b.table_name), m.live, b.change
FROM (SELECT entity, count(*) AS live FROM remoteiq_etl.map_all WHERE state = 'live' GROUP BY entity) AS m
FULL JOIN (SELECT table_name, sum(change) AS change FROM remoteiq_etl.movements GROUP BY table_name) AS b ON b.table_name = m.entity
WHERE coalesce(m.live, 0) <> coalesce(b.change, 0)
"""


def unbalanced(migration: Migration) -> list[tuple[Any, ...]]:
    """The tables whose books do not close: live keys, and what their movements add up to."""
    schema = sql.Identifier(migration.plan.state_schema).as_string(None)
    return migration.query(UNBALANCED.replace("remoteiq_etl.", f"{schema}."))


def moved(migration: Migration, table: str) -> dict[str, int]:
    """By how much each cause has changed the number of live keys of a table."""
    query = "SELECT cause, sum(change)::int FROM remoteiq_etl.movements WHERE table_name = %s GROUP BY cause"
    return dict(migration.query(query, table))
