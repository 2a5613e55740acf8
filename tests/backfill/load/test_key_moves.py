"""A target key that is made of a value of legacy moves with it: the row, what refers to it, the map, and back again."""

from dataclasses import replace

import pytest

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.backfill.load.key_moves import move_keys
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Label
from tests.assets.builders import uid
from tests.support.books import unbalanced
from tests.support.library import BOOKS, Library, book
from tests.support.migrating import Migration
from tests.support.small_installation import TABLES, key
from tests.support.undoing import SEALING_KEYS, content, last_run, undone

SESSION, JTI = key("session", 1), key("jti", 1)
ROTATED = "cf000000-0000-4000-8000-0000000000aa"
ROTATE = f"UPDATE sessions SET jti = '{ROTATED}' WHERE id = '{SESSION}'"
RENAME = "UPDATE permissions SET key = 'ops.execute' WHERE key = 'ops.run'"
SESSIONS = "SELECT id::text, user_id::text, refresh_token FROM sessions WHERE id::text IN (%s, %s)"
GRANTS = "SELECT count(*) FROM role_permissions WHERE permission_key = %s"


def keyed(migration: Migration) -> Migration:
    """The same with a sealing key: a former jti is a secret, and an undo needs it."""
    return replace(migration, plan=replace(migration.plan, sealing_keys=SEALING_KEYS))


def bugs(migration: Migration, *tables: str) -> list[object]:
    found = [one for table in verify(migration.plan, tables).tables for one in table.findings]
    return [one for one in found if one.label == Label.BUG]


def test_a_session_moves_to_its_rotated_jti(pair: Migration) -> None:
    """The new cookie finds it, the old one finds nothing, and the next run has nothing to do."""
    pair.legacy.execute(ROTATE)
    report = pair.run(*TABLES)["sessions"]
    assert pair.query(SESSIONS, JTI, ROTATED) == [(ROTATED, key("user", 1), ROTATED)]
    assert report.total(Ledger.UPDATED) == 1
    assert unbalanced(pair) == []
    assert bugs(pair, "sessions") == []
    again = pair.run(*TABLES, mode=Mode.FULL)["sessions"]
    assert again.total(Ledger.UNCHANGED) == again.read == 20


def test_a_moved_session_keeps_what_the_target_has_done_to_it(pair: Migration) -> None:
    """One that was revoked in the new application stays revoked under its new key."""
    pair.target.execute(f"UPDATE sessions SET revoked_at = now() WHERE id = '{JTI}'")
    pair.legacy.execute(ROTATE)
    pair.run(*TABLES)
    assert pair.query("SELECT id::text FROM sessions WHERE revoked_at IS NOT NULL") == [(ROTATED,)]


def test_an_undo_brings_a_session_back_to_its_former_jti(pair: Migration) -> None:
    before = content(pair)
    pair.legacy.execute(ROTATE)
    migration = keyed(pair)
    migration.run(*TABLES)
    assert content(pair) != before
    undone(migration, UndoScope(run=last_run(pair)))
    assert content(pair) == before
    assert unbalanced(pair) == []
    pair.run(*TABLES, mode=Mode.FULL)
    assert pair.query(SESSIONS, JTI, ROTATED) == [(ROTATED, key("user", 1), ROTATED)]


def test_a_renamed_permission_takes_its_grants_along(pair: Migration) -> None:
    """Those of legacy and those that somebody gave in the target; nobody loses a right, and none is left at the old key."""
    others = "SELECT count(*) FROM role_permissions WHERE permission_key NOT IN ('ops.run', 'ops.execute')"
    (held,), (beside,) = pair.query(GRANTS, "ops.run")[0], pair.query(others)[0]
    assert held > 0
    pair.target.execute(
        "INSERT INTO role_permissions (role_id, permission_key) SELECT id, 'ops.run' FROM roles ON CONFLICT DO NOTHING"
    )
    ((all_held,),) = pair.query(GRANTS, "ops.run")
    assert all_held > held
    pair.legacy.execute(RENAME)
    reports = pair.run(*TABLES)
    assert pair.query(GRANTS, "ops.run") + pair.query(GRANTS, "ops.execute") == [(0,), (all_held,)]
    assert pair.query(others) == [(beside,)]
    assert pair.query("SELECT count(*) FROM permissions WHERE permission_key IN ('ops.run', 'ops.execute')") == [(1,)]
    assert reports["permissions"].total(Ledger.UPDATED) == 1
    assert unbalanced(pair) == []
    assert bugs(pair, "permissions", "role_permissions") == []
    again = pair.run(*TABLES, mode=Mode.FULL)
    assert again["permissions"].total(Ledger.UPDATED) + again["role_permissions"].total(Ledger.UPDATED) == 0
    assert pair.query(GRANTS, "ops.execute") == [(all_held,)]


def test_an_undo_brings_a_permission_and_its_grants_back(pair: Migration) -> None:
    before = content(pair)
    pair.legacy.execute(RENAME)
    pair.run(*TABLES)
    undone(pair, UndoScope(run=last_run(pair)))
    assert content(pair) == before
    assert unbalanced(pair) == []
    pair.run(*TABLES, mode=Mode.FULL)
    assert pair.query(GRANTS, "ops.run") == [(0,)]


def test_a_key_that_another_row_has_is_not_taken(pair: Migration) -> None:
    """The row stays where it is, and a warning names it; once the key is free, it moves."""
    pair.target.execute(
        f"INSERT INTO sessions (id, user_id, refresh_token, last_seen_at) SELECT '{ROTATED}', user_id, 'theirs', now()"
        f" FROM sessions WHERE id = '{JTI}'"
    )
    pair.legacy.execute(ROTATE)
    pair.run(*TABLES)
    assert pair.query("SELECT count(*) FROM sessions WHERE id::text IN (%s, %s)", JTI, ROTATED) == [(2,)]
    warned = "SELECT legacy_key FROM remoteiq_etl.decision_warnings WHERE rule = 'key_taken'"
    assert pair.query(warned) == [(SESSION,)]
    pair.target.execute(f"DELETE FROM sessions WHERE id = '{ROTATED}'")
    pair.run(*TABLES, mode=Mode.FULL)
    assert pair.query("SELECT refresh_token FROM sessions WHERE id::text IN (%s, %s)", JTI, ROTATED) == [(ROTATED,)]


def test_a_trigger_that_lets_no_key_change_quarantines_the_row(pair: Migration) -> None:
    pair.target.execute(
        "CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id := OLD.id; RETURN NEW; END $$;"
        "CREATE TRIGGER trg_theirs BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION theirs()"
    )
    pair.legacy.execute(ROTATE)
    pair.run(*TABLES)
    found = "SELECT legacy_key, rule, columns FROM remoteiq_etl.quarantine WHERE table_name = 'sessions' AND released_run IS NULL"
    assert pair.query(found) == [(SESSION, "refused_by_target", ["id"])]
    assert pair.query("SELECT count(*) FROM sessions WHERE id::text = %s", JTI) == [(1,)]


def test_a_plan_counts_a_move_and_makes_none(pair: Migration) -> None:
    pair.legacy.execute(RENAME)
    report = pair.run(*TABLES, planning=True)["permissions"]
    assert report.total(Ledger.UPDATED) == 1
    assert pair.query("SELECT count(*) FROM permissions WHERE permission_key = 'ops.execute'") == [(0,)]


# --- onto a key that a row of ours has, which was made of no legacy permission ----------------------------------------

SEEDED = (
    *("organizations", "seed_permissions", "permissions", "roles", "role_permissions"),
    *("seed_roles", "seed_role_permissions"),
)
SEED, WORD = "backups.download", "ops.word"
BY_HAND = (
    "INSERT INTO role_permissions (role_id, permission_key) SELECT id, %s FROM roles WHERE name IN ('Ops', 'Twin')"
)
HOLD_WORD = f"INSERT INTO role_meta (role_name, permissions) VALUES ('Sales', ARRAY['{WORD}'])"


@pytest.mark.parametrize("key_of_ours", [SEED, WORD])
def test_a_permission_renamed_to_the_key_of_a_seed_or_a_word_has_that_row_from_then_on(
    pair: Migration, key_of_ours: str
) -> None:
    """One row, with legacy's label, and whoever held either key holds this one; and back again."""
    pair.legacy.execute(HOLD_WORD)
    pair.run(*SEEDED)
    with pair.target.connect() as connection:
        for one in ("ops.run", key_of_ours):
            connection.execute(BY_HAND.encode() + b" ON CONFLICT DO NOTHING", [one])
    holders = "SELECT count(DISTINCT role_id) FROM role_permissions WHERE permission_key IN ('ops.run', %s)"
    ((held,),) = pair.query(holders, key_of_ours)
    pair.legacy.execute(f"UPDATE permissions SET key = '{key_of_ours}' WHERE key = 'ops.run'")
    assert pair.run(*SEEDED, planning=True)["permissions"].total(Ledger.UPDATED) == 1
    assert pair.run(*SEEDED)["permissions"].total(Ledger.UPDATED) == 1
    shown = "SELECT permission_key, label FROM permissions WHERE permission_key IN ('ops.run', %s)"
    assert pair.query(shown, key_of_ours) == [(key_of_ours, "Run")]
    assert pair.query(GRANTS, "ops.run") + pair.query(GRANTS, key_of_ours) == [(0,), (held,)]
    assert unbalanced(pair) == []
    assert bugs(pair, "permissions", "role_permissions") == []
    reports = pair.run(*SEEDED, mode=Mode.FULL)
    for table in ("permissions", "role_permissions", "seed_permissions"):
        assert reports[table].total(Ledger.UPDATED) + reports[table].total(Ledger.INSERTED) == 0
    pair.legacy.execute(f"UPDATE permissions SET key = 'ops.run' WHERE key = '{key_of_ours}'")
    pair.run(*SEEDED)
    assert unbalanced(pair) == []
    assert bugs(pair, "permissions", "role_permissions") == []


# --- one batch --------------------------------------------------------------------------------------------------------

IDS = "SELECT id::text FROM books ORDER BY 1"
MAPPED = "SELECT new_key::text, inserted_run FROM remoteiq_etl.legacy_books_map WHERE legacy_key = %s"


def test_rows_move_with_all_that_refers_to_them_and_one_whose_key_is_taken_stays(library: Library) -> None:
    """Book 2 takes the key that book 1 leaves; book 3 wants that of book 4, which stays where it is."""
    session = library.context.session
    merge = library.staged("books", book(1, id=uid(11)), book(2, id=uid(1)), book(3, id=uid(4)), book(4))
    session.execute("ALTER TABLE books DROP CONSTRAINT uq_books_isbn")
    moves = move_keys(library.context, BOOKS, merge)
    assert (sorted(moves.rows), moves.refused) == ([0, 1], {})
    assert library.column(IDS) == [uid(number) for number in (1, 3, 4, 11)]
    assert library.column("SELECT title FROM books WHERE id IN (%s, %s) ORDER BY id", uid(1), uid(11)) == [
        "Book 2",
        "Book 1",
    ]
    assert library.rows(MAPPED, uid(1)) == [(uid(11), library.context.id)]
    tags = "SELECT book_id::text, new_key::json ->> 0 FROM book_tags JOIN remoteiq_etl.legacy_book_tags_map"
    assert len(library.rows(f"{tags} ON new_key::json ->> 0 = book_id::text AND new_key::json ->> 1 = tag")) == 8
    images = "SELECT table_name, operation, count(*) FROM remoteiq_etl.before_images GROUP BY 1, 2 ORDER BY 1"
    assert library.rows(images) == [("book_tags", "delete", 4), ("books", "delete", 2)]
    assert library.rows("SELECT rule, legacy_key FROM remoteiq_etl.decision_warnings") == [("key_taken", uid(3))]


def test_a_move_that_the_target_refuses_is_found_among_the_others(library: Library) -> None:
    merge = library.staged("books", *(book(number, id=uid(number + 10)) for number in (1, 2, 3)))
    library.context.session.execute(
        f"ALTER TABLE books DROP CONSTRAINT uq_books_isbn, ADD CONSTRAINT never CHECK (id <> '{uid(12)}')"
    )
    moves = move_keys(library.context, BOOKS, merge)
    reason = "constraint never of books (SQLSTATE 23514)"
    assert (sorted(moves.rows), moves.refused) == ([0, 2], {1: ("check_violation", ("id",), reason)})
    assert library.column(IDS) == [uid(number) for number in (2, 4, 11, 13)]


def test_rows_that_were_adopted_have_the_key_that_they_had(library: Library) -> None:
    library.context.session.execute("UPDATE remoteiq_etl.legacy_books_map SET adopted = true")
    merge = library.staged("books", book(1, id=uid(11)))
    assert move_keys(library.context, BOOKS, merge).rows == []
    assert uid(1) in library.column(IDS)
