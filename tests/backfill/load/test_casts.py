"""Which staged texts are no value of a column that only a running installation has."""

from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import MetaData

from remoteiq_etl.backfill.load.casts import refuse_type_errors
from remoteiq_etl.backfill.load.merge_statements import Merge
from tests.support.library import BOOKS, Library, book

#: By type the texts of rows 0 and 1; those of row 1 are none of it.
TYPES = {
    "integer": ("7", "seven"), "character varying(5)": ("short", "too long"), "bit(3)": ("101", "1010"), "jsonb": ("{}", "{"),
    "small": ("9", "11"), "smallint": ("32767", "32768"), "timestamp with time zone": ("2024-01-01", "31 February"),
}  # fmt: skip


def cast_to(merge: Merge, kind: str) -> Merge:
    """The same, as if the ISBN were a column of this type."""
    target = BOOKS.target.to_metadata(MetaData(schema="target"))
    target.columns["isbn"].info = {"cast": kind}
    return replace(merge, spec=replace(BOOKS, target=target))


@pytest.mark.parametrize("kind", TYPES)
def test_rows_with_such_a_text_are_named_and_the_rest_can_be_cast(library: Library, kind: str) -> None:
    library.context.session.execute("CREATE DOMAIN small AS int CHECK (value < 10)")
    rows = [book(number, isbn=text) for number, text in enumerate((*TYPES[kind], None))]
    merge = cast_to(library.staged("books", *rows), kind)
    assert refuse_type_errors(library.context.session, merge) == {1: ["isbn"]}
    left = f"SELECT isbn FROM remoteiq_etl.{merge.stage.name} ORDER BY _row"
    assert library.column(left) == [TYPES[kind][0], None, None]


def test_columns_of_the_redesign_are_not_cast(library: Library) -> None:
    assert refuse_type_errors(library.context.session, library.staged("books", book(1, isbn="seven"))) == {}


def test_a_type_that_is_not_there_is_no_fault_of_a_row(library: Library) -> None:
    merge = cast_to(library.staged("books", book(1, isbn="x")), "no_such_type")
    with pytest.raises(psycopg.errors.UndefinedObject):
        refuse_type_errors(library.context.session, merge)
