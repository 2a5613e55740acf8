"""Images of rows that are changed or deleted by a condition, with what the map says of each."""

from dataclasses import replace

from psycopg import sql

from remoteiq_etl.backfill.outcomes.bulk_images import keep_images, remember_left
from remoteiq_etl.state.schema import State
from tests.assets.builders import uid
from tests.support.library import BOOKS, TAGS, Library

IMAGES = "SELECT new_key, operation, legacy_key, written_hash IS NOT NULL FROM remoteiq_etl.before_images ORDER BY 1"
OF_BOOK_1 = sql.SQL("t.{} = {}")


def test_each_row_that_meets_the_condition_gets_one_with_its_entry_of_the_map(library: Library) -> None:
    """One that somebody else made has none."""
    library.context.session.execute(f"INSERT INTO book_tags VALUES ('{uid(1)}', 'theirs')")
    affected = OF_BOOK_1.format(sql.Identifier("book_id"), sql.Literal(uid(1)))
    assert len(keep_images(library.context, TAGS, "delete", affected)) == 3
    keys = {tag: f'["{uid(1)}","{tag}"]' for tag in ("long", "old", "theirs")}
    assert library.rows(IMAGES) == [
        (keys["long"], "delete", keys["long"], True), (keys["old"], "delete", keys["old"], True), (keys["theirs"], "delete", None, False),
    ]  # fmt: skip


def test_of_a_table_without_a_map_rows_are_kept_all_the_same(library: Library) -> None:
    library.context.session.execute("DROP TABLE remoteiq_etl.legacy_books_map CASCADE")
    context = replace(library.context, state=State(library.context.target, "remoteiq_etl"))
    keep_images(context, BOOKS, "delete", OF_BOOK_1.format(sql.Identifier("id"), sql.Literal(uid(1))))
    assert library.rows(IMAGES) == [(uid(1), "delete", None, False)]


def test_what_is_left_of_the_rows_is_remembered(library: Library) -> None:
    affected = OF_BOOK_1.format(sql.Identifier("id"), sql.Literal(uid(1)))
    images = keep_images(library.context, BOOKS, "update", affected)
    remember_left(library.context, BOOKS, images)
    same = "SELECT after_hash = row_hash FROM remoteiq_etl.before_images"
    assert library.column(same) == [True], "nothing was changed"
