"""Sessions: what is in a name or a literal is never taken for a placeholder; a second Arrow session stands on its own."""

from functools import partial

import pyarrow as pa
import pytest
from psycopg import sql

from remoteiq_etl.errors import ConnectionFailed
from remoteiq_etl.postgres.arrow import connect_arrow, connect_beside
from remoteiq_etl.postgres.database import Database as EngineDatabase
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
        assert session.objects(dict, query, [1]) == [{ODD: "50 %", "?column?": "5 %"}]
        assert session.rows(sql.SQL("SELECT {column}, {literal}, 7 % 4 FROM {table}").format(**names)) == [
            ("50 %", "5 %", 3)
        ]
    finally:
        session.close()


def test_a_second_arrow_session_commits_for_itself_and_outlives_the_first(empty_db: Database) -> None:
    database = EngineDatabase(empty_db.url, "public")
    first = connect_arrow(database)
    second = connect_beside(database, first)
    try:
        second.execute("CREATE TABLE readings (n int)")
        second.append("public", "readings", pa.table({"n": pa.array([1, 2], pa.int32())}))
        assert first.table("SELECT sum(n)::int AS n FROM readings").column("n").to_pylist() == [3]
        first.close()
        assert second.table("SELECT count(*)::int AS n FROM readings").column("n").to_pylist() == [2]
    finally:
        second.close()


def test_a_refused_connection_shows_no_piece_of_a_password_that_libpq_took_for_the_host() -> None:
    """psycopg and ADBC both quote what they took for the name of the host."""
    database = EngineDatabase("postgresql://etl:se@cret@nowhere.invalid:5432/legacy", "public")
    for connect in (database.connect, partial(connect_arrow, database)):
        with pytest.raises(ConnectionFailed) as caught:
            connect()
        assert "cret" not in str(caught.value)
        assert "***@nowhere.invalid" in str(caught.value)
