"""The views over the maps: one for each table and one over all, replaced under those who use them."""

import pytest

from remoteiq_etl.errors import StateVersionError
from remoteiq_etl.state.map_views import COLUMNS, make_views
from tests.assets.builders import uid
from tests.support.library import Library

STATE = "remoteiq_etl"
SHOWN = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum"


def test_each_table_has_a_view_with_the_promised_columns_and_one_has_them_all(library: Library) -> None:
    session = library.context.session
    session.execute("DROP VIEW remoteiq_etl.map_all, remoteiq_etl.map_books")
    make_views(session, STATE, ["books"], {"books", "authors"})
    assert library.column(SHOWN, f"{STATE}.map_books") == list(COLUMNS)
    assert library.column(SHOWN, f"{STATE}.map_all") == ["entity", *COLUMNS]
    assert library.rows("SELECT rule, state, source FROM remoteiq_etl.map_books WHERE legacy_key = %s", uid(1)) == [
        ("kept", "live", "default")
    ]
    entities = "SELECT entity, count(*) FROM remoteiq_etl.map_all GROUP BY 1 ORDER BY 1"
    assert library.rows(entities) == [("authors", 3), ("books", 4)], "only those that it is over"
    comment = "SELECT col_description('remoteiq_etl.map_books'::regclass, 3)"
    assert library.column(comment) == [COLUMNS["new_key"]]


def test_without_a_map_the_view_over_all_is_there_and_empty(library: Library) -> None:
    make_views(library.context.session, STATE, (), ())
    assert library.rows("SELECT * FROM remoteiq_etl.map_all") == []
    assert library.column(SHOWN, f"{STATE}.map_all") == ["entity", *COLUMNS]


def test_a_view_with_other_columns_is_made_anew_unless_something_is_built_on_it(library: Library) -> None:
    session = library.context.session
    session.execute("DROP VIEW remoteiq_etl.map_books; CREATE VIEW remoteiq_etl.map_books AS SELECT 1 AS former")
    make_views(session, STATE, ["books"], ["books"])
    assert library.column(SHOWN, f"{STATE}.map_books") == list(COLUMNS)
    session.execute("DROP VIEW remoteiq_etl.map_books; CREATE VIEW remoteiq_etl.map_books AS SELECT 1 AS former")
    session.execute("CREATE VIEW of_a_report AS SELECT * FROM remoteiq_etl.map_books")
    with pytest.raises(StateVersionError, match=r"remoteiq_etl.map_books has columns of another version"):
        make_views(session, STATE, ["books"], ["books"])
