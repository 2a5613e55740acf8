"""What every step of a run may know."""

from dataclasses import replace

import pytest

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.errors import FencedError
from remoteiq_etl.sensitive.sealing import Sealer
from remoteiq_etl.spec.decisions import Decide, Decided
from remoteiq_etl.spec.table import TableSpec
from tests.support.library import AUTHORS, BOOKS, SPECS, Library
from tests.support.undoing import SEALING_KEYS


def planned(library: Library, **changes: object) -> RunContext:
    return replace(library.context, plan=replace(library.context.plan, **changes))  # type: ignore[arg-type]


def test_a_first_load_finds_neither_rows_nor_map_and_a_plan_makes_none(library: Library) -> None:
    assert not library.context.is_first_load(BOOKS)
    library.context.session.execute(
        "DELETE FROM book_tags; DELETE FROM books; DELETE FROM remoteiq_etl.legacy_books_map"
    )
    assert library.context.is_first_load(BOOKS)
    assert not planned(library, planning=True).is_first_load(BOOKS)


def test_declarations_are_given_with_the_columns_that_the_target_has(library: Library) -> None:
    library.context.session.execute("ALTER TABLE books ADD stars int; CREATE TABLE shelves (id int)")
    context = planned(library)
    assert "stars" in context.live_spec("books").target.columns
    assert "stars" not in context.spec("books").target.columns
    assert (context.has_target("shelves"), context.has_target("none")) == (True, False)


def test_an_entity_has_every_asset_that_writes_its_rows(library: Library) -> None:
    seeds = replace(BOOKS, asset_name="books_seeds")
    assert planned(library, specs={**SPECS, "books_seeds": seeds}).writers("books") == ["books", "books_seeds"]
    assert library.context.writers("shelves") == []


def test_time_zones_are_those_of_the_target_where_they_are_asked_for(library: Library) -> None:
    assert library.context.time_zones(BOOKS) == {"UTC"}
    assert {"UTC", "Europe/Vienna"} < library.context.time_zones(replace(BOOKS, time_zones=True))


def test_what_a_plan_would_write_is_kept_of_tables_whose_history_another_records(library: Library) -> None:
    steps: dict[str, TableSpec] = {
        "authors": replace(AUTHORS, decide=Decide({}, lambda *_: Decided(), history=("books",)))
    }
    context = planned(library, specs=steps, sealing_keys=SEALING_KEYS)
    assert context.planned_writes == {"books": []}
    assert isinstance(context.sealer, Sealer)
    assert (library.context.planned_writes, library.context.sealer) == ({}, None)


def test_a_run_that_lost_its_place_is_told_with_its_number(library: Library) -> None:
    library.context.check_fence()
    with pytest.raises(FencedError, match=f"run {library.context.id} has fencing token -1"):
        replace(library.context, fence=-1).check_fence()
