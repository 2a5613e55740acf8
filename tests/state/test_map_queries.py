"""What several steps ask a table and its map."""

from dataclasses import replace

from remoteiq_etl.state.map_queries import (
    count_target,
    deleted_in_target,
    follow_same_as,
    hand_over,
    has_merged,
    unmapped,
)
from tests.assets.builders import uid
from tests.support.library import AUTHORS, BOOKS, Library

ENTRIES = "SELECT new_key::text, state FROM remoteiq_etl.legacy_{}_map WHERE legacy_key = %s"


def test_a_table_is_unmapped_while_neither_it_nor_its_map_has_a_row(library: Library) -> None:
    """A map of another source does not count, rows of anyone do."""
    context = library.context
    library.context.session.execute("DELETE FROM book_tags; DELETE FROM books")
    assert unmapped(context, [BOOKS, AUTHORS]) == {"books": False, "authors": False}
    other = replace(context, source_record=replace(context.source_record, id=77))
    assert unmapped(other, [BOOKS, AUTHORS]) == {"books": True, "authors": False}
    assert (count_target(context, BOOKS), count_target(context, AUTHORS)) == (0, 2)
    library.context.session.execute("DELETE FROM remoteiq_etl.legacy_books_map")
    assert unmapped(context, [BOOKS]) == {"books": True}
    assert unmapped(context, []) == {}


def test_a_row_that_is_gone_is_deleted_until_that_is_noted(library: Library) -> None:
    assert deleted_in_target(library.context, [BOOKS, AUTHORS]) == {"books": False, "authors": False}
    library.context.session.execute(f"DELETE FROM books WHERE id = '{uid(1)}'")
    assert deleted_in_target(library.context, [BOOKS, AUTHORS]) == {"books": True, "authors": False}
    library.context.session.execute("UPDATE remoteiq_etl.legacy_books_map SET state = 'deleted'")
    assert deleted_in_target(library.context, [BOOKS]) == {"books": False}


def test_a_table_has_merged_keys_when_one_leads_to_the_row_of_another(library: Library) -> None:
    assert has_merged(library.context, AUTHORS)
    assert not has_merged(library.context, BOOKS)


def test_a_key_that_stands_for_another_row_leads_where_that_one_does(library: Library) -> None:
    """Once: afterwards nothing leads elsewhere."""
    library.context.session.execute(
        "UPDATE remoteiq_etl.legacy_books_map SET state = 'decided', new_key = NULL, decision ="
        " jsonb_build_object('same_as', jsonb_build_array('books', %s::text)) WHERE legacy_key = %s",
        [uid(1), uid(2)],
    )
    assert follow_same_as(library.context, BOOKS, library.context.id) == 1
    assert library.rows(ENTRIES.format("books"), uid(2)) == [(uid(1), "decided")]
    assert follow_same_as(library.context, BOOKS, library.context.id) == 0


def test_a_row_is_handed_over_with_what_was_last_written_to_it(library: Library) -> None:
    """The former key still leads there; a key without a row hands nothing over."""
    last = "SELECT written_hash, last_written, inserted_run FROM remoteiq_etl.legacy_authors_map WHERE legacy_key = %s"
    before = library.rows(last, uid(101))
    hand_over(library.context, AUTHORS, library.context.id, ("authors", uid(103)), ("authors", uid(102)))
    assert library.rows(ENTRIES.format("authors"), uid(102)) == [(uid(102), "live")]
    hand_over(library.context, AUTHORS, library.context.id, ("authors", uid(101)), ("authors", uid(103)))
    assert library.rows(ENTRIES.format("authors"), uid(101)) == [(uid(101), "merged")]
    assert library.rows(ENTRIES.format("authors"), uid(103)) == [(uid(101), "live")]
    assert library.rows(last, uid(103)) == before
