"""Rows that exist only as long as something else says so: what a complete read no longer yields goes, if it is ours."""

from dataclasses import replace

import pytest

from remoteiq_etl.backfill.deletes.owned_rows import present_owners, remove_replaced, removing_sources
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.table import Derived, TableSpec
from tests.assets.builders import uid
from tests.support.library import BOOKS, TAGS, Library

THERE = "SELECT count(*) FROM book_tags"
NOTHING: set[tuple[str, str]] = set()


def tags(*books: int) -> set[tuple[str, str]]:
    return {("book_tags", key_text([uid(book), tag])) for book in books for tag in ("long", "old")}


def test_what_was_not_seen_goes_with_an_image_and_comes_back_under_the_same_key(library: Library) -> None:
    """Tags of book 4 stay: it is gone from legacy itself, which is the operator's to decide."""
    assert remove_replaced(library.context, TAGS, tags(1, 2), set()) == 2
    assert sorted(set(library.column("SELECT book_id::text FROM book_tags"))) == [uid(1), uid(2), uid(4)]
    image = "SELECT operation, image ->> 'tag', run_id FROM remoteiq_etl.before_images ORDER BY 2"
    assert library.rows(image) == [("delete", tag, library.context.id) for tag in ("long", "old")]
    gone = "SELECT count(*) FROM remoteiq_etl.legacy_book_tags_map WHERE state = 'gone' AND written_hash IS NULL AND new_key IS NOT NULL"
    assert library.column(gone) == [2]
    assert library.rows("SELECT cause, change FROM remoteiq_etl.movements WHERE run_id = %s", library.context.id) == [
        ("replaced", -2)
    ]


@pytest.mark.parametrize("why", ["their owner waits", "the legacy table is empty", "adopted", "kept by a trigger"])
def test_what_there_is_a_reason_for_stays(library: Library, why: str) -> None:
    session = library.context.session
    if why == "adopted":
        session.execute("UPDATE remoteiq_etl.legacy_book_tags_map SET adopted = true")
    if why == "kept by a trigger":
        session.execute(
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;"
            " CREATE TRIGGER keep BEFORE DELETE ON book_tags FOR EACH ROW EXECUTE FUNCTION keep()"
        )
    waiting = {uid(3)} if why == "their owner waits" else set()
    emptied = ["book_tags"] if why == "the legacy table is empty" else []
    assert remove_replaced(library.context, TAGS, tags(1, 2), waiting, emptied) == 0
    assert library.column(THERE) == [8]
    assert library.column("SELECT count(*) FROM remoteiq_etl.before_images") == [0]
    warned = library.column("SELECT rule FROM remoteiq_etl.decision_warnings")
    assert warned == (["kept_by_target"] * 2 if why == "kept by a trigger" else [])


@pytest.fixture
def derived(library: Library) -> TableSpec:
    """As if books were derived rows, whose tags go with them."""
    library.context.session.execute("UPDATE remoteiq_etl.legacy_book_tags_map SET legacy_table = 'books'")
    return replace(BOOKS, sources=(Derived(BOOKS.streamed[0].transform, "books", removes=True, takes=("book_tags",)),))


def test_a_derived_row_goes_with_the_rows_that_it_takes(library: Library, derived: TableSpec) -> None:
    seen = {("books", uid(number)) for number in (2, 3, 4)}
    assert remove_replaced(library.context, derived, seen, set()) == 1
    assert (library.column("SELECT count(*) FROM books"), library.column(THERE)) == ([3], [6])


@pytest.mark.parametrize(
    "edit",
    [
        f"UPDATE books SET title = 'By hand' WHERE id = '{uid(1)}'",
        f"INSERT INTO book_tags VALUES ('{uid(1)}', 'by hand')",
        f"DELETE FROM book_tags WHERE book_id = '{uid(1)}' AND tag = 'old'",
    ],
)
def test_a_row_that_somebody_edited_stays_with_all_that_goes_with_it(
    library: Library, derived: TableSpec, edit: str
) -> None:
    library.context.session.execute(edit)
    before = library.column(THERE)
    assert remove_replaced(library.context, derived, {("books", uid(number)) for number in (2, 3, 4)}, set()) == 0
    assert (library.column("SELECT count(*) FROM books"), library.column(THERE)) == ([4], before)
    assert library.column("SELECT count(*) FROM remoteiq_etl.decision_warnings") == [0], "not even tried"


def test_only_sources_that_say_so_remove(library: Library) -> None:
    assert removing_sources(TAGS) == ["book_tags"]
    lasting = Derived(BOOKS.streamed[0].transform, "lasting")
    assert removing_sources(
        replace(BOOKS, sources=(*BOOKS.sources, lasting, replace(lasting, name="other", removes=True)))
    ) == ["other"]
    assert present_owners(library.context, TAGS, {uid(1), uid(4)}) == {uid(1)}
    assert present_owners(library.context, BOOKS, {uid(1)}) is None
