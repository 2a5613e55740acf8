"""A row that several legacy rows became goes on under another of them when the one it was written from is gone."""

from dataclasses import replace

import pytest

from remoteiq_etl.backfill.load.survivors import take_over
from tests.assets.builders import uid
from tests.support.library import AUTHORS, Library, author

ANN = "SELECT legacy_key, state FROM remoteiq_etl.legacy_authors_map WHERE new_key = %s ORDER BY 1"


#: As if Ann's row had been written from an author whom legacy has no more.
GONE = f"UPDATE remoteiq_etl.legacy_authors_map SET legacy_key = '{uid(100)}' WHERE legacy_key = '{uid(101)}'"


def test_a_merged_key_takes_the_row_over_once_its_former_key_is_gone_from_legacy(library: Library) -> None:
    library.context.session.execute(GONE)
    take_over(library.context, AUTHORS, "authors", library.staged("authors", author(103)))
    assert library.rows(ANN, uid(101)) == [(uid(100), "merged"), (uid(103), "live")]


def test_a_key_that_legacy_still_has_keeps_its_row(library: Library) -> None:
    take_over(library.context, AUTHORS, "authors", library.staged("authors", author(103)))
    assert library.rows(ANN, uid(101)) == [(uid(101), "live"), (uid(103), "merged")]


@pytest.mark.parametrize("why", ["log-like", "nothing decided", "staged itself", "not merged"])
def test_otherwise_every_key_stays_what_it_is(library: Library, why: str) -> None:
    spec = {"log-like": replace(AUTHORS, log_like=True), "nothing decided": replace(AUTHORS, decide=None)}.get(
        why, AUTHORS
    )
    library.context.session.execute(GONE)
    rows = {"staged itself": (author(103), author(100)), "not merged": (author(102),)}.get(why, (author(103),))
    take_over(library.context, spec, "authors", library.staged("authors", *rows))
    assert library.rows(ANN, uid(101)) == [(uid(100), "live"), (uid(103), "merged")]
