"""What is remembered of each asset between runs."""

from dataclasses import replace

import pytest

from remoteiq_etl.backfill.change_capture.watermarks import (
    Completed,
    Watermarks,
    complete,
    read_completed,
    read_passes,
    write_completed,
)
from remoteiq_etl.errors import FencedError
from tests.support.library import Library

DONE = Completed(7, 5, 6, "a/b/c", "code", {"names": "digest"})


def test_what_is_written_of_an_asset_is_read_by_the_next_run(library: Library) -> None:
    context = library.context
    write_completed(context, "books", DONE)
    assert read_completed(context)["books"] == DONE
    complete(context, "books", replace(DONE, run_id=8, digests={}), {"books": 11, "shelves": 12})
    found = Watermarks.read(context)
    assert found.completed["books"] == replace(DONE, run_id=8, digests={})
    seen = found.passes["books", "books"]
    assert (seen.horizon, seen.legacy_rows, seen.shape) == (context.snapshot.xmin, 11, context.snapshot.shapes["books"])
    assert (found.passes["books", "shelves"].legacy_rows, found.passes["books", "shelves"].shape) == (12, None)
    assert found.passes["book_tags", "book_tags"].legacy_rows == 8, "others stay"


def test_another_source_has_watermarks_of_its_own(library: Library) -> None:
    other = replace(library.context, source_record=replace(library.context.source_record, id=77))
    assert (read_completed(other), read_passes(other)) == ({}, {})


def test_a_run_that_a_later_one_has_replaced_completes_nothing(library: Library) -> None:
    context = library.context
    before = Watermarks.read(context)
    with pytest.raises(FencedError):
        complete(replace(context, fence=context.fence - 1), "books", DONE, {"books": 11})
    assert Watermarks.read(context) == before
