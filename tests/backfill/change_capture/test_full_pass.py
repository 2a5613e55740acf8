"""Why an asset is read as a whole, although some of it may be as before."""

from dataclasses import replace

import pytest

from remoteiq_etl.backfill.change_capture.capture import Capture
from remoteiq_etl.backfill.change_capture.full_pass import FullPass
from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.spec.dependencies import inputs_of
from remoteiq_etl.spec.table import TableSpec
from tests.support.library import AUTHORS, BOOKS, TAGS, Library

ASSETS, PASSES = "UPDATE remoteiq_etl.assets SET", "UPDATE remoteiq_etl.passes SET"
STATEMENTS = {
    "DELETE FROM remoteiq_etl.assets": "first pass",
    "DELETE FROM remoteiq_etl.passes WHERE legacy_table = 'books'": "first pass",
    f"{ASSETS} fingerprint = ''": "reset",
    f"{ASSETS} fingerprint = 'unsettled'": "a table that it refers to failed in the run that loaded it",
    f"{ASSETS} fingerprint = 'another'": "its rules, words or options have changed",
    f"{ASSETS} database = 'another'": "another database than before",
    f"{PASSES} horizon = horizon + 1000000": "the source's transactions are older than at the last run",
    f"{PASSES} horizon = horizon - 2^31": "the last run is too many transactions ago",
    f'{PASSES} shape = shape || \'{{"columns": "others"}}\'': "books was altered since (its columns)",
    f"{PASSES} legacy_rows = 1": "books has more rows than were written since",
    f"{ASSETS} changed_run = 999 WHERE table_name = 'authors'": "the map of authors changed",
    "DELETE FROM book_tags; DELETE FROM books; DELETE FROM remoteiq_etl.legacy_books_map": "target and map are empty",
}


def full_pass(library: Library, context: RunContext) -> FullPass:
    return Capture(context, library.run.sweep).full_pass


def why(library: Library, spec: TableSpec = BOOKS, **plan: object) -> str | None:
    context = replace(library.context, plan=replace(library.context.plan, **plan))  # type: ignore[arg-type]
    return full_pass(library, context).why(spec, inputs_of(spec))


@pytest.mark.parametrize("statement", STATEMENTS)
def test_each_reason_is_told_in_words(library: Library, statement: str) -> None:
    assert why(library) is None
    library.context.session.execute(statement)
    found = why(library)
    assert found is not None
    assert found.startswith(STATEMENTS[statement])


def test_what_was_asked_for_needs_no_other_reason(library: Library) -> None:
    assert why(library, mode=Mode.FULL) == "asked for"
    assert why(library, recreate={"books": frozenset()}) == "asked for"
    assert why(library, AUTHORS, redecide=frozenset({"authors"})) == "asked for"
    assert why(library, AUTHORS, redecide=frozenset({"books"})) is None


def test_a_set_wise_table_that_lost_rows_is_read_as_a_whole(library: Library) -> None:
    assert why(library, TAGS) == "book_tags changed"
    assert why(library, AUTHORS) is None


def test_what_was_seen_of_a_table_says_nothing_once_all_of_it_may_be_otherwise(library: Library) -> None:
    """Neither after a reset, nor where the table was altered or restored, nor of one that the asset never read."""
    (horizon,) = library.column(
        "SELECT horizon FROM remoteiq_etl.passes WHERE table_name = 'books' AND legacy_table = 'books'"
    )
    assert full_pass(library, library.context).seen_up_to(BOOKS, "books") == horizon
    assert full_pass(library, library.context).seen_up_to(BOOKS, "authors") is None
    altered = f'{PASSES} shape = shape || \'{{"columns": "others"}}\''
    for statement in (altered, f"{ASSETS} fingerprint = ''", f"{PASSES} horizon = horizon + 1000000"):
        with library.context.session.connection.transaction(force_rollback=True):
            library.context.session.execute(statement)
            assert full_pass(library, library.context).seen_up_to(BOOKS, "books") is None
