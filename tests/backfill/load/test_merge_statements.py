"""The statements of a merge: what each planned row becomes, what was there before, and what the map holds of it."""

from datetime import UTC, datetime

import pytest

from remoteiq_etl.backfill.load.merge_statements import Merge
from remoteiq_etl.backfill.load.target_triggers import NotTaken
from tests.assets.builders import uid
from tests.support.library import Library, book, tag

WHEN = datetime(2024, 5, 6, tzinfo=UTC)
MAP = "SELECT new_key::text, rule, state, adopted, inserted_run FROM remoteiq_etl.legacy_{}_map WHERE legacy_key = %s"
BOOK = "SELECT title, isbn FROM books WHERE id = %s"


def written(library: Library, merge: Merge, last: int) -> dict[str, int]:
    actions = merge.classify(library.context.session)
    merge.apply(library.context.session, 0, last)
    merge.finish(library.context.session)
    return dict(actions)


def test_planned_rows_are_inserted_updated_and_touched_with_images_of_what_was_there(library: Library) -> None:
    merge = library.staged("books", book(1, title="New"), book(2, read_at=WHEN), book(3), book(7))
    assert written(library, merge, 3) == {"updated": 1, "touched": 1, "unchanged": 1, "inserted": 1}
    run = library.context.id
    assert library.rows(BOOK, uid(1)) + library.rows(BOOK, uid(7)) == [("New", "isbn-1"), ("Book 7", "isbn-7")]
    assert library.column("SELECT read_at FROM books WHERE id = %s", uid(2)) == [WHEN]
    images = "SELECT new_key, operation, image ->> 'title', withheld FROM remoteiq_etl.before_images ORDER BY 1"
    assert library.rows(images) == [
        (uid(1), "update", "Book 1", ["pin", "notes"]),
        (uid(2), "update", "Book 2", ["pin", "notes"]),
    ]
    assert library.rows(MAP.format("books"), uid(7)) == [(uid(7), "kept", "live", False, run)]
    read = "SELECT count(*) FROM remoteiq_etl.legacy_books_map WHERE last_run = %s AND source_hash IS NULL"
    assert library.column(read, run) == [4], "of the unchanged one, too, the legacy row that was compared"


def test_only_the_rows_of_a_span_are_written(library: Library) -> None:
    merge = library.staged("books", book(1, title="New"), book(2, title="New"), book(7), book(8))
    merge.classify(library.context.session)
    merge.apply(library.context.session, 1, 2)
    assert library.rows(BOOK, uid(1)) + library.rows(BOOK, uid(2)) == [("Book 1", "isbn-1"), ("New", "isbn-2")]
    assert library.rows(BOOK, uid(7)) + library.rows(BOOK, uid(8)) == [("Book 7", "isbn-7")]
    assert library.column("SELECT new_key FROM remoteiq_etl.before_images") == [uid(2)]
    assert library.rows(MAP.format("books"), uid(8)) == []


def test_an_id_that_belongs_to_a_row_of_somebody_else_is_replaced(library: Library) -> None:
    session = library.context.session
    session.execute(f"INSERT INTO books SELECT '{uid(7)}', author_id, 'Theirs' FROM books LIMIT 1")
    merge = library.staged("books", book(7))
    assert merge.classify(session) == {"collision": 1}
    assert merge.collisions(session) == [uid(7)]
    merge.resolve_collisions(session, {uid(7): uid(70)})
    merge.apply(session, 0, 0)
    assert [library.rows(BOOK, uid(number)) for number in (7, 70)] == [[("Theirs", None)], [("Book 7", "isbn-7")]]
    assert library.rows(MAP.format("books"), uid(7))[0][:2] == (uid(70), "derived_collision")


def test_an_adopted_row_keeps_what_it_has_and_is_filled(library: Library) -> None:
    session = library.context.session
    session.execute(f"INSERT INTO books SELECT '{uid(70)}', author_id, 'Theirs' FROM books LIMIT 1")
    prepared = library.prepared("books", book(7, id=uid(70)))
    prepared.rows = prepared.rows.assign(_adopted=True)
    assert written(library, library.merge("books", prepared), 0) == {"adopted": 1}
    assert library.rows(BOOK, uid(70)) == [("Theirs", "isbn-7")]
    assert library.rows(MAP.format("books"), uid(7)) == [(uid(70), "adopted", "live", True, None)]


def test_a_link_moves_in_one_step(library: Library) -> None:
    assert written(library, library.staged("book_tags", tag(1, "new", "old"), tag(1, "long")), 1) == {
        "moved": 1,
        "unchanged": 1,
    }
    assert library.column("SELECT tag FROM book_tags WHERE book_id = %s ORDER BY 1", uid(1)) == ["long", "new"]
    assert library.column("SELECT operation FROM remoteiq_etl.before_images") == ["delete"]


def test_what_was_deleted_in_the_target_is_noted_and_not_made_again(library: Library) -> None:
    library.context.session.execute(f"DELETE FROM books WHERE id = '{uid(1)}'")
    assert written(library, library.staged("books", book(1)), 0) == {"deleted in target": 1}
    assert library.rows(MAP.format("books"), uid(1))[0][2] == "deleted"


@pytest.mark.parametrize("event", ["INSERT", "UPDATE"])
def test_a_row_that_the_target_keeps_out_without_an_error_is_told_by_its_number(library: Library, event: str) -> None:
    library.context.session.execute(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.title = 'no' THEN RETURN NULL; END IF;"
        f" RETURN NEW; END $$; CREATE TRIGGER keep BEFORE {event} ON books FOR EACH ROW EXECUTE FUNCTION keep()"
    )
    numbers = (7, 8) if event == "INSERT" else (1, 2)
    merge = library.staged("books", book(numbers[0]), book(numbers[1], title="no"))
    merge.classify(library.context.session)
    with pytest.raises(NotTaken) as kept_out:
        merge.apply(library.context.session, 0, 1)
    assert kept_out.value.rows == [1]


def test_a_first_load_writes_target_and_map_and_says_when_the_target_took_fewer(library: Library) -> None:
    session = library.context.session
    session.execute("DELETE FROM book_tags; DELETE FROM books; DELETE FROM remoteiq_etl.legacy_books_map")
    merge = library.staged("books", book(7), book(8))
    assert merge.load_first(session, 2) == 2
    assert library.rows(MAP.format("books"), uid(8)) == [(uid(8), "kept", "live", False, library.context.id)]
    assert merge.classify(session) == {"unchanged": 2}
    session.execute(
        "DELETE FROM books; CREATE RULE none AS ON INSERT TO books WHERE NEW.title = 'Book 8' DO INSTEAD NOTHING"
    )
    with pytest.raises(NotTaken):
        merge.load_first(session, 2)


def test_a_plan_says_what_would_change_without_secrets(library: Library) -> None:
    merge = library.staged("books", book(1, title="New"), book(2), book(7))
    merge.classify(library.context.session)
    found = {key: (before, after) for key, before, after in merge.planned_writes(library.context.session)}
    assert set(found) == {uid(1), uid(7)}
    before, after = found[uid(1)]
    assert before is not None
    assert ('"Book 1"' in before, '"New"' in after, "pin-1" in before + after) == (True, True, False)
    assert found[uid(7)][0] is None
    assert merge.note_moved(library.context.session, [0, 1]) == {"updated": 1, "rekeyed": 1, "inserted": 1}


def test_only_a_surrogate_key_may_be_replaced_and_only_a_natural_one_shared(library: Library) -> None:
    of_books, of_tags = library.staged("books", book(1)), library.staged("book_tags", tag(1, "long"))
    assert [(one.derives_ids, one.shares_rows) for one in (of_books, of_tags)] == [(True, False), (False, True)]
