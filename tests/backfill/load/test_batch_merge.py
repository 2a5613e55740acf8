"""A batch that is compared before it is written: in which order, and what becomes of rows that the target refuses."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from remoteiq_etl.backfill.load.batch_merge import PlannedMerge, remember_planned
from remoteiq_etl.config.conflicts import ConflictPolicies, ConflictPolicy
from remoteiq_etl.errors import ConflictError
from remoteiq_etl.spec.batch import Disposal
from remoteiq_etl.spec.outcomes import Outcome
from tests.assets.builders import uid
from tests.support.library import BOOKS, Library, book

TITLES = "SELECT title FROM books ORDER BY id"


def planned(library: Library, *rows: Mapping[str, Any], **more: Any) -> PlannedMerge:
    prepared = library.prepared("books", *rows)
    return PlannedMerge(library.context, BOOKS, prepared, library.merge("books", prepared), **more)


def with_policy(library: Library, policy: ConflictPolicy, *rows: Mapping[str, Any]) -> PlannedMerge:
    context = replace(library.context, plan=replace(library.context.plan, conflicts=ConflictPolicies(policy)))
    return replace(planned(library, *rows), run=context)


def quarantined(number: int, rule: str, detail: str, *columns: str) -> Disposal:
    return Disposal(uid(number), Outcome.QUARANTINED, rule, columns, detail)


def test_rows_that_the_target_refuses_are_found_and_the_others_written(library: Library) -> None:
    batch = planned(library, book(1, title="no 1"), book(2, title="New"), book(7), book(8, title="no 8"))
    library.context.session.execute("ALTER TABLE books ADD CONSTRAINT polite CHECK (title !~ '^no')")
    assert batch.write() == {"updated": 1, "inserted": 1}
    reason = "constraint polite of books (SQLSTATE 23514)"
    assert batch.refused == [quarantined(1, "check_violation", reason), quarantined(8, "check_violation", reason)]
    assert library.column(TITLES) == ["Book 1", "New", "Book 3", "Book 4", "Book 7"]


def test_a_row_that_a_trigger_keeps_out_is_refused_and_the_trigger_named(library: Library) -> None:
    library.context.session.execute(
        "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.title = 'no' THEN RETURN NULL; END IF;"
        " RETURN NEW; END $$; CREATE TRIGGER keep BEFORE INSERT ON books FOR EACH ROW EXECUTE FUNCTION keep()"
    )
    batch = planned(library, book(7), book(8, title="no"), book(9))
    batch = replace(batch, merge=replace(batch.merge, triggers=("keep",)))
    assert batch.write() == {"inserted": 2}
    assert batch.refused == [quarantined(8, "refused_by_target", "kept out by a trigger or rule of books: keep")]


def test_values_of_no_type_quarantine_their_rows(library: Library) -> None:
    batch = planned(library, book(1), book(7), type_errors={1: ["isbn", "title"]})
    assert batch.write() == {"unchanged": 1}
    said = "isbn: no value of the column's type in the target; title: no value of the column's type in the target"
    assert batch.refused == [quarantined(7, "cast_refused", said, "isbn", "title")]


def test_unique_values_change_hands_within_a_batch(library: Library) -> None:
    batch = planned(library, book(1, isbn="isbn-2"), book(2, isbn="isbn-1"))
    assert batch.write() == {"updated": 2}
    assert library.column("SELECT isbn FROM books ORDER BY id LIMIT 2") == ["isbn-2", "isbn-1"]
    images = "SELECT image ->> 'isbn', after_hash IS NOT NULL FROM remoteiq_etl.before_images ORDER BY 1"
    assert library.rows(images) == [("isbn-1", True), ("isbn-2", True)]


@pytest.mark.parametrize("may_wait", [True, False])
def test_a_row_that_wants_the_value_of_another_waits_for_the_end_of_the_table(library: Library, may_wait: bool) -> None:
    """A later batch may set it free; at the end it is refused."""
    batch = planned(library, book(1, isbn="isbn-4"), book(7), may_wait=may_wait)
    assert batch.write() == {"inserted": 1}
    rules = [disposal.rule for disposal in batch.refused]
    assert (batch.waiting, rules) == (([0], []) if may_wait else ([], ["unique_violation"]))


POLICIES = {ConflictPolicy.KEEP_TARGET: "conflict kept", ConflictPolicy.TAKE_LEGACY: "taken"}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_conflict_is_decided_by_the_policy_and_listed_under_each(library: Library, policy: ConflictPolicy) -> None:
    library.context.session.execute(f"UPDATE books SET title = 'By hand' WHERE id = '{uid(1)}'")
    assert with_policy(library, policy, book(1, title="New"), book(2)).write() == {POLICIES[policy]: 1, "unchanged": 1}
    assert library.column(TITLES)[0] == ("By hand" if policy == ConflictPolicy.KEEP_TARGET else "New")
    listed = "SELECT legacy_key, columns, reason, resolution FROM remoteiq_etl.conflicts"
    resolution = None if policy == ConflictPolicy.KEEP_TARGET else "take_legacy"
    assert library.rows(listed) == [(uid(1), ["title"], "edited in target", resolution)]


def test_a_policy_that_fails_writes_nothing_and_the_conflict_can_be_listed(library: Library) -> None:
    library.context.session.execute(f"UPDATE books SET title = 'By hand' WHERE id = '{uid(1)}'")
    batch = with_policy(library, ConflictPolicy.FAIL, book(1, title="New"), book(7))
    with pytest.raises(ConflictError, match=rf"books: 1 rows were edited .*\({uid(1)}: title\)"):
        batch.write()
    assert library.column(TITLES) == ["By hand", "Book 2", "Book 3", "Book 4"]
    library.context.session.execute("DROP TABLE merge_plan")
    batch.list_conflicts()
    assert library.column("SELECT legacy_key FROM remoteiq_etl.conflicts") == [uid(1)]


def test_a_plan_writes_nothing_and_keeps_what_another_table_records_of_it(library: Library) -> None:
    context = replace(library.context, plan=replace(library.context.plan, planning=True))
    object.__setattr__(context, "planned_writes", {"books": []})
    batch = replace(planned(library, book(1, title="New"), book(7)), run=context)
    assert batch.write() == {"updated": 1, "inserted": 1}
    assert library.column(TITLES)[0] == "Book 1"
    remember_planned(context, BOOKS, batch.prepared, batch.merge)
    assert sorted(key for key, _, _ in context.planned_writes["books"]) == [uid(1), uid(7)]
    context.planned_writes["books"].clear()
    remember_planned(context, BOOKS, batch.prepared, None)
    assert [(key, before) for key, before, _ in context.planned_writes["books"]] == [(uid(1), None), (uid(7), None)]
    assert '"token":"[redacted]"' in context.planned_writes["books"][0][2]


@pytest.mark.parametrize("many", [4, 40])
def test_rows_whose_unique_values_others_keep_are_found_all_at_once(library: Library, many: int) -> None:
    """Not by halving: the same few statements, however many they are. A value that its row gives away is not kept."""
    numbers = range(20, 20 + many)
    session = library.context.session
    session.execute_many(
        f"INSERT INTO books (id, author_id, title, isbn) VALUES (%s, '{uid(101)}', 'of somebody else', %s)",
        [(uid(1000 + number), f"isbn-{number}") for number in numbers],
    )
    rows = [book(number, isbn=f"isbn-{number}") for number in numbers]
    batch = planned(library, book(1, isbn="isbn-new"), book(8, isbn="isbn-1"), book(9), *rows, may_wait=False)
    seen: list[str] = []
    observed = session.database
    session.database = replace(observed, observer=seen.append)
    try:
        assert batch.write() == {"updated": 1, "inserted": 2}
    finally:
        session.database = observed
    reason = "constraint uq_books_isbn of books (SQLSTATE 23505)"
    assert batch.refused == [quarantined(number, "unique_violation", reason) for number in numbers]
    assert sum("INSERT INTO" in statement for statement in seen) < 20
