"""Who wins where a row was edited in the target and changed in legacy since it was last written."""

import pytest

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.load import conflicts
from remoteiq_etl.backfill.load.merge_statements import Merge
from remoteiq_etl.config.conflicts import ConflictPolicies, ConflictPolicy
from remoteiq_etl.errors import ConflictError
from tests.assets.builders import uid
from tests.support.library import Library, book, tag
from tests.support.migrating import Migration
from tests.support.server import Database

TABLES = ("organizations", "users")
ADA, BOB = "c5000000-0000-4000-8000-000000000001", "c5000000-0000-4000-8000-000000000004"
TAKE, FAIL = ConflictPolicies(ConflictPolicy.TAKE_LEGACY), ConflictPolicies(ConflictPolicy.FAIL)


def contested(migration: Migration) -> None:
    """Load the users; then the name and the password of one change on both sides."""
    migration.first_run(*TABLES)
    migration.target.execute(f"UPDATE users SET last_name = 'Target', password_hash = 'secret-t' WHERE id = '{ADA}'")
    migration.legacy.execute(f"UPDATE users SET name = 'Ada Legacy', password_hash = 'secret-l' WHERE id = '{ADA}'")


def contested_and_listed(migration: Migration) -> None:
    """After the run that finds it."""
    contested(migration)
    users(migration)


def users(migration: Migration, **changes: object) -> TableReport:
    return migration.run(*TABLES, **changes)["users"]


def name(migration: Migration, user: str = ADA) -> str:
    return str(migration.query("SELECT last_name FROM users WHERE id = %s", user)[0][0])


def listed(migration: Migration, table: str = "users") -> list[tuple[object, ...]]:
    return migration.query(
        "SELECT reason, columns, resolution FROM remoteiq_etl.conflicts WHERE table_name = %s ORDER BY id", table
    )


def decide(migration: Migration, decision: str) -> None:
    migration.target.execute(f"UPDATE remoteiq_etl.conflicts SET decision = '{decision}' WHERE resolved_run IS NULL")


# --- policies ---------------------------------------------------------------------------------------------------


def test_the_target_is_kept_and_all_three_sides_are_listed(either: Migration, edge_db: Database) -> None:
    either.once(contested)
    for _ in range(2):
        assert users(either).total(Ledger.CONFLICT) == 1
        assert name(either) == "Target"
    columns = ["password_hash", "last_name"]
    assert listed(either) == [("edited in target", columns, None)]
    sides = "SELECT last_written, current, incoming FROM remoteiq_etl.conflicts"
    written, current, incoming = either.query(sides)[0]
    assert [side["last_name"] for side in (written, current, incoming)] == ["Lovelace", "Target", "Legacy"]
    assert "password_hash" not in current
    assert "password_hash" not in incoming
    assert "secret-" not in str(either.query(sides))


def test_legacy_is_taken_with_a_before_image(either: Migration, edge_db: Database) -> None:
    either.once(contested)
    report = users(either, conflicts=TAKE)
    assert (report.total(Ledger.CONFLICT), report.total(Ledger.UPDATED)) == (0, 1)
    assert either.query("SELECT last_name, password_hash FROM users WHERE id = %s", ADA) == [("Legacy", "secret-l")]
    assert listed(either) == [("edited in target", ["password_hash", "last_name"], "take_legacy")]
    images = "SELECT image ->> 'last_name' FROM remoteiq_etl.before_images WHERE table_name = 'users' AND new_key = %s"
    assert either.query(images, ADA) == [("Target",)]
    again = users(either, mode=Mode.FULL)
    assert (again.total(Ledger.UPDATED), again.total(Ledger.CONFLICT)) == (0, 0)


def test_a_table_fails_before_it_writes_and_names_keys_and_columns(either: Migration, edge_db: Database) -> None:
    either.once(contested)
    edge_db.execute(f"UPDATE users SET name = 'Bob Legacy' WHERE id = '{BOB}'")
    with pytest.raises(ConflictError, match="users: 1 rows") as failed:
        users(either, conflicts=FAIL)
    assert f"{ADA}: password_hash, last_name" in str(failed.value)
    assert not any(value in str(failed.value) for value in ("Target", "Legacy", "secret-"))
    assert (name(either), name(either, BOB)) == ("Target", "Stone")
    assert listed(either) == [("edited in target", ["password_hash", "last_name"], None)]


def test_a_plan_shows_conflicts_and_does_not_fail(either: Migration, edge_db: Database) -> None:
    either.once(contested)
    assert users(either, planning=True, conflicts=FAIL).total(Ledger.CONFLICT) == 1
    assert users(either, planning=True, conflicts=TAKE).total(Ledger.UPDATED) == 1
    assert (name(either), listed(either)) == ("Target", [])


def test_a_table_may_have_a_policy_of_its_own(migration: Migration, edge_db: Database) -> None:
    migration.once(contested)
    users(migration, conflicts=ConflictPolicies(ConflictPolicy.FAIL, {"users": ConflictPolicy.TAKE_LEGACY}))
    assert name(migration) == "Legacy"


# --- decisions of an operator -----------------------------------------------------------------------------------


def test_what_is_kept_stays_kept_until_legacy_changes_again(either: Migration, edge_db: Database) -> None:
    either.once(contested_and_listed)
    decide(either, "keep")
    for _ in range(2):
        assert users(either, conflicts=FAIL).total(Ledger.CONFLICT) == 0
        assert name(either) == "Target"
        assert [resolution for _, _, resolution in listed(either)] == ["keep"]
    edge_db.execute(f"UPDATE users SET name = 'Ada Again' WHERE id = '{ADA}'")
    assert users(either).total(Ledger.CONFLICT) == 1
    assert [resolution for _, _, resolution in listed(either)] == ["keep", None]


def test_what_is_taken_is_written_by_the_next_run(either: Migration, edge_db: Database) -> None:
    either.once(contested_and_listed)
    decide(either, "take")
    assert users(either).total(Ledger.UPDATED) == 1
    assert name(either) == "Legacy"
    assert [resolution for _, _, resolution in listed(either)] == ["take"]


def test_a_decision_is_about_what_was_listed(migration: Migration, edge_db: Database) -> None:
    """When either side changes after it, nothing is written and the conflict is open again, undecided."""
    migration.once(contested_and_listed)
    decide(migration, "take")
    migration.target.execute(f"UPDATE users SET last_name = 'Edited again' WHERE id = '{ADA}'")
    assert users(migration).total(Ledger.CONFLICT) == 1
    assert name(migration) == "Edited again"
    open_ones = "SELECT current ->> 'last_name', decision FROM remoteiq_etl.conflicts WHERE resolved_run IS NULL"
    assert migration.query(open_ones) == [("Edited again", None)]


def test_a_conflict_whose_sides_agree_again_is_resolved(either: Migration, edge_db: Database) -> None:
    either.once(contested_and_listed)
    either.target.execute(f"UPDATE users SET last_name = 'Legacy', password_hash = 'secret-l' WHERE id = '{ADA}'")
    assert users(either).total(Ledger.CONFLICT) == 0
    assert [resolution for _, _, resolution in listed(either)] == ["agreed"]


def test_a_conflict_ends_when_legacy_goes_back(migration: Migration, edge_db: Database) -> None:
    migration.once(contested)
    before = "$2b$12$edgecaseedgecaseedgecasehash"
    users(migration)
    edge_db.execute(f"UPDATE users SET name = 'Ada Lovelace', password_hash = '{before}' WHERE id = '{ADA}'")
    assert users(migration).total(Ledger.CONFLICT) == 0
    assert (name(migration), [found[2] for found in listed(migration)]) == ("Target", ["agreed"])


def test_a_conflict_ends_when_the_row_is_deleted_in_the_target(migration: Migration, edge_db: Database) -> None:
    migration.once(contested_and_listed)
    migration.target.execute(f"DELETE FROM users WHERE id = '{ADA}'")
    users(migration)
    assert [resolution for _, _, resolution in listed(migration)] == ["deleted in target"]


# --- adopted rows -----------------------------------------------------------------------------------------------


@pytest.fixture
def adopted(migration: Migration, edge_db: Database) -> Migration:
    """Ada has an account in the target already."""
    migration.once(adopt_ada)
    return migration


def adopt_ada(migration: Migration) -> None:
    migration.first_run("organizations")
    migration.target.execute(
        "INSERT INTO users (organization_id, email, password_hash, last_name, status)"
        " SELECT id, 'ada@example.com', 'secret-t', 'Target', 'invited' FROM organizations"
    )
    users(migration)


ADOPTED = "SELECT last_name, first_name, password_hash, status::text FROM users WHERE email = 'ada@example.com'"


@pytest.mark.parametrize("policy", list(ConflictPolicy))
def test_an_adopted_row_keeps_its_own_values_under_each_policy(
    adopted: Migration, edge_db: Database, policy: ConflictPolicy
) -> None:
    edge_db.execute(f"UPDATE users SET name = 'Ada Legacy' WHERE id = '{ADA}'")
    users(adopted, conflicts=ConflictPolicies(policy))
    assert adopted.query(ADOPTED) == [("Target", "Ada", "secret-t", "invited")]
    assert [(reason, resolution) for reason, _, resolution in listed(adopted)] == [("adopted", None)]


def test_an_adopted_user_gets_no_password_and_no_status_even_when_asked(adopted: Migration) -> None:
    decide(adopted, "take")
    users(adopted)
    assert adopted.query(ADOPTED) == [("Lovelace", "Ada", "secret-t", "invited")]
    assert [resolution for _, _, resolution in listed(adopted)] == ["take"]


def test_an_adopted_user_whose_values_were_equal_gets_no_new_password(migration: Migration, edge_db: Database) -> None:
    """The row was as legacy had it, so that it is updated like ours, but for what an adopted user never gets."""
    migration.first_run(*TABLES)
    migration.target.execute("UPDATE remoteiq_etl.legacy_users_map SET adopted = true")
    edge_db.execute(f"UPDATE users SET name = 'Ada Legacy', password_hash = 'secret-l' WHERE id = '{ADA}'")
    users(migration)
    assert migration.query(ADOPTED)[0][0] == "Legacy"
    assert migration.query("SELECT count(*) FROM users WHERE password_hash = 'secret-l'") == [(0,)]


def test_a_kept_difference_of_an_adopted_row_is_resolved(adopted: Migration) -> None:
    decide(adopted, "keep")
    users(adopted)
    assert [resolution for _, _, resolution in listed(adopted)] == ["keep"]
    assert adopted.query(ADOPTED)[0][0] == "Target"


# --- one batch --------------------------------------------------------------------------------------------------------

OPEN = (
    "SELECT legacy_key, columns, reason, decision FROM remoteiq_etl.conflicts WHERE resolved_run IS NULL ORDER BY 1, 3"
)
PLANNED = "SELECT action FROM merge_plan ORDER BY _row"


@pytest.fixture
def edited(library: Library) -> Merge:
    """Books 1 and 2 have another title on both sides; a book that legacy changes was withdrawn in the target."""
    library.context.session.execute(
        f"UPDATE books SET title = 'By hand', pin = 'theirs' WHERE id IN ('{uid(1)}', '{uid(2)}');"
        f" UPDATE books SET withdrawn_at = '2024-01-01' WHERE id = '{uid(3)}'"
    )
    merge = library.staged("books", *(book(number, title=f"New {number}") for number in (1, 2, 3)), book(4))
    conflicts.list_before(merge, library.context.session, merge.classify(library.context.session))
    return merge


def test_what_the_target_keeps_is_listed_by_column_without_secrets(library: Library, edited: Merge) -> None:
    listed = library.rows(OPEN)
    assert listed == [
        (uid(1), ["title", "pin"], "edited in target", None), (uid(2), ["title", "pin"], "edited in target", None),
        (uid(3), ["withdrawn_at"], "one-way door", None),
    ]  # fmt: skip
    sides = "SELECT current ->> 'title', incoming ->> 'title', current ? 'pin' FROM remoteiq_etl.conflicts WHERE legacy_key = %s"
    assert library.rows(sides, uid(1)) == [("By hand", "New 1", False)]


@pytest.mark.parametrize("stale", [False, True])
def test_a_decision_is_carried_out_as_long_as_both_sides_are_what_was_decided_about(
    library: Library, edited: Merge, stale: bool
) -> None:
    session = library.context.session
    session.execute(
        "UPDATE remoteiq_etl.conflicts SET decision = CASE legacy_key WHEN %s THEN 'take' ELSE 'keep' END", [uid(1)]
    )
    if stale:
        session.execute("UPDATE remoteiq_etl.conflicts SET incoming_hash = 'another'")
    conflicts.carry_out(edited, session)
    assert library.column(PLANNED) == [*(["conflict kept"] * 2 if stale else ["taken", "kept"]), "updated", "unchanged"]
    conflicts.settle(edited, session)
    assert [row[0] for row in library.rows(OPEN)] == ([uid(1), uid(2), uid(3)] if stale else [])


def test_what_was_decided_about_another_state_of_the_sides_is_forgotten_when_it_is_listed_again(
    library: Library, edited: Merge
) -> None:
    session = library.context.session
    session.execute("UPDATE remoteiq_etl.conflicts SET decision = 'keep'")
    session.execute(f"UPDATE books SET title = 'By hand again' WHERE id = '{uid(2)}'")
    conflicts.list_before(edited, session, {"conflict kept"})
    assert [row[3] for row in library.rows(OPEN)] == ["keep", None, "keep"]


@pytest.mark.parametrize("policy", list(ConflictPolicy))
def test_a_policy_decides_about_edited_rows_of_ours_only(
    library: Library, edited: Merge, policy: ConflictPolicy
) -> None:
    library.context.session.execute("UPDATE merge_plan SET adopted = true WHERE _row = 1")
    failing = conflicts.follow(edited, library.context.session, policy)
    taken = policy == ConflictPolicy.TAKE_LEGACY
    assert library.column(PLANNED)[:2] == ["taken" if taken else "conflict kept", "conflict kept"]
    assert failing == ([(uid(1), ["title", "pin"])] if policy == ConflictPolicy.FAIL else [])


def test_a_link_that_is_not_moved_is_listed_with_what_its_owner_has(library: Library) -> None:
    session = library.context.session
    session.execute(f"INSERT INTO book_tags VALUES ('{uid(1)}', 'by hand')")
    merge = library.staged("book_tags", tag(1, "new", "old"))
    conflicts.list_before(merge, session, merge.classify(session))
    listed = "SELECT columns, last_written ->> 'tag', jsonb_array_length(current), incoming ->> 'tag' FROM remoteiq_etl.conflicts"
    assert library.rows(listed) == [(["tag"], "old", 3, "new")]
    assert conflicts.follow(merge, session, ConflictPolicy.FAIL) == [(f'["{uid(1)}","old"]', ["tag"])]


def test_what_an_adopted_row_still_differs_in_is_listed(library: Library) -> None:
    library.context.session.execute(f"UPDATE books SET title = 'Theirs' WHERE id = '{uid(1)}'")
    merge = library.staged("books", book(1))
    merge.classify(library.context.session)
    library.context.session.execute("UPDATE merge_plan SET action = 'adopted', adopted = true")
    conflicts.list_adopted(merge, library.context.session)
    assert library.rows(OPEN) == [(uid(1), ["title"], "adopted", None)]


def test_an_error_names_ten_keys_and_counts_the_rest() -> None:
    said = str(conflicts.failure("books", [(f"key {number}", ["title"]) for number in range(12)]))
    assert said.count(": title") == 10
    assert "books: 12 rows were edited" in said
    assert "; and 2 more)" in said
