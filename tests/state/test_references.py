"""What refers to a target table: foreign keys of the live database, and those of our definition that it lacks."""

from dataclasses import replace

from remoteiq_etl.state.references import Reference, references_to
from tests.assets.builders import uid
from tests.support.library import AUTHORS, BOOKS, Library


def test_foreign_keys_of_the_live_database_are_found_whatever_their_schema(library: Library) -> None:
    session = library.context.session
    session.execute(
        "CREATE SCHEMA desk; CREATE TABLE desk.loans (no int PRIMARY KEY, day date, book uuid REFERENCES books ON DELETE SET NULL)"
    )
    found = references_to(library.context, BOOKS)
    assert found == [
        Reference("desk", "loans", ("book",), ("id",), ("no",), sets_null=True),
        Reference("public", "book_tags", ("book_id",), ("id",), ("book_id", "tag")),
    ]
    assert [one.named_from("public") for one in found] == ["desk.loans", "book_tags"]


def test_a_foreign_key_that_only_our_definition_has_counts_until_it_is_there(library: Library) -> None:
    """Before finalize the target has none. A table that the target lacks refers to nothing."""
    expected = [Reference("public", "books", ("author_id",), ("id",), ("id",))]
    assert references_to(library.context, AUTHORS) == expected
    library.context.session.execute("ALTER TABLE books DROP CONSTRAINT fk_books_author_id")
    assert references_to(library.context, AUTHORS) == expected
    library.context.session.execute("DROP TABLE book_tags, books")
    assert references_to(replace(library.context), AUTHORS) == []


def test_a_reference_gives_the_condition_and_shows_the_key_of_who_refers(library: Library) -> None:
    (tags,) = references_to(library.context, BOOKS)
    query = "SELECT {} FROM book_tags AS c JOIN books AS t ON {} WHERE t.id = %s ORDER BY 1"
    shown = query.format(tags.shown_key().as_string(None), tags.pairs().as_string(None))
    assert library.column(shown, uid(1)) == [f"{uid(1)}, long", f"{uid(1)}, old"]
    assert Reference("public", "x", ("a",), ("id",), ()).shown_key().as_string(None) == "'(a row without a key)'::text"
