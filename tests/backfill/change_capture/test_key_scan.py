"""Every key of a legacy table, staged where the map can be compared; or why not all of them can be read."""

from contextlib import closing
from dataclasses import replace

import pandas as pd
import pyarrow as pa

from remoteiq_etl.backfill.change_capture import key_scan
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.assets.builders import uid
from tests.support.library import BOOKS, LEGACY, TAGS, Library
from tests.support.server import Database


def keys_of(library: Library, stage: key_scan.KeyStage) -> set[str]:
    return set(library.column(f"SELECT _key::text FROM remoteiq_etl.{stage.name}"))


def test_the_keys_of_the_snapshot_are_staged_in_the_type_of_the_map(open_library: Library) -> None:
    """Of several columns as the JSON array that the map has. Rows that came after the snapshot are not among them."""
    library, there = open_library, [1, 2, 3, 5]
    context = library.context
    books = key_scan.stage_source(context, BOOKS.streamed[0], "uuid", 1)
    tags = key_scan.stage_table(context, LEGACY["book_tags"], 2)
    assert (books.rows, tags.rows) == (4, 6)
    assert keys_of(library, books) == {uid(number) for number in there}
    assert keys_of(library, tags) == {key_text([uid(number), tag]) for number in there[:3] for tag in ("long", "old")}
    kind = "SELECT format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = '_key'"
    assert library.column(kind, f"remoteiq_etl.{books.name}") == ["uuid"]
    assert library.column("SELECT reltuples FROM pg_class WHERE relname = %s", books.name) == [4], "analysed"
    for stage in (books, tags):
        key_scan.drop(context, stage)
        assert library.column("SELECT to_regclass(%s)", f"remoteiq_etl.{stage.name}") == [None]


def test_keys_that_are_known_are_staged_and_none_make_an_empty_stage(open_library: Library) -> None:
    library = open_library
    some = key_scan.stage_keys(library.context, pd.Series(["a", "b"]), "text", 3)
    none = key_scan.stage_keys(library.context, pd.Series([], dtype=str), "text", 4)
    assert (some.rows, keys_of(library, some), none.rows, keys_of(library, none)) == (2, {"a", "b"}, 0, set())
    key_scan.drop(library.context, some)
    key_scan.drop(library.context, none)


def test_the_key_of_a_row_is_text_or_a_json_array_of_texts() -> None:
    assert list(key_scan.keys_of(pa.table({"id": ["1", "2"]}))) == ["1", "2"]
    assert list(key_scan.keys_of(pa.table({"a": ["1"], "b": ['"x"']}))) == [key_text(["1", '"x"'])]
    query = key_scan.key_query(EngineDatabase("", "old"), LEGACY["book_tags"], TAGS.streamed[0].key_columns)
    assert query == 'SELECT "book_id"::text, "tag"::text FROM "old"."book_tags"'


def test_a_table_that_cannot_be_read_as_a_whole_says_why(library: Library, empty_db: Database) -> None:
    empty_db.execute(
        "CREATE TABLE whole (id int); CREATE TABLE hiding (id int); CREATE TABLE part (id int, more int);"
        " ALTER TABLE hiding ENABLE ROW LEVEL SECURITY"
    )
    role = empty_db.select_only_role()
    empty_db.execute(f"REVOKE SELECT ON part FROM {role}; GRANT SELECT (id) ON part TO {role}")
    legacy = EngineDatabase(empty_db.url_as(role), "public")
    with closing(legacy.connect()) as session:
        snapshot = type("Seen", (), {"session": session})()
        context = replace(library.context, legacy=legacy, snapshot=snapshot)
        assert {table: key_scan.unreadable(context, table) for table in ("whole", "hiding", "part", "none")} == {
            "whole": None,
            "hiding": "row security hides rows of public.hiding",
            "part": "public.part may not be read: SELECT on it is missing",
            "none": "public.none does not exist",
        }
