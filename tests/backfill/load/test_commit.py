"""The commit of one batch: target rows, map, ledger and lists in one transaction, or nothing of it."""

from dataclasses import replace

import pytest

from remoteiq_etl.backfill.change_capture.capture import Capture
from remoteiq_etl.backfill.context.prepared import PreparedBatch
from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.load.commit import BatchWriter
from remoteiq_etl.backfill.load.merge_statements import Merge
from remoteiq_etl.backfill.outcomes.open_rows import OpenRows
from remoteiq_etl.config.conflicts import ConflictPolicies, ConflictPolicy
from remoteiq_etl.errors import ConflictError, ConservationError, FencedError
from remoteiq_etl.spec.batch import Batch, Disposal, Kept
from remoteiq_etl.spec.outcomes import Outcome
from tests.assets.builders import uid
from tests.support.library import BOOKS, Library, book

LEDGER = "SELECT batch, read, outcomes, warnings FROM remoteiq_etl.ledger WHERE run_id = %s ORDER BY batch"
MOVED = "SELECT cause, change FROM remoteiq_etl.movements WHERE run_id = %s"
BOOK_7 = "SELECT title FROM books WHERE id = %s"


def changed(library: Library, batch: PreparedBatch) -> PreparedBatch:
    """With a legacy row more, which is quarantined, and a value of another that is archived."""
    batch.batch = Batch(batch.legacy, archive=[Kept(uid(7), "pin", "hush", "no_home")])
    batch.disposals.append(Disposal("bad", Outcome.QUARANTINED, "unknown_word", ("title",), "why"))
    batch.read += 1
    return batch


def given(library: Library) -> tuple[PreparedBatch, Merge]:
    prepared = changed(library, library.prepared("books", book(1, title="New"), book(2), book(7)))
    return prepared, library.merge("books", prepared)


def test_a_batch_is_committed_with_its_account_and_all_that_is_recorded_beside_it(library: Library) -> None:
    run, report = library.context.id, TableReport("books")
    capture = Capture(library.context, library.run.sweep)
    writer = BatchWriter(library.context, BOOKS, report, OpenRows(library.context), capture)
    writer.write(*given(library))
    outcomes = {"updated": 1, "unchanged": 1, "inserted": 1, "quarantined": 1}
    assert library.rows(LEDGER, run) == [(1, 4, outcomes, {"secret_withheld": 1})]
    assert library.rows(MOVED, run) == [("inserted", 1)]
    assert library.rows("SELECT legacy_key, rule, first_run FROM remoteiq_etl.quarantine") == [
        ("bad", "unknown_word", run)
    ]
    assert library.rows('SELECT legacy_key, "column", withheld FROM remoteiq_etl.legacy_archive') == [
        (uid(7), "pin", True)
    ]
    assert {
        outcome.value: writer.report.total(outcome) for outcome in Ledger if writer.report.total(outcome)
    } == outcomes
    assert library.column("SELECT changed_run FROM remoteiq_etl.assets WHERE table_name = 'books'") == [run]


def test_of_a_batch_that_does_not_add_up_nothing_is_committed(library: Library) -> None:
    prepared, merge = given(library)
    prepared.read += 1
    writer = library.writer("books")
    with pytest.raises(ConservationError, match="books from books: a batch of 5 rows accounts for 4"):
        writer.write(prepared, merge)
    assert library.column(BOOK_7, uid(7)) == []
    assert writer.report.accounts == {}


def test_a_run_that_lost_its_place_commits_nothing(library: Library) -> None:
    context = replace(library.context, fence=-1)
    writer = library.writer("books", context)
    with pytest.raises(FencedError):
        writer.write(*given(library))
    assert library.column(BOOK_7, uid(7)) == []


def test_a_plan_counts_and_takes_all_of_it_back(library: Library) -> None:
    context = replace(library.context, plan=replace(library.context.plan, planning=True))
    writer = library.writer("books", context)
    writer.write(*given(library))
    assert (writer.report.total(Ledger.INSERTED), writer.report.total(Ledger.UPDATED)) == (1, 1)
    assert (library.column(BOOK_7, uid(7)), library.rows(LEDGER, context.id)) == ([], [])


def test_a_policy_that_fails_leaves_nothing_but_the_list_of_conflicts(own_library: Library) -> None:
    session = own_library.context.session
    session.execute("UPDATE books SET title = 'By hand'")
    plan = replace(own_library.context.plan, conflicts=ConflictPolicies(ConflictPolicy.FAIL))
    context = replace(own_library.context, plan=plan)
    writer = own_library.writer("books", context)
    with pytest.raises(ConflictError):
        writer.write(*given(own_library))
    assert own_library.column(BOOK_7, uid(7)) == []
    assert own_library.column("SELECT legacy_key FROM remoteiq_etl.conflicts") == [uid(1)]


def test_a_first_load_is_compared_only_once_the_target_refuses_a_row(library: Library) -> None:
    session = library.context.session
    session.execute("DELETE FROM book_tags; DELETE FROM books; DELETE FROM remoteiq_etl.legacy_books_map")
    prepared = library.prepared("books", book(7), book(8, isbn="isbn-7"))
    writer = library.writer("books")
    writer.report.first_load = True
    writer.may_wait = False
    writer.write(prepared, library.merge("books", prepared))
    assert library.column("SELECT title FROM books") == ["Book 7"]
    assert [(one.key, one.rule) for one in prepared.disposals] == [(uid(8), "unique_violation")]
    assert library.rows(MOVED, library.context.id) == [("inserted", 1)]


def test_rows_that_wait_for_a_value_are_no_part_of_the_batch(library: Library) -> None:
    """They come again at the end of the table, and are counted then."""
    prepared = library.prepared("books", book(1, isbn="isbn-4"), book(7))
    writer = library.writer("books")
    writer.write(prepared, library.merge("books", prepared))
    assert [(one.legacy_table, one.keys) for one in writer.waiting] == [("books", [uid(1)])]
    assert library.rows(LEDGER, library.context.id) == [(1, 1, {"inserted": 1}, {})]


def test_a_row_that_is_written_waits_no_longer_and_was_not_left_out(library: Library) -> None:
    session = library.context.session
    session.execute(
        'INSERT INTO remoteiq_etl.held (source_id, table_name, legacy_table, legacy_key, parent_table, parent_key, "column",'
        f" first_run, last_run) SELECT 1, 'books', 'books', k, 't', 'p', 'c', 1, 1 FROM unnest('{{{uid(7)},{uid(8)}}}'::text[]) AS k"
    )
    prepared = library.prepared("books", book(7))
    library.writer("books").write(prepared, library.merge("books", prepared))
    assert library.column("SELECT legacy_key FROM remoteiq_etl.held WHERE released_run IS NULL") == [uid(8)]


def test_merged_keys_lead_to_the_row_of_their_winner(library: Library) -> None:
    """That a live row went is told to the journal; what leads there already is not counted again."""
    writer = library.writer("books")
    assert (
        writer.write_merged(
            [("books", uid(2), "equal", uid(1)), ("books", "new", "equal", uid(1)), ("books", "x", "equal", "none")]
        )
        == 2
    )
    merged = (
        "SELECT legacy_key, rule FROM remoteiq_etl.legacy_books_map WHERE state = 'merged' AND new_key = %s ORDER BY 1"
    )
    assert library.rows(merged, uid(1)) == [(uid(2), "equal"), ("new", "equal")]
    assert library.rows(MOVED, library.context.id) == [("merged away", -1)]
    assert writer.write_merged([("books", uid(2), "equal", uid(1))]) == 0
