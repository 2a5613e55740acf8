"""An older state schema is brought up to what the program knows, and no row goes."""

from remoteiq_etl.state.schema import fixed_tables
from remoteiq_etl.state.upgrade import upgrade
from tests.support.library import Library

STATE = "remoteiq_etl"


def test_missing_tables_columns_indexes_and_keys_are_added_and_rows_stay(library: Library) -> None:
    session = library.context.session
    session.execute(
        "DROP TABLE remoteiq_etl.resets; DROP INDEX remoteiq_etl.idx_gone_new_key; ALTER TABLE remoteiq_etl.runs DROP COLUMN options;"
        " ALTER TABLE remoteiq_etl.legacy_books_map DROP COLUMN owner_key CASCADE;"
        " ALTER TABLE remoteiq_etl.ledger DROP CONSTRAINT pk_ledger, ADD CONSTRAINT pk_ledger PRIMARY KEY (run_id, table_name, batch)"
    )
    before = library.rows("SELECT (SELECT count(*) FROM remoteiq_etl.runs), (SELECT count(*) FROM remoteiq_etl.ledger)")
    assert sorted(upgrade(session, STATE, fixed_tables())) == ["legacy_books_map.owner_key", "resets", "runs.options"]
    found = "SELECT to_regclass('remoteiq_etl.idx_gone_new_key') IS NOT NULL, to_regclass('remoteiq_etl.idx_resets_open') IS NOT NULL"
    assert library.rows(found) == [(True, True)]
    key = "SELECT count(*) FROM pg_constraint, unnest(conkey) WHERE conname = 'pk_ledger'"
    ledger = next(table for table in fixed_tables() if table.name == "ledger")
    assert library.column(key) == [len(ledger.primary_key.columns)]
    assert (
        library.rows("SELECT (SELECT count(*) FROM remoteiq_etl.runs), (SELECT count(*) FROM remoteiq_etl.ledger)")
        == before
    )


def test_of_a_schema_that_lacks_nothing_nothing_is_changed(library: Library) -> None:
    assert upgrade(library.context.session, STATE, fixed_tables()) == []
