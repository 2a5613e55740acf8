"""Which runs have written rows of which table, and when: what makes a verdict stale and moves a migration.

Belongs here: that one definition, as SQL. Does not belong here: what follows from it (freshness, stages).
"""

from psycopg import sql

from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


def written_rows(state: State) -> sql.Composed:
    """The SELECT of run_id, table_name and written_at: one row per batch, or movement, that wrote."""
    return SQL["written_rows"].format(**state.names)
