"""What becomes of a staged row: what comes in against what was last written and what is there now."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from remoteiq_etl.backfill.load import compare
from remoteiq_etl.backfill.load.merge_statements import Merge
from tests.assets.builders import uid
from tests.support.library import BOOKS, TAGS, Library, book, tag

EARLY, LATE = (datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2))
PLAN = "SELECT action FROM merge_plan ORDER BY _row"


def actions(library: Library, merge: Merge) -> list[str]:
    merge.classify(library.context.session)
    return library.column(PLAN)


def test_a_row_that_both_sides_changed_is_in_conflict_unless_they_agree(library: Library) -> None:
    """Legacy changed all of them; in the target nobody touched the first, one agrees, and two were edited."""
    library.context.session.execute(
        f"UPDATE books SET title = 'New 2' WHERE id = '{uid(2)}'; UPDATE books SET isbn = 'theirs' WHERE id = '{uid(3)}';"
        f" UPDATE books SET title = 'Another' WHERE id = '{uid(4)}'"
    )
    merge = library.staged("books", *(book(number, title=f"New {number}") for number in (1, 2, 3, 4)))
    assert actions(library, merge) == ["updated", "renewed", "conflict kept", "conflict kept"]


def test_a_column_whose_guard_is_shut_makes_no_conflict(library: Library) -> None:
    """Withdrawn in the target: legacy's null never empties it, and the rest of the row is written."""
    library.context.session.execute("UPDATE books SET withdrawn_at = '2024-01-01'")
    merge = library.staged("books", book(1, title="New"), book(2))
    merge.classify(library.context.session)
    assert library.rows("SELECT action, shut FROM merge_plan ORDER BY _row") == [
        ("updated", ["withdrawn_at"]),
        ("unchanged", None),
    ]


@pytest.mark.parametrize(
    ("edit", "action"),
    [
        ("", "moved"),
        (f"DELETE FROM book_tags WHERE tag = 'old' AND book_id = '{uid(1)}'", "move refused"),
        (f"INSERT INTO book_tags VALUES ('{uid(1)}', 'new')", "move refused"),
        (f"INSERT INTO book_tags VALUES ('{uid(1)}', 'theirs')", "move refused"),
        ("UPDATE remoteiq_etl.legacy_book_tags_map SET adopted = true", "move refused"),
    ],
)
def test_a_link_leads_elsewhere_only_where_nobody_touched_what_belongs_together(
    library: Library, edit: str, action: str
) -> None:
    if edit:
        library.context.session.execute(edit)
    assert actions(library, library.staged("book_tags", tag(1, "new", "old"), tag(1, "long"))) == [action, "unchanged"]


def test_a_link_that_stands_alone_and_is_gone_was_deleted_in_the_target(library: Library) -> None:
    library.context.session.execute("DELETE FROM book_tags")
    spec = replace(TAGS, moves_with=None)
    assert actions(library, library.staged("book_tags", tag(1, "new", "old"), spec=spec)) == ["deleted in target"]


def test_a_row_deleted_in_the_target_is_made_again_when_it_is_wanted(library: Library) -> None:
    """By its key, or all of the table, or because legacy sets the column that it returns with."""
    rows = (book(1), book(2, isbn=None))
    merge = library.staged("books", *rows, recreate=frozenset({uid(2)}))
    library.context.session.execute("DELETE FROM books")
    assert actions(library, merge) == ["deleted in target", "recreated"]
    for changed, expected in (
        ({"recreate": frozenset()}, ["recreated", "recreated"]),
        ({"recreate": None, "spec": replace(BOOKS, returns_with="isbn")}, ["recreated", "deleted in target"]),
    ):
        library.context.session.execute("DROP TABLE merge_plan")
        assert actions(library, replace(merge, **changed)) == expected  # type: ignore[arg-type]


def test_later_activity_wins_and_an_earlier_one_changes_nothing(library: Library) -> None:
    library.context.session.execute(f"UPDATE books SET read_at = '{LATE}' WHERE id <> '{uid(3)}'")
    rows = [book(1, read_at=EARLY), book(2, read_at=datetime(2024, 1, 3, tzinfo=UTC)), book(3, read_at=EARLY), book(4)]
    assert actions(library, library.staged("books", *rows)) == ["unchanged", "touched", "touched", "unchanged"]


def test_what_is_not_declared_is_false(library: Library) -> None:
    merge = library.staged("authors", {"_key": uid(101), "id": uid(101), "name": "Ann"})
    assert {
        expression.as_string(None) for expression in (compare.newer(merge), compare.moved(merge), compare.wanted(merge))
    } == {"false"}
