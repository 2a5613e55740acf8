"""Each change of the number of rows that are ours is written beside the change itself."""

from remoteiq_etl.backfill.outcomes import movements
from remoteiq_etl.backfill.outcomes.movements import Cause
from tests.assets.builders import uid
from tests.support.library import BOOKS, Library, book

BOOK = 'SELECT cause, "rows", change, run_id, undo_id FROM remoteiq_etl.movements WHERE table_name = %s AND id > %s ORDER BY cause'


def entries(library: Library, after: int) -> list[tuple[object, ...]]:
    return library.rows(BOOK, "books", after)


def test_runs_and_undos_add_to_it_and_no_change_is_no_entry(library: Library) -> None:
    run, (last,) = library.context, library.column("SELECT max(id) FROM remoteiq_etl.movements")
    movements.of_run(run, "books", Cause.REPLACED, -2)
    movements.of_run(run, "books", Cause.MERGED, 0)
    movements.of_undo(run.session, run.state, 1, 7, "books", Cause.RESTORED, 3)
    assert entries(library, last) == [("replaced", 2, -2, run.id, None), ("restored", 3, 3, None, 7)]


def test_a_batch_tells_what_became_live_and_what_ceased_to_be(library: Library) -> None:
    """A row that was there is no change; one whose key led to none of its own is found again."""
    session, (last,) = library.context.session, library.column("SELECT max(id) FROM remoteiq_etl.movements")
    session.execute(
        f"DELETE FROM books WHERE id IN ('{uid(1)}', '{uid(2)}');"
        f" UPDATE remoteiq_etl.legacy_books_map SET state = 'deleted' WHERE legacy_key IN ('{uid(2)}', '{uid(3)}')"
    )
    merge = library.staged("books", book(1), book(2), book(3), book(4, title="New"), book(7))
    actions = merge.classify(session)
    assert actions == {"deleted in target": 2, "unchanged": 1, "updated": 1, "inserted": 1}
    movements.of_batch(library.context, BOOKS)
    run = library.context.id
    assert entries(library, last) == [
        ("deleted in target", 1, -1, run, None), ("found again", 1, 1, run, None), ("inserted", 1, 1, run, None),
    ]  # fmt: skip
