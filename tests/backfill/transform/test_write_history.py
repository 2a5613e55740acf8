"""What we wrote to a table in all runs so far, oldest first and without secrets."""

import json
from dataclasses import replace

from remoteiq_etl.backfill.transform.write_history import writes_to
from tests.assets.builders import uid
from tests.support.library import Library, book


def titles(library: Library, key: str) -> list[tuple[str | None, str]]:
    rows = writes_to(library.context, "books").to_dict("records")
    found = [(row["previous"], row["next"]) for row in rows if row["key"] == key]
    return [tuple(text if text is None else json.loads(text)["title"] for text in pair) for pair in found]  # type: ignore[misc]


def test_each_write_leaves_what_the_next_one_found(own_library: Library) -> None:
    """An insert found nothing. What a person did in between is not ours, and what was undone never happened."""
    library = own_library
    assert titles(library, uid(1)) == [(None, "Book 1")]
    writer = library.writer("books")
    for title in ("Second", "Third"):
        prepared = library.prepared("books", book(1, title=title))
        writer.write(prepared, library.merge("books", prepared))
    assert titles(library, uid(1)) == [(None, "Book 1"), ("Book 1", "Second"), ("Second", "Third")]
    found = writes_to(library.context, "books")
    assert list(found.columns) == ["run", "at", "key", "previous", "next"]
    assert set(found.loc[found["key"] == uid(1), "run"]) == {"1", str(library.context.id)}
    assert "pin-1" not in str(found.to_dict("records"))
    library.context.session.execute(
        "UPDATE remoteiq_etl.before_images SET undone_by = 1 WHERE image ->> 'title' = 'Second'"
    )
    assert titles(library, uid(1)) == [(None, "Book 1"), ("Book 1", "Third")]


def test_a_plan_adds_what_it_would_write(library: Library) -> None:
    plan = replace(library.context.plan, planning=True)
    context = replace(library.context, plan=plan)
    object.__setattr__(context, "planned_writes", {"shelves": [("k", None, '{"a": 1}'), ("l", "{}", "{}")]})
    found = writes_to(context, "shelves")
    assert list(found["key"]) == ["k", "l"]
    assert (set(found["run"]), set(found["at"])) == ({str(context.id)}, {context.started_at})
    assert len(writes_to(library.context, "shelves")) == 0, "of a table that is not there nothing was written"
