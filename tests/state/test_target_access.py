"""What every statement about a target table may name."""

from psycopg import sql

from remoteiq_etl.state.target_access import statement_names
from tests.assets.builders import uid
from tests.support.library import BOOKS, TAGS, Library

JOINED = sql.SQL(
    "SELECT count(*) FROM {map} AS m JOIN {target} AS t ON {key_join}"
    " WHERE m.source_id = {source_id} AND m.legacy_table = {legacy_table}"
)


def test_the_names_join_a_table_with_its_map_whatever_its_key_has(library: Library) -> None:
    for spec, rows in ((BOOKS, 4), (TAGS, 8)):
        assert library.context.session.value(JOINED.format(**statement_names(library.context, spec, spec.name))) == rows


def test_they_hold_the_state_schema_and_the_key_of_the_map(library: Library) -> None:
    names = statement_names(library.context, BOOKS)
    assert "legacy_table" not in names
    insert = sql.SQL(
        "INSERT INTO {map} SELECT * FROM {map} WHERE legacy_key = {one} ON CONFLICT ({map_key}) DO NOTHING"
    )
    assert library.context.session.execute(insert.format(**names, one=sql.Literal(uid(1)))).rowcount == 0
    counted = sql.SQL("SELECT count(*) FROM {runs} WHERE {table_name} = 'books'").format(**names)
    assert library.context.session.value(counted) >= 2
