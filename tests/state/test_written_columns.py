"""Whether a target row is still as it was last written, told by hashes that hold no secret."""

import pytest
from psycopg import sql
from sqlalchemy import Column, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSON

from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.state.written_columns import (
    T_column,
    assignments,
    comparable,
    counted,
    current_hash,
    default_of,
    differs_from_written,
    recorded,
    remember_written,
    secret_parts,
    written_columns,
    written_hash,
)
from tests.assets.builders import uid
from tests.support.library import BOOKS, TARGET, Library

STATE = "remoteiq_etl"
COLUMNS = TARGET["books"].columns
OF_BOOK_1 = sql.SQL("SELECT {shown} FROM {map} AS m JOIN {target} AS t ON {key_join} WHERE m.legacy_key = {key}")


def of_book_1(library: Library, shown: sql.Composable) -> object:
    names = statement_names(library.context, BOOKS)
    return library.context.session.value(OF_BOOK_1.format(**names, shown=shown, key=sql.Literal(uid(1))))


@pytest.mark.parametrize(
    ("edit", "edited"),
    [
        ("title = 'By hand'", ["title"]),
        ("pin = 'another'", ["pin"]),
        ("notes = jsonb_set(notes, '{pages}', '7')", ["notes"]),
        ("notes = jsonb_set(notes, '{token}', '\"stolen\"')", ["notes"]),
        ("isbn = NULL", ["isbn"]),
        ("title = title", []),
    ],
)
def test_a_column_differs_from_what_was_written_when_somebody_edited_it(
    library: Library, edit: str, edited: list[str]
) -> None:
    """A secret and the secret parts of a JSON value are compared, too."""
    library.context.session.execute(f"UPDATE books SET {edit} WHERE id = '{uid(1)}'")
    names = ("title", "pin", "notes", "isbn")
    found = [
        name
        for name in names
        if of_book_1(library, differs_from_written(COLUMNS[name], T_column(COLUMNS[name]), STATE))
    ]
    assert found == edited
    matches = sql.SQL("{} = m.written_hash").format(current_hash(library.context, BOOKS, "books"))
    assert of_book_1(library, matches) is (not edited)


@pytest.mark.parametrize(("key", "edited"), [("pages", True), ("token", False)])
def test_of_a_json_value_written_without_secrets_what_is_shown_of_it_is_compared(
    library: Library, key: str, edited: bool
) -> None:
    library.context.session.execute("UPDATE remoteiq_etl.legacy_books_map SET last_written = last_written - '#secrets'")
    library.context.session.execute("UPDATE books SET notes = jsonb_set(notes, ARRAY[%s], '7')", [key])
    notes = COLUMNS["notes"]
    assert of_book_1(library, differs_from_written(notes, T_column(notes), STATE)) is edited


def test_the_hash_after_a_change_is_that_of_the_values_that_stand_in(library: Library) -> None:
    instead = {"title": sql.Literal("By hand")}
    after = library.context.session.value(
        sql.SQL("SELECT {} FROM books AS t WHERE id = {}").format(
            current_hash(library.context, BOOKS, "books", instead=instead), sql.Literal(uid(1))
        )
    )
    library.context.session.execute("UPDATE books SET title = 'By hand'")
    assert of_book_1(library, current_hash(library.context, BOOKS, "books")) == after
    assert of_book_1(library, current_hash(library.context, BOOKS, "another")) is None, "nothing was written from there"


def test_nothing_secret_is_recorded_of_a_value(library: Library) -> None:
    pin, notes = (recorded(COLUMNS[name], T_column(COLUMNS[name]), STATE) for name in ("pin", "notes"))
    assert len(str(of_book_1(library, pin))) == 32
    assert of_book_1(library, notes) == {"pages": 100, "token": "[redacted]"}
    parts = secret_parts(COLUMNS["notes"], T_column(COLUMNS["notes"]), STATE)
    assert len(str(of_book_1(library, parts))) == 32
    library.context.session.execute("UPDATE books SET notes = notes - 'token'")
    assert of_book_1(library, parts) is None


def test_the_columns_that_were_hashed_are_remembered_for_each_legacy_table(library: Library) -> None:
    assert written_columns(library.context, BOOKS, "books") == [
        "author_id",
        "title",
        "isbn",
        "notes",
        "pin",
        "withdrawn_at",
    ]
    remember_written(library.context, BOOKS, "books", ["title"])
    remember_written(library.context, BOOKS, "another", ["isbn"])
    assert written_columns(library.context, BOOKS, "books") == ["title"]
    assert written_columns(library.context, BOOKS, "another") == ["isbn"]
    remember_written(library.context, BOOKS, "books", ["no_longer_there"])
    assert of_book_1(library, current_hash(library.context, BOOKS, "books")) is None


def test_a_column_that_an_installation_adds_counts_only_with_another_value_than_its_default(library: Library) -> None:
    """When it appears, a row that nobody edited is as it was written."""
    more = Column("stars", Integer, server_default=text("3"), info={"optional": True})
    title = (COLUMNS["title"], sql.SQL("t.title"))

    def hashed(value: str) -> object:
        return of_book_1(library, written_hash([title, (more, sql.SQL(value))]))

    assert hashed("3") == of_book_1(library, written_hash([title])) != hashed("4")
    assert of_book_1(library, counted(more, sql.SQL("4"))) == "4"
    assert of_book_1(library, counted(Column("any", Text), sql.SQL("'x'"))) == "x"


def test_the_default_stands_in_for_a_null_only_where_the_column_takes_none() -> None:
    needed = Column("state", Text, nullable=False, server_default=text("'{new}'"))
    found = default_of(needed)
    assert found is not None
    assert found.as_string(None) == "'{new}'"
    free = Column("state", Text, server_default=text("'new'"))
    assert default_of(free) is None
    assert default_of(free, of_any=True) == sql.SQL("'new'").format()


def test_values_are_assigned_by_name_and_what_has_no_equality_is_compared_as_text(library: Library) -> None:
    pair = (COLUMNS["title"], sql.SQL("upper(title)"))
    library.context.session.execute(
        sql.SQL("UPDATE books SET {}").format(assignments([pair, (COLUMNS["isbn"], sql.NULL)]))
    )
    assert set(library.rows("SELECT title LIKE 'BOOK%', isbn FROM books")) == {(True, None)}
    added = Column("more", JSON, info={"cast": "json"})
    one = sql.SQL("SELECT {0} = {0}").format(comparable(added, sql.SQL("'{{\"a\": 1}}'::json").format()))
    assert library.context.session.value(one) is True
