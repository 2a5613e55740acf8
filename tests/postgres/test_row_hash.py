"""Row hashes are HMAC-SHA256, whatever server computes them."""

import hashlib
import hmac
from contextlib import closing

import pytest
from psycopg import sql

from remoteiq_etl.postgres import row_hash
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.support.server import Database

KEY = bytes(range(32))


@pytest.mark.every_postgres
def test_the_server_s_hash_is_the_library_s(empty_db: Database) -> None:
    database = EngineDatabase(empty_db.url, "public", session=row_hash.session_settings(KEY))
    row = [
        sql.SQL("1::int"),
        sql.SQL("NULL::text"),
        sql.SQL("'ä'::text"),
        sql.SQL("'2024-01-02 03:04:05.6+02'::timestamptz"),
    ]
    with closing(database.connect()) as session:
        found = session.value(sql.SQL("SELECT {}").format(row_hash.row_hash(row)))
    text = '(1,,ä,"2024-01-02 01:04:05.6+00")'
    assert bytes(found) == hmac.new(KEY, text.encode(), hashlib.sha256).digest()[:16]


def test_null_and_empty_text_differ(empty_db: Database) -> None:
    database = EngineDatabase(empty_db.url, "public", session=row_hash.session_settings(KEY))
    with closing(database.connect()) as session:
        null, empty = (
            session.value(sql.SQL("SELECT {}").format(row_hash.row_hash([sql.SQL(text)])))
            for text in ("NULL::text", "''::text")
        )
    assert null != empty


def test_a_further_column_counts_only_where_it_has_a_value(empty_db: Database) -> None:
    """A row without it has the hash of the row in which it is NULL; another name or value gives another hash."""
    database = EngineDatabase(empty_db.url, "public", session=row_hash.session_settings(KEY))
    row = [sql.SQL("1"), sql.SQL("'a'")]
    rows = [
        [],
        [("x", "NULL::text")],
        [("x", "''")],
        [("x", "'v'")],
        [("y", "'v'")],
        [("x", "NULL::text"), ("y", "'v'")],
    ]
    with closing(database.connect()) as session:
        absent, null, empty, x, y, only_y = (
            session.value(
                sql.SQL("SELECT {}").format(row_hash.row_hash(row, [(name, sql.SQL(text)) for name, text in further]))
            )
            for further in rows
        )
        assert absent == session.value(sql.SQL("SELECT {}").format(row_hash.row_hash(row)))
    assert absent == null
    assert y == only_y
    assert len({absent, empty, x, y}) == 4


def test_the_key_stands_in_no_statement() -> None:
    statement = row_hash.row_hash([sql.Identifier("a")]).as_string(None)
    assert KEY.hex()[:16] not in statement
    assert all(value not in statement for value in row_hash.session_settings(KEY).values())


def test_a_database_does_not_show_its_session_settings() -> None:
    database = EngineDatabase("postgresql:///x", "public", session=row_hash.session_settings(KEY))
    assert all(value not in repr(database) for value in row_hash.session_settings(KEY).values())
