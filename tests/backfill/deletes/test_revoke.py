"""What a row grants is taken back once its legacy row is gone and the row itself must not be deleted."""

from dataclasses import replace

from remoteiq_etl.backfill.deletes.revoke import revoke
from remoteiq_etl.spec.table import NOW, OnDelete, Revocation
from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.state.written_columns import current_hash
from tests.assets.builders import uid
from tests.support.library import BOOKS, Library

ON_DELETE = OnDelete((Revocation(sets={"withdrawn_at": NOW, "isbn": "none"}), Revocation("book_tags", "book_id")))
LISTED = (
    "INSERT INTO remoteiq_etl.gone (source_id, table_name, legacy_table, legacy_key, new_key, unit, first_run, last_run)"
    " SELECT source_id, 'books', legacy_table, legacy_key, new_key::text, 'u', %s, %s FROM remoteiq_etl.legacy_books_map"
    " WHERE legacy_key = ANY (%s)"
)


def test_what_is_gone_loses_what_it_grants_once_and_with_an_image_of_each_row(own_library: Library) -> None:
    """A batch at a time. A row that was adopted is not ours to withdraw."""
    library, session = own_library, own_library.context.session
    context = replace(library.context, plan=replace(library.context.plan, batch_rows=1))
    session.execute(LISTED, [context.id, context.id, [uid(2), uid(3), uid(4)]])
    session.execute(f"UPDATE remoteiq_etl.legacy_books_map SET adopted = true WHERE legacy_key = '{uid(2)}'")
    session.execute(f"UPDATE books SET withdrawn_at = '2020-01-01' WHERE id = '{uid(3)}'")
    session.execute("UPDATE books SET isbn = isbn || 'x'; ALTER TABLE books DROP CONSTRAINT uq_books_isbn")
    assert revoke(context, BOOKS, ON_DELETE) == 2
    withdrawn = "SELECT id::text, withdrawn_at < now() - interval '1 year' FROM books WHERE isbn = 'none' ORDER BY 1"
    assert library.rows(withdrawn) == [(uid(3), True), (uid(4), False)], "now() stands only where there was no time"
    assert sorted(set(library.column("SELECT book_id::text FROM book_tags"))) == [uid(1), uid(2)]
    images = "SELECT table_name, operation, count(*) FROM remoteiq_etl.before_images GROUP BY 1, 2 ORDER BY 1"
    assert library.rows(images) == [("book_tags", "delete", 4), ("books", "update", 2)]
    assert library.rows("SELECT legacy_key, outcome, done_run FROM remoteiq_etl.gone ORDER BY 1") == [
        (uid(2), "listed", None), (uid(3), "withdrawn", context.id), (uid(4), "withdrawn", context.id),
    ]  # fmt: skip
    assert library.column("SELECT sum(change) FROM remoteiq_etl.movements WHERE cause = 'withdrawn'") == [-4]
    assert library.column("SELECT count(*) FROM remoteiq_etl.legacy_book_tags_map WHERE state = 'deleted'") == [4]
    outcomes = "SELECT outcomes FROM remoteiq_etl.ledger WHERE run_id = %s"
    assert library.column(outcomes, context.id) == [{"gone from legacy, withdrawn": 1}] * 2
    session.execute("UPDATE books SET withdrawn_at = NULL")
    assert revoke(context, BOOKS, ON_DELETE) == 0, "what somebody grants again stands"


def test_what_is_set_counts_as_last_written_unless_somebody_had_edited_the_row(own_library: Library) -> None:
    """When the row comes back, legacy's value is compared with it."""
    context, session = own_library.context, own_library.context.session
    session.execute(LISTED, [context.id, context.id, [uid(3), uid(4)]])
    session.execute(f"UPDATE books SET title = 'By hand' WHERE id = '{uid(3)}'")
    revoke(context, BOOKS, OnDelete((Revocation(sets={"withdrawn_at": NOW}),)))
    as_written = (
        "SELECT t.id::text FROM {map} AS m JOIN books AS t ON t.id = m.new_key WHERE m.written_hash = {hash}"
        " AND (m.last_written ->> 'withdrawn_at')::timestamptz IS NOT DISTINCT FROM t.withdrawn_at ORDER BY 1"
    )
    names = statement_names(context, BOOKS)
    query = as_written.format(
        map=names["map"].as_string(None), hash=current_hash(context, BOOKS, "books").as_string(None)
    )
    assert own_library.column(query) == [uid(1), uid(2), uid(4)]
