"""The maps that transforms read: once per run until they change, and in a plan with what it would have added."""

from dataclasses import replace

import pandas as pd
import pytest

from remoteiq_etl.backfill.context.prepared import ADOPTED
from remoteiq_etl.backfill.transform.lookups import Lookups
from remoteiq_etl.spec.batch import Disposal
from remoteiq_etl.spec.decisions import Decision
from remoteiq_etl.spec.outcomes import Outcome
from tests.assets.builders import uid
from tests.support.library import BOOKS, Library, author, book

WANTED = [("books", "books"), ("authors", "authors")]


def find(lookups: Lookups, entity: str, *keys: str) -> list[str | None]:
    found = lookups.get(entity, entity).find(pd.Series(list(keys)))
    return [None if pd.isna(key) else key for key in found]


@pytest.fixture
def planned(library: Library) -> Lookups:
    return Lookups(replace(library.context, plan=replace(library.context.plan, planning=True)), WANTED)


def test_a_map_is_read_once_until_its_table_changes(library: Library) -> None:
    """That of the table in work is read every time."""
    lookups = Lookups(library.context, WANTED)
    assert find(lookups, "authors", uid(103), uid(102), "none") == [uid(101), uid(102), None]
    one, own = lookups.get("authors", "authors"), lookups.get("books", "books", own=True)
    assert lookups.get("authors", "authors") is one
    assert lookups.get("books", "books", own=True) is not own
    lookups.forget("books")
    assert lookups.get("authors", "authors") is one
    lookups.forget("authors")
    assert lookups.get("authors", "authors") is not one


def test_a_plan_finds_what_it_would_have_mapped(library: Library, planned: Lookups) -> None:
    """Inserted, adopted, merged and quarantined; what is committed wins over what is planned."""
    prepared = library.prepared("books", book(7), book(8), book(1, id=uid(99)))
    prepared.rows = prepared.rows.assign(**{ADOPTED: [False, True, False]})
    prepared.disposals = [Disposal("bad", Outcome.QUARANTINED, "r"), Disposal("late", Outcome.HELD, "r")]
    assert find(planned, "books", uid(7)) == [None]
    planned.written(
        BOOKS, "books", prepared, [("books", uid(9), "equal", uid(7)), ("others", uid(10), "equal", uid(7))]
    )
    assert find(planned, "books", uid(7), uid(8), uid(9), uid(10), uid(1)) == [uid(7), uid(8), uid(7), None, uid(1)]
    found = planned.get("books", "books")
    assert (found.adopted, found.quarantined) == ({uid(8)}, {"bad"})


def test_a_run_remembers_nothing_that_it_has_not_committed(library: Library) -> None:
    lookups = Lookups(library.context, WANTED)
    lookups.written(BOOKS, "books", library.prepared("books", book(7)), [])
    assert find(lookups, "books", uid(7)) == [None]
    unwanted = Lookups(replace(library.context, plan=replace(library.context.plan, planning=True)), [])
    unwanted.written(replace(BOOKS), "books", library.prepared("books", book(7)), [])
    assert find(unwanted, "books", uid(7)) == [None]


def test_a_plan_finds_decisions_and_follows_a_key_that_stands_for_another_row(
    library: Library, planned: Lookups
) -> None:
    same = Decision("authors", "text", "r", {"same_as": ["authors", uid(109)]})
    planned.decided(
        "authors",
        [
            same,
            Decision("authors", "named", "r", new_key=uid(102)),
            Decision("books", "b", "r", {"x": 1}, entity="books"),
        ],
    )
    assert find(planned, "authors", "text", "named") == [None, uid(102)], "the row that it stands for has no id yet"
    planned.written(library.spec("authors"), "authors", library.prepared("authors", author(109)), [])
    assert find(planned, "authors", "text") == [uid(109)]
    assert planned.get("authors", "authors").decisions["text"] == {"same_as": ["authors", uid(109)]}
    assert planned.get("books", "books").decisions == {"b": {"x": 1}}
