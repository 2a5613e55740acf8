"""Unique values that change hands within a run end where legacy has them, however the rows are cut into batches."""

import pytest

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.load.unique_swaps import can_park, changes_hands, park
from tests.assets.builders import uid
from tests.support.library import Library, author, book, tag
from tests.support.migrating import Migration
from tests.support.server import Database

TABLES = ("organizations", "users")
OTTO, IVA, NED = (f"c5000000-0000-4000-8000-0000000000{number}" for number in (18, 22, 23))
NEW = "c5000000-0000-4000-8000-000000000099"
# One batch, and one for each row, so that a value is wanted before the batch that sets it free.
BATCHES = pytest.mark.parametrize("batch_rows", [50_000, 1])


def users(migration: Migration, batch_rows: int = 50_000) -> TableReport:
    return migration.run(*TABLES, batch_rows=batch_rows)["users"]


def emails(migration: Migration, *keys: str) -> list[str]:
    found = dict(migration.query("SELECT id::text, email::text FROM users"))
    return [found[key].removesuffix("@example.com") for key in keys]


def give(legacy: Database, **names: str) -> None:
    """Let these users have the address of this name."""
    of = {"otto": OTTO, "iva": IVA, "ned": NED}
    for end in ("@before.example.com", "@example.com"):  # legacy, too, keeps addresses apart
        for user, name in names.items():
            legacy.execute(f"UPDATE users SET email = '{name}{end}' WHERE id = '{of[user]}'")


@BATCHES
def test_two_addresses_are_exchanged(either: Migration, edge_db: Database, batch_rows: int) -> None:
    users(either)
    give(edge_db, otto="iva", iva="otto")
    report = users(either, batch_rows)
    assert (report.total(Ledger.UPDATED), emails(either, OTTO, IVA)) == (2, ["iva", "otto"])
    images = "SELECT image ->> 'email' FROM remoteiq_etl.before_images WHERE table_name = 'users' ORDER BY 1"
    assert either.query(images) == [("iva@example.com",), ("otto@example.com",)], "as before, not as parked"
    assert users(either, batch_rows).total(Ledger.UPDATED) == 0


@BATCHES
def test_three_addresses_go_round(migration: Migration, edge_db: Database, batch_rows: int) -> None:
    users(migration)
    give(edge_db, otto="iva", iva="ned", ned="otto")
    report = users(migration, batch_rows)
    assert (report.total(Ledger.UPDATED), report.total(Ledger.QUARANTINED)) == (3, 8)
    assert emails(migration, OTTO, IVA, NED) == ["iva", "ned", "otto"]


@BATCHES
def test_a_chain_ends_in_a_new_address_and_begins_with_a_new_user(
    migration: Migration, edge_db: Database, batch_rows: int
) -> None:
    users(migration)
    give(edge_db, otto="fresh", iva="otto", ned="iva")
    edge_db.execute(f"INSERT INTO users (id, name, email, role) VALUES ('{NEW}', 'New', 'ned@example.com', 'Auditor')")
    report = users(migration, batch_rows)
    assert (report.total(Ledger.UPDATED), report.total(Ledger.INSERTED)) == (3, 1)
    assert emails(migration, OTTO, IVA, NED, NEW) == ["fresh", "otto", "iva", "ned"]


@BATCHES
def test_an_address_of_a_row_that_is_not_ours_is_never_taken(
    migration: Migration, edge_db: Database, batch_rows: int
) -> None:
    """The row that wants it is quarantined, and so is the one that wants what it could not leave; others are written."""
    users(migration)
    migration.target.execute(
        "INSERT INTO users (organization_id, email, password_hash)"
        " SELECT id, 'foreign@example.com', '!' FROM organizations"
    )
    give(edge_db, otto="foreign", iva="otto")
    edge_db.execute(f"UPDATE users SET name = 'Ned Renamed' WHERE id = '{NED}'")
    report = users(migration, batch_rows)
    assert (report.total(Ledger.UPDATED), report.total(Ledger.QUARANTINED)) == (1, 10)
    assert emails(migration, OTTO, IVA, NED) == ["otto", "iva", "ned"]
    rules = "SELECT legacy_key FROM remoteiq_etl.quarantine WHERE rule = 'unique_violation' ORDER BY 1"
    assert migration.query(rules) == [(OTTO,), (IVA,)]
    assert migration.query("SELECT count(*) FROM users WHERE email LIKE '%%~%%'") == [(0,)]
    give(edge_db, otto="fresh")
    assert users(migration, batch_rows).total(Ledger.UPDATED) == 2
    assert emails(migration, OTTO, IVA) == ["fresh", "otto"]


# --- one batch --------------------------------------------------------------------------------------------------------


def test_only_rows_that_get_another_unique_value_are_taken_off_the_one_they_have(library: Library) -> None:
    """Onto one that nobody else can have."""
    session = library.context.session
    merge = library.staged("books", book(1, isbn="isbn-2"), book(2, title="New"), book(3), book(4, isbn=None))
    merge.classify(session)
    assert park(merge, session) == 2
    found = library.column("SELECT isbn FROM books ORDER BY id")
    assert found == [f"isbn-1~{uid(1)}", "isbn-2", "isbn-3", f"isbn-4~{uid(4)}"]


def test_values_can_be_parked_where_a_unique_column_holds_any_text(library: Library) -> None:
    """Nothing of authors is unique beside their key, and a key of several columns is not parked."""
    merges = (
        library.staged("books", book(1)),
        library.staged("authors", author(101)),
        library.staged("book_tags", tag(1, "a")),
    )
    assert [can_park(merge) for merge in merges] == [True, False, False]
    assert [changes_hands(merge) for merge in merges] == [True, False, False]
