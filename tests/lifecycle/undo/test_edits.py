"""An edit of a user is kept by an undo, whatever a run has written to the row besides, before or since."""

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.config.conflicts import ConflictPolicies, ConflictPolicy
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from tests.support.migrating import Migration
from tests.support.small_installation import key
from tests.support.undoing import EVERYTHING, last_run, planned, undone

USER = key("user", 3)


def kept(migration: Migration, scope: UndoScope) -> set[tuple[str, str, str]]:
    return {(row.table, row.key, row.reason) for row in planned(migration, scope).kept}


def test_an_edit_before_a_touch_is_an_edit(pair: Migration) -> None:
    """The run only moved last_seen_at on: the name stays the user's."""
    pair.target.execute(f"UPDATE users SET first_name = 'Edited' WHERE id = '{USER}'")
    pair.legacy.execute(f"UPDATE users SET last_seen = '2024-05-01' WHERE id = '{USER}'")
    pair.run("users")
    assert ("users", USER, "edited in target") in kept(pair, EVERYTHING)


def test_an_edit_between_two_touches_is_an_edit(pair: Migration) -> None:
    for month, name in ((5, "Edited"), (6, None)):
        pair.legacy.execute(f"UPDATE users SET last_seen = '2024-0{month}-01' WHERE id = '{USER}'")
        pair.run("users")
        if name is not None:
            pair.target.execute(f"UPDATE users SET first_name = '{name}' WHERE id = '{USER}'")
    assert ("users", USER, "edited in target") in kept(pair, EVERYTHING)


def test_an_edit_that_a_door_kept_is_an_edit(pair: Migration) -> None:
    """The password was changed in the new application; what else legacy changes in the row is written all the same."""
    pair.target.execute(
        f"UPDATE users SET password_hash = 'its own' WHERE id = '{USER}';"
        f"UPDATE user_security SET password_changed_at = now() WHERE user_id = '{USER}'"
    )
    pair.legacy.execute(
        f"UPDATE users SET name = 'Renamed', password_hash = 'other', updated_at = now() WHERE id = '{USER}'"
    )
    pair.run("users")
    assert pair.query(f"SELECT first_name, password_hash FROM users WHERE id = '{USER}'") == [("Renamed", "its own")]
    assert ("users", USER, "edited in target") in kept(pair, EVERYTHING)


def test_what_a_door_refused_without_an_edit_is_none(pair: Migration) -> None:
    """Legacy disabled the user and enables it again: the door keeps it disabled, and nobody has edited the row."""
    for suspended, seen in (("true", 5), ("false", 6)):
        pair.legacy.execute(
            f"UPDATE users SET suspended = {suspended}, last_seen = '2024-0{seen}-01' WHERE id = '{USER}'"
        )
        pair.run("users")
    assert pair.query(f"SELECT status FROM users WHERE id = '{USER}'") == [("disabled",)]
    assert kept(pair, EVERYTHING) == set()


def test_an_edit_that_was_given_up_for_legacy_is_none_any_more(pair: Migration) -> None:
    """By the policy take_legacy the row became ours again; the edit comes back when that run is undone."""
    pair.target.execute(f"UPDATE users SET first_name = 'Edited' WHERE id = '{USER}'")
    pair.legacy.execute(f"UPDATE users SET name = 'Legacy', last_seen = '2024-05-01' WHERE id = '{USER}'")
    pair.run("users", conflicts=ConflictPolicies(ConflictPolicy.TAKE_LEGACY))
    assert kept(pair, EVERYTHING) == set()
    undone(pair, UndoScope(run=last_run(pair)))
    assert pair.query(f"SELECT first_name FROM users WHERE id = '{USER}'") == [("Edited",)]
    assert ("users", USER, "edited in target") in kept(pair, EVERYTHING)


def test_an_edit_of_an_adopted_row_stays_when_a_run_touched_it_since(pair: Migration) -> None:
    new = "c9000000-0000-4000-8000-000000000001"
    pair.target.execute(
        "INSERT INTO users (organization_id, email, password_hash)"
        " SELECT id, 'adopted@example.com', 'its own' FROM organizations"
    )
    pair.legacy.execute(f"INSERT INTO users (id, name, email) VALUES ('{new}', 'Given Name', 'adopted@example.com')")
    pair.run("users")
    pair.target.execute("UPDATE users SET first_name = 'Edited' WHERE email = 'adopted@example.com'")
    pair.legacy.execute(f"UPDATE users SET last_seen = '2024-05-01' WHERE id = '{new}'")
    pair.run("users")
    adopted = pair.query("SELECT id::text FROM users WHERE email = 'adopted@example.com'")[0][0]
    assert ("users", adopted, "edited in target") in kept(pair, EVERYTHING)


def test_a_user_who_signed_up_since_the_undo_is_adopted_by_the_next_run(pair: Migration) -> None:
    """The legacy row leads to the account that has its address now, not to the one that was taken back."""
    tables = ("users", "user_security", "user_roles", "sessions", "trusted_devices", "personal_access_tokens")
    undone(pair, UndoScope(assets=tables))
    own = "c9000000-0000-4000-8000-000000000002"
    pair.target.execute(
        "INSERT INTO users (id, organization_id, email, password_hash)"
        f" SELECT '{own}', id, 'user3@example.com', 'its own' FROM organizations"
    )
    pair.run(*tables)
    found = "SELECT u.id::text, u.first_name, m.state, m.adopted FROM users AS u"
    found += f" LEFT JOIN remoteiq_etl.legacy_users_map AS m ON m.new_key = u.id WHERE u.id IN ('{own}', '{USER}')"
    assert pair.query(found) == [(own, "User", "live", True)]
    pair.run(*tables, mode=Mode.FULL)
    assert pair.query(found) == [(own, "User", "live", True)]
