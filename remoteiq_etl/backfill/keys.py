"""Joins between a map and the target table whose keys it holds."""

from psycopg import sql

from remoteiq_etl.backfill.spec import TableSpec


def key_join(spec: TableSpec, row: str = "t", of_map: str = "m") -> sql.Composable:
    """The condition under which a map row (m) names a target row (t)."""
    names = {"row": sql.Identifier(row), "map": sql.Identifier(of_map)}
    if len(spec.primary_key) == 1:
        return sql.SQL("{row}.{column} = {map}.new_key").format(**names, column=sql.Identifier(spec.primary_key[0]))
    parts = [
        sql.SQL("{row}.{column}::text = ({map}.new_key::jsonb ->> {position})").format(
            **names, column=sql.Identifier(column), position=sql.Literal(position)
        )
        for position, column in enumerate(spec.primary_key)
    ]
    return sql.SQL(" AND ").join(parts)
