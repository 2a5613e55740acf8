"""What a staged row, the target row and the map hold, as SQL: which value is written, compared, filled and kept."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from psycopg import sql

from remoteiq_etl.backfill.context.live_columns import LiveColumn, resolved
from remoteiq_etl.backfill.load.expressions import Expressions, listed
from tests.assets.builders import uid
from tests.support.library import BOOKS, TAGS, Library, author, book

WHEN = datetime(2024, 5, 6, tzinfo=UTC)


def of_row(library: Library, e: Expressions, *shown: sql.Composable, shut: str | None = None) -> tuple[object, ...]:
    """Expressions of the one staged row, the target row of the same key, and its plan."""
    query = sql.SQL(
        "SELECT {shown} FROM {stage} AS s LEFT JOIN {target} AS t ON {joined}"
        " LEFT JOIN {map} AS m ON m.legacy_key = s._key, (SELECT {shut}::text[] AS shut, false AS adopted) AS p"
    )
    values = {
        "shown": sql.SQL(", ").join(shown),
        "joined": e.join("s.{0}"),
        "shut": sql.Literal([shut] if shut else None),
    }
    return library.context.session.rows(query.format(**e.names, **values))[0]


def test_key_activity_and_times_of_writing_stand_outside_the_comparison(library: Library) -> None:
    e = library.staged("books", book(1, read_at=WHEN))
    assert e.compared_columns == ["author_id", "title", "isbn", "notes", "pin", "withdrawn_at"]
    assert [column.name for column in e.activity] == ["read_at"]
    assert "read_at" not in {column.name for column in e.changed_by_update}
    assert e.single
    assert listed(["a", 'b"c']).as_string(None) == '"a", "b""c"'


def test_a_null_for_a_column_that_takes_none_becomes_what_is_there_else_the_default(library: Library) -> None:
    further = {"stars": LiveColumn("integer", nullable=False, default="3"), "more": LiveColumn("integer", default="9")}
    e = replace(library.staged("books", book(1)), spec=resolved(BOOKS, further))
    stars, more = (e.spec.target.columns[name] for name in further)
    row = "SELECT {} FROM (SELECT %s::text AS stars, NULL::text AS more) AS s, (SELECT %s::int AS stars) AS t"

    def value(given: str | None, there: int | None, *, kept: bool) -> object:
        return library.column(row.format(e.value(stars, kept=kept).as_string(None)), given, there)[0]

    assert [value("7", 5, kept=True), value(None, 5, kept=True), value(None, None, kept=True)] == [7, 5, 3]
    assert value(None, 5, kept=False) == 3
    assert library.column(row.format(e.value(more, kept=True).as_string(None)), None, None) == [None]


@pytest.mark.parametrize("shut", [None, "withdrawn_at"])
def test_a_shut_guard_keeps_the_value_of_the_target_and_no_other(library: Library, shut: str | None) -> None:
    library.context.session.execute("UPDATE books SET withdrawn_at = '2020-01-01', title = 'By hand'")
    e = library.staged("books", book(1))
    columns = e.spec.target.columns
    found = of_row(
        library, e, e.guards["withdrawn_at"], e.guarded(columns["withdrawn_at"]), e.guarded(columns["title"]), shut=shut
    )
    assert found == (True, datetime(2020, 1, 1, tzinfo=UTC) if shut else None, "Book 1")


def test_the_hash_of_what_comes_in_is_that_of_the_row_which_holds_it(library: Library) -> None:
    """And that of the map, as long as nobody edited the row; an edit is told by column."""
    e = library.staged("books", book(1))
    written = sql.SQL("m.written_hash")
    assert len(set(of_row(library, e, e.hashed(e.incoming), e.current_hash, written))) == 1
    library.context.session.execute("UPDATE books SET title = 'By hand'")
    incoming, current = of_row(library, e, e.hashed(e.incoming), e.current_hash)
    assert incoming != current
    assert of_row(library, e, e.edited_in_target("title"), e.edited_in_target("pin"), e.incoming_of("title")) == (
        True,
        False,
        "Book 1",
    )


def test_what_is_kept_of_the_values_holds_no_secret(library: Library) -> None:
    e = library.staged("books", book(1, read_at=WHEN))
    written, shown = of_row(
        library, e, e.last_written(e.incoming), e.object([(e.spec.target.columns["pin"], sql.SQL("s.pin"))])
    )
    assert isinstance(written, dict)
    assert (written["notes"], written["read_at"][:10], set(written["#secrets"])) == (
        {"pages": 100, "token": "[redacted]"}, "2024-05-06", {"notes"},
    )  # fmt: skip
    assert written["pin"] not in ("pin-1", "[redacted]")
    assert shown == {"pin": "[redacted]"}


def test_only_empty_values_of_an_adopted_row_are_filled(library: Library) -> None:
    """Of a JSON object the keys that it lacks."""
    library.context.session.execute(
        "UPDATE books SET title = '', isbn = isbn || 'x', notes = '{\"pages\": 1, \"more\": 2}'"
    )
    e = library.staged("books", book(1))
    filled = [e.filled(e.spec.target.columns[name]) for name in ("title", "isbn", "notes")]
    assert of_row(library, e, *filled) == ("Book 1", "isbn-1x", {"pages": 1, "more": 2, "token": "t"})
    named = library.staged("authors", author(101, name="Ann"))
    library.context.session.execute("UPDATE authors SET name = ''")
    assert of_row(library, named, named.filled(named.spec.target.columns["name"])) == ("Ann",)


def test_a_key_of_several_columns_is_joined_column_by_column(library: Library) -> None:
    e = library.staged("book_tags", {"_key": "k", "book_id": uid(1), "tag": "old"})
    assert (e.single, of_row(library, e, sql.SQL("t.tag"))) == (False, ("old",))
    assert e.names["table_name"].as_string(None) == f"'{TAGS.name}'"
