"""What a run reads of an asset, and what it remembers for the next one."""

from dataclasses import replace

import pytest

from remoteiq_etl.backfill.change_capture.capture import Capture, of_keys
from remoteiq_etl.backfill.change_capture.sweep import Sweep
from remoteiq_etl.backfill.context.report import NOTHING_CHANGED
from schemas.state.watermarks import UNSETTLED
from tests.assets.builders import uid
from tests.support.library import AUTHORS, BOOKS, TAGS, Library

FINGERPRINT = "SELECT fingerprint, run_id, full_run, changed_run FROM remoteiq_etl.assets WHERE table_name = %s"


@pytest.fixture
def capture(library: Library) -> Capture:
    return Capture(library.context, library.run.sweep)


def test_changed_rows_are_read_alone_where_a_row_depends_on_no_other(library: Library, capture: Capture) -> None:
    """Book 1 was changed and book 5 came; both are found where they lie. Authors were not touched."""
    reading = capture.reading(BOOKS)
    assert (reading.reason, reading.partial, reading.nothing) == ("changed rows", True, False)
    selection = reading.selection("books")
    assert selection is not None
    assert selection.places is not None
    assert len(selection.places) == 2
    assert capture.reading(AUTHORS).reason == NOTHING_CHANGED
    assert capture.reading(TAGS).reason.startswith("full: "), "rows that are replaced together are read together"


#: What waits, by list: its further columns and their values.
WAITING = {
    "quarantine": {"rule": "'r'", "columns": "'{}'", "detail": "''", "row": "'{}'", "first_run": "1", "last_run": "1"},
    "held": {"parent_table": "'t'", "parent_key": "'k'", "column": "'c'", "first_run": "1", "last_run": "1"},
    "conflicts": {
        "new_key": "'k'", "columns": "'{}'", "current": "'{}'", "incoming": "'{}'", "reason": "'edited in target'", "first_run": "1",
        "last_run": "1", "incoming_hash": "''",
    },
    "resets": {"take_legacy": "false", "recreate": "false", "figures": "'{}'", "actor": "'me'"},
}  # fmt: skip


@pytest.mark.parametrize("table", WAITING)
def test_rows_that_wait_are_read_though_nothing_changed(library: Library, capture: Capture, table: str) -> None:
    names = ", ".join(f'"{name}"' for name in WAITING[table])
    own = f"INSERT INTO remoteiq_etl.{table} (source_id, table_name, legacy_table, legacy_key, {names})"
    values = ", ".join(WAITING[table].values())
    library.context.session.execute(f"{own} VALUES (1, 'books', 'books', '{uid(2)}', {values})")
    selection = capture.reading(BOOKS).selection("books")
    assert selection is not None
    assert selection.keys == {uid(2)}


def test_what_a_sweep_found_late_is_read_by_key(library: Library) -> None:
    sweep = Sweep(library.context, lambda *_: None, active=True)
    sweep.swept["books"] = frozenset({uid(2)})
    selection = Capture(library.context, sweep).reading(BOOKS).selection("books")
    assert selection is not None
    assert selection.keys == {uid(2)}


def test_rows_named_by_key_are_read_alone_unless_rows_are_replaced_together() -> None:
    reading = of_keys(BOOKS, {"books": [uid(1)], "others": ["x"]})
    assert (reading.partial, reading.selections["books"].keys) == (True, {uid(1)})
    assert of_keys(TAGS, {"book_tags": ["x"]}).partial is False


def test_what_was_completed_is_remembered_unless_a_parent_failed(library: Library, capture: Capture) -> None:
    """A partial read leaves the last full one standing; what refers to a failed table is looked at again."""
    first = library.rows(FINGERPRINT, "books")[0]
    capture.complete(BOOKS, capture.reading(BOOKS), changed=False)
    assert library.rows(FINGERPRINT, "books") == [(first[0], library.context.id, first[2], first[3])]
    passes = (
        "SELECT horizon, legacy_rows FROM remoteiq_etl.passes WHERE table_name = 'books' AND legacy_table = 'books'"
    )
    assert library.rows(passes) == [(library.context.snapshot.xmin, 4)]
    capture.mark_failed(AUTHORS)
    capture.complete(BOOKS, replace(capture.reading(BOOKS), partial=False), changed=True)
    assert library.rows(FINGERPRINT, "books") == [(UNSETTLED, *[library.context.id] * 3)]


def test_an_asset_whose_keys_lead_elsewhere_has_changed_in_this_run(library: Library, capture: Capture) -> None:
    """So that what refers to it is read as a whole."""
    capture.mark_remapped("authors")
    assert library.rows(FINGERPRINT, "authors")[0][3] == library.context.id
    assert capture.reading(BOOKS).reason == "full: the map of authors changed"
