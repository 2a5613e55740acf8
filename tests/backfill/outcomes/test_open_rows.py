"""What waits of a table: counted for its report, and released once all of it was read again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from remoteiq_etl.backfill.outcomes.open_rows import OpenRows, count_waiting
from tests.support.library import AUTHORS, BOOKS, Library

QUARANTINED = (
    'INSERT INTO remoteiq_etl.quarantine (source_id, table_name, legacy_table, legacy_key, rule, columns, detail, "row", ignored_at,'
    " first_run, last_run, released_run) VALUES (1, 'books', 'books', %s, 'r', '{}', '', '{}', %s, %s, %s, %s)"
)
HELD = (
    'INSERT INTO remoteiq_etl.held (source_id, table_name, legacy_table, legacy_key, parent_table, parent_key, "column", first_run,'
    " last_run) VALUES (1, 'books', %s, %s, 't', 'p', 'c', 1, 1)"
)


@pytest.fixture
def waiting(library: Library) -> Library:
    """Of books two rows in quarantine, one of them ignored, and one released; one held, and one of another legacy table."""
    run, session = library.context.id, library.context.session
    rows = [("a", None, 1, run, None), ("b", "2024-01-01", 1, 1, None), ("c", None, 1, 1, 1)]
    session.execute_many(QUARANTINED, rows)
    session.execute_many(HELD, [("books", "d"), ("others", "e")])
    session.execute(
        "INSERT INTO remoteiq_etl.decision_warnings (source_id, table_name, rule, legacy_table, legacy_key, run_id)"
        " VALUES (1, 'books', 'r', 't', 'k', 1)"
    )
    return library


def test_open_rows_are_counted_of_the_legacy_tables_that_an_asset_reads(waiting: Library) -> None:
    context = replace(waiting.context, started_at=waiting.context.started_at - timedelta(hours=1))
    both = count_waiting(context, [BOOKS, AUTHORS])
    found, others = both["books"], both["authors"]
    assert (found.quarantined, found.ignored, found.held, found.conflicts, found.warnings) == (2, 1, 1, 0, 1)
    assert (found.run, found.oldest is not None, found.swept) == (context.id, True, None)
    assert 3600 <= found.behind < 4200
    assert (others.quarantined, others.held, others.warnings, others.oldest) == (0, 0, 0, None)


def test_lists_are_asked_once_whether_they_have_open_rows_of_a_table(waiting: Library) -> None:
    session, open_rows = waiting.context.session, OpenRows(waiting.context)
    assert (open_rows.waiting("books"), open_rows.waiting("authors")) == (["quarantine", "held"], [])
    session.execute("DELETE FROM remoteiq_etl.held")
    assert open_rows.waiting("books") == ["quarantine", "held"]
    assert OpenRows(waiting.context).waiting("books") == ["quarantine"]
    assert not OpenRows(waiting.context).has_left_out("books")
    session.execute(
        "INSERT INTO remoteiq_etl.left_out (source_id, table_name, legacy_table, legacy_key, outcome, rule, run_id)"
        " VALUES (1, 'books', 'books', 'x', 'filtered', 'r', 1)"
    )
    assert OpenRows(waiting.context).has_left_out("books")
    assert not open_rows.has_conflicts("books")


def test_what_waited_and_was_read_without_being_refused_again_is_released(waiting: Library) -> None:
    """Row a was refused by this run as well; the held row of another legacy table was not read."""
    open_rows = OpenRows(waiting.context)
    open_rows.release_rest(BOOKS)
    still = "SELECT legacy_key FROM remoteiq_etl.quarantine WHERE released_run IS NULL UNION ALL SELECT legacy_key FROM remoteiq_etl.held"
    assert waiting.column(f"{still} WHERE released_run IS NULL ORDER BY 1") == ["a", "e"]
    assert waiting.column("SELECT released_run FROM remoteiq_etl.held WHERE legacy_key = 'd'") == [waiting.context.id]


def test_a_run_has_new_ones_when_it_listed_a_row_first_or_released_one(waiting: Library) -> None:
    session, run = waiting.context.session, waiting.context.id
    assert not OpenRows(waiting.context).has_new(BOOKS)
    for column in ("first_run", "released_run"):
        with session.connection.transaction(force_rollback=True):
            session.execute(f"UPDATE remoteiq_etl.held SET {column} = %s", [run])
            assert OpenRows(waiting.context).has_new(BOOKS)
            assert not OpenRows(waiting.context).has_new(AUTHORS)
