"""Rows that are to be read again: missing in the target, or withheld for want of a key."""

from dataclasses import replace

from remoteiq_etl.backfill.change_capture.reread import to_be_sealed, to_return
from remoteiq_etl.sensitive.sealing import Sealer
from tests.assets.builders import uid
from tests.support.library import BOOKS, Library
from tests.support.undoing import SEALING_KEYS


def test_a_row_that_has_to_be_there_and_is_not_returns(library: Library) -> None:
    """Where the declared column had a value; of a table that declares none, nothing returns."""
    library.context.session.execute(f"DELETE FROM books WHERE id IN ('{uid(1)}', '{uid(2)}')")
    library.context.session.execute(
        f"UPDATE remoteiq_etl.legacy_books_map SET last_written = last_written - 'isbn' WHERE legacy_key = '{uid(2)}'"
    )
    assert to_return(library.context, replace(BOOKS, returns_with="isbn")) == [("books", uid(1))]
    assert to_return(library.context, BOOKS) == []


def test_withheld_secrets_are_read_again_once_there_is_a_key(library: Library) -> None:
    columns = 'source_id, legacy_table, legacy_key, table_name, "column", rule, value, withheld, run_id'
    rows = ", ".join(f"(1, 'books', '{uid(number)}', 'books', 'pin', 'r', NULL, {number == 1}, 1)" for number in (1, 2))
    library.context.session.execute(f"INSERT INTO remoteiq_etl.legacy_archive ({columns}) VALUES {rows}")
    assert to_be_sealed(library.context, BOOKS) == []
    keyed = replace(library.context, plan=replace(library.context.plan, sealing_keys=SEALING_KEYS))
    assert isinstance(keyed.sealer, Sealer)
    assert to_be_sealed(keyed, BOOKS) == [("books", uid(1))]
