"""Columns that name rows of ours without a foreign key are found by name and type, and by nothing else."""

from remoteiq_etl.state.references import Reference, named_without_constraint
from tests.support.library import AUTHORS, BOOKS, TAGS, Library


def test_a_column_that_names_a_table_and_can_hold_its_key_refers_to_it(library: Library) -> None:
    library.context.session.execute(
        "CREATE TABLE loans (no int PRIMARY KEY, book_id uuid, other_book_id text, book_id_old uuid, notebook_id uuid);"
        "CREATE TABLE shelves (book_id int, author_id uuid REFERENCES authors); ALTER TABLE book_tags ADD by_book_id uuid"
    )
    assert named_without_constraint(library.context, BOOKS) == [
        Reference("public", "book_tags", ("by_book_id",), ("id",), ("book_id", "tag")),
        Reference("public", "loans", ("book_id",), ("id",), ("no",)),
        Reference("public", "loans", ("other_book_id",), ("id",), ("no",), as_text=True),
    ]
    assert named_without_constraint(library.context, AUTHORS) == []
    assert named_without_constraint(library.context, TAGS) == []


def test_a_row_of_other_type_is_found_by_its_text(library: Library) -> None:
    session = library.context.session
    session.execute("CREATE TABLE loans AS SELECT id::text AS book_id FROM books LIMIT 1")
    (found,) = named_without_constraint(library.context, BOOKS)
    joined = f"SELECT count(*) FROM loans AS c JOIN books AS t ON {found.pairs().as_string(None)}"
    assert session.value(joined) == 1
