"""How many rows a legacy table has, how many are newer than an asset has seen, and where these lie."""

import pytest

from remoteiq_etl.backfill.change_capture import row_counts
from remoteiq_etl.backfill.change_capture.row_counts import RowCounts
from remoteiq_etl.backfill.change_capture.watermarks import Watermarks
from tests.support.library import AUTHORS, BOOKS, TAGS, Library


@pytest.fixture
def counts(library: Library) -> RowCounts:
    return RowCounts(library.context, Watermarks.read(library.context), library.run.sweep)


def test_newer_rows_are_counted_and_found_where_they_lie(library: Library, counts: RowCounts) -> None:
    """Of four books one was changed and one came since; of the others no place is known."""
    horizon = counts.watermarks.passes["books", "books"].horizon
    assert counts.count("books", None) == (4, 4)
    assert counts.count("books", horizon) == (4, 2)
    places = counts.newer_places("books", horizon)
    assert places is not None
    found = "SELECT title FROM books WHERE ctid = ANY (%s::tid[]) ORDER BY 1"
    assert library.context.snapshot.session.rows(found, [list(places)]) == [("Book 5",), ("Changed",)]
    assert counts.newer_places("books", None) is None
    assert counts.rows_of("books") == counts.rows_of("authors") + 1 == 4


def test_places_of_many_rows_are_not_kept(counts: RowCounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_counts, "MOST_KEYS", 1)
    horizon = counts.watermarks.passes["books", "books"].horizon
    assert (counts.count("books", horizon), counts.newer_places("books", horizon)) == ((4, 2), None)


def test_a_row_that_went_is_noticed_though_it_leaves_no_trace(counts: RowCounts) -> None:
    assert counts.has_lost_rows(TAGS, "book_tags")
    assert counts.has_changed(TAGS, "book_tags")
    assert not counts.has_lost_rows(BOOKS, "books"), "one came for one that went; the newer one tells of the change"
    assert counts.has_changed(BOOKS, "books")
    assert not counts.has_changed(AUTHORS, "authors")
