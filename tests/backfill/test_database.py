"""Sessions: what is in a name or a literal is never taken for a placeholder."""

from psycopg import sql

from remoteiq_etl.backfill.database import Database as EngineDatabase
from tests.support.server import Database

ODD = 'a "100%" {share} of %s'


def test_a_percent_sign_in_a_name_or_literal_is_no_placeholder(empty_db: Database) -> None:
    """With and without parameters, and for many rows at once."""
    session = EngineDatabase(empty_db.url, ODD).connect()
    names = {"table": sql.Identifier(ODD, ODD), "column": sql.Identifier(ODD), "literal": sql.Literal("5 %")}
    try:
        session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(ODD)))
        session.execute(sql.SQL("CREATE TABLE {table} ({column} text, n int)").format(**names))
        session.execute_many(
            sql.SQL("INSERT INTO {table} ({column}, n) VALUES (%s, %s)").format(**names), [("50 %", 1)]
        )
        query = sql.SQL("SELECT {column}, {literal} FROM {table} WHERE n = %s AND {column} LIKE '%%50%%'").format(
            **names
        )
        assert session.rows(query, [1]) == [("50 %", "5 %")]
        assert session.rows(sql.SQL("SELECT {column}, {literal}, 7 % 4 FROM {table}").format(**names)) == [
            ("50 %", "5 %", 3)
        ]
    finally:
        session.close()
