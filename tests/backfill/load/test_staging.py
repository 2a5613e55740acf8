"""Staging tables: the rows of a batch in the types of the live target, and which of them these do not take."""

from datetime import UTC, datetime

from remoteiq_etl.backfill.load.staging import StagingTables
from tests.assets.builders import uid
from tests.support.library import BOOKS, TAGS, Library, book, tag

WHEN = datetime(2024, 5, 6, tzinfo=UTC)
COLUMNS = ("id", "title", "notes", "read_at")
KINDS = "SELECT attname, format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum"
THERE = "SELECT tablename FROM pg_tables WHERE schemaname = 'remoteiq_etl' AND tablename LIKE 'stage%%books'"


def test_a_stage_has_the_types_of_the_live_target_and_what_a_merge_needs(own_library: Library) -> None:
    """Forms that are cast later stay texts. It is unlogged, and made again when its columns change."""
    stages = StagingTables(own_library.context)
    own_library.context.session.execute("ALTER TABLE books ALTER title TYPE varchar(8)")
    stage = stages.stage(BOOKS, "books", 0, COLUMNS)
    kinds = dict(own_library.rows(KINDS, f"remoteiq_etl.{stage.name}"))
    assert [kinds[name] for name in (*COLUMNS, "_key")] == [
        "uuid",
        "character varying",
        "text",
        "timestamp with time zone",
        "text",
    ]
    assert set(kinds) - {*COLUMNS} == {"_row", "_key", "_hash", "_rule", "_adopted", "_owner", "_new"}
    assert own_library.column("SELECT relpersistence FROM pg_class WHERE relname = %s", stage.name) == ["u"]
    assert stages.stage(BOOKS, "books", 0, COLUMNS) is stage
    assert stages.stage(BOOKS, "books", 0, ("id",)).columns == ("id",)
    assert stages.stage(BOOKS, "books", 1, COLUMNS).name != stage.name


def test_rows_are_staged_as_they_are_and_replace_the_former_ones(own_library: Library) -> None:
    stages = StagingTables(own_library.context)
    stage = stages.stage(BOOKS, "books", 0, COLUMNS)
    stages.fill(stage, own_library.prepared("books", book(9)).rows)
    sent, refused = stages.fill(stage, own_library.prepared("books", book(1, read_at=WHEN), book(2, notes=None)).rows)
    assert (sent > 0, refused) == (True, {})
    query = f"SELECT _row, _key, id::text, title, notes, read_at, _rule FROM remoteiq_etl.{stage.name} ORDER BY _row"
    assert own_library.rows(query) == [
        (0, uid(1), uid(1), "Book 1", '{"pages": 100, "token": "t"}', WHEN, "kept"), (1, uid(2), uid(2), "Book 2", None, None, "kept"),
    ]  # fmt: skip
    tags = stages.stage(TAGS, "book_tags", 0, ("book_id", "tag"))
    stages.fill(tags, own_library.prepared("book_tags", tag(1, "a")).rows)
    assert own_library.rows(f"SELECT _owner, _new FROM remoteiq_etl.{tags.name}") == [(uid(1), f'["{uid(1)}","a"]')]


def test_rows_that_the_live_types_refuse_are_found_by_number(own_library: Library) -> None:
    own_library.context.session.execute("ALTER TABLE books ALTER title TYPE varchar(8)")
    stages = StagingTables(own_library.context)
    stage = stages.stage(BOOKS, "books", 0, COLUMNS)
    rows = own_library.prepared("books", *(book(number, title="x" * number) for number in (1, 9, 3, 4, 10))).rows
    sent, refused = stages.fill(stage, rows)
    assert (sent, {row: error.sqlstate for row, error in refused.items()}) == (0, {1: "22001", 4: "22001"})


def test_a_run_removes_its_stages_and_those_that_killed_ones_of_its_source_left(own_library: Library) -> None:
    stages = StagingTables(own_library.context)
    stages.stage(BOOKS, "books", 0, COLUMNS)
    own_library.context.session.execute(
        "CREATE TABLE remoteiq_etl.stage_1_999_0_books (); CREATE TABLE remoteiq_etl.stage_12_1_0_books ()"
    )
    stages.drop()
    assert sorted(own_library.column(THERE)) == ["stage_12_1_0_books", "stage_1_999_0_books"]
    stages.drop_leftovers()
    assert own_library.column(THERE) == ["stage_12_1_0_books"]
