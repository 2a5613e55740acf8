"""Declarations as live databases have their tables: with the further columns of the target, without those that a source lacks."""

from dataclasses import replace

from sqlalchemy.dialects.postgresql import JSONB

from remoteiq_etl.backfill.context.live_columns import LiveCatalogue, LiveColumn, live_columns, resolved, without_absent
from remoteiq_etl.sensitive.redaction import is_secret
from tests.support.library import BOOKS, TARGET, Library

FURTHER = (
    "ALTER TABLE books ADD stars numeric(3,1) NOT NULL DEFAULT 3, ADD more jsonb, ADD api_token text, DROP COLUMN isbn"
)


def test_the_catalogue_has_every_column_and_is_read_again_when_it_is_told_to_forget(library: Library) -> None:
    catalogue = LiveCatalogue(library.context.session, "public")
    assert list(catalogue.tables["book_tags"]) == ["book_id", "tag"]
    library.context.session.execute(FURTHER)
    assert "stars" not in catalogue.tables["books"]
    catalogue.forget()
    found = catalogue.tables["books"]
    assert (found["stars"], found["title"]) == (LiveColumn("numeric(3,1)", False, "3"), LiveColumn("text", False))
    assert set(found) == {*TARGET["books"].columns.keys(), "stars", "more", "api_token"} - {"isbn"}
    assert "runs" in live_columns(library.context.session, "remoteiq_etl")


def test_further_columns_join_the_declaration_with_what_an_insert_must_know_of_them(library: Library) -> None:
    """Values come as text and are cast by the server; one that is named like a secret is one."""
    library.context.session.execute(FURTHER)
    columns = live_columns(library.context.session, "public")["books"]
    spec = resolved(BOOKS, columns)
    stars, more, token = (spec.target.columns[name] for name in ("stars", "more", "api_token"))
    assert (stars.info["cast"], stars.nullable, str(stars.server_default.arg)) == ("numeric(3,1)", False, "3")  # type: ignore[union-attr]
    assert isinstance(more.type, JSONB)
    assert (is_secret(token), is_secret(stars), "cast" in token.info) == (True, False, False)
    assert "stars" not in TARGET["books"].columns
    assert {key.column.table.fullname for key in spec.target.foreign_keys} == {"target.authors"}
    assert resolved(BOOKS, {"title": LiveColumn("text")}) is BOOKS


def test_columns_that_a_source_lacks_are_read_as_null() -> None:
    absent = {"books": frozenset({"isbn"})}
    assert without_absent(BOOKS, absent).streamed[0].absent == {"isbn"}
    assert without_absent(BOOKS, {"authors": frozenset({"name"})}) is BOOKS
    source = replace(BOOKS.streamed[0], absent=frozenset({"pin"}))
    assert without_absent(replace(BOOKS, sources=(source,)), absent).streamed[0].absent == {"isbn"}
