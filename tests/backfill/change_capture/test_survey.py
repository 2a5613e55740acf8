"""What tells that a table is as it was, asked of all tables at once."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from remoteiq_etl.backfill.change_capture.survey import TableSurvey
from remoteiq_etl.backfill.change_capture.watermarks import complete
from tests.assets.builders import uid
from tests.support.library import AUTHORS, BOOKS, Library

QUARANTINED = (
    'INSERT INTO remoteiq_etl.quarantine (source_id, table_name, legacy_table, legacy_key, rule, columns, detail, "row", first_run,'
    " last_run, released_run) VALUES (1, %s, %s, %s, 'r', '{}', '', '{}', 1, 1, %s)"
)
RESET = (
    "INSERT INTO remoteiq_etl.resets (source_id, table_name, legacy_table, legacy_key, take_legacy, recreate, figures, actor)"
    " VALUES (1, %s, %s, %s, false, false, '{}', 'me')"
)


@pytest.fixture
def statements(library: Library) -> Iterator[list[str]]:
    """The statements of the session on the target while a test runs."""
    seen: list[str] = []
    session = library.context.session
    observed = session.database
    session.database = replace(observed, observer=seen.append)
    yield seen
    session.database = observed


def test_rows_that_wait_and_those_that_were_forgotten_are_read_again(library: Library) -> None:
    """One that was released is none of them, a reset of the whole table names no row, and one of another asset is not ours."""
    session, survey = library.context.session, TableSurvey(library.context)
    session.execute_many(QUARANTINED, [("books", "books", uid(2), None), ("books", "books", uid(3), 1)])
    session.execute_many(RESET, [("books", "books", uid(1)), ("books", None, None), ("authors", "authors", uid(101))])
    assert survey.rows_to_read_again(BOOKS) == [("books", uid(2)), ("books", uid(1))]
    assert survey.rows_to_read_again(AUTHORS) == [("authors", uid(101))]
    done = library.run.capture.watermarks.completed["books"]
    complete(library.context, "books", done, {"books": 4})
    assert survey.rows_to_read_again(BOOKS) == [("books", uid(2))]
    assert library.column("SELECT table_name FROM remoteiq_etl.resets WHERE run_id IS NULL") == ["authors"]


def test_announced_tables_are_asked_about_in_one_statement(library: Library, statements: list[str]) -> None:
    survey = TableSurvey(library.context)
    survey.announce([AUTHORS, BOOKS])
    before = len(statements)
    for ask in (survey.rows_to_read_again, survey.has_deleted, survey.is_unmapped, survey.waiting, survey.archived):
        for spec in (AUTHORS, BOOKS, AUTHORS):
            ask(spec)
    assert len(statements) - before == 5


def test_a_table_that_was_loaded_is_asked_about_again(library: Library) -> None:
    """The answers about others hold; about how far behind they are, by as much longer as it took."""
    survey = TableSurvey(library.context)
    survey.announce([AUTHORS, BOOKS])
    first = survey.waiting(AUTHORS)
    assert (survey.waiting(BOOKS).quarantined, survey.has_deleted(BOOKS)) == (0, False)
    session = library.context.session
    session.execute_many(QUARANTINED, [(name, name, uid(2), None) for name in ("books", "authors")])
    session.execute(f"DELETE FROM books WHERE id = '{uid(1)}'")
    assert (survey.waiting(BOOKS).quarantined, survey.has_deleted(BOOKS)) == (0, False)
    assert (survey.forget(BOOKS), survey.forget(BOOKS)) == (True, False)
    assert (survey.waiting(BOOKS).quarantined, survey.has_deleted(BOOKS)) == (1, True)
    again = survey.waiting(AUTHORS)
    assert (again.quarantined, again.behind > first.behind) == (0, True)
