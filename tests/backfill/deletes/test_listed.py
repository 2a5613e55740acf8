"""Rows gone from legacy: they stay listed by the policy until they are back, and come back as what they were."""

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import Ledger
from remoteiq_etl.backfill.deletes.detect import DeletePolicy
from tests.support.gone import count, is_there, legacy_row, listed, new_key, put_back
from tests.support.migrating import Migration
from tests.support.small_installation import TABLES, key

TICKET, USER = key("ticket", 1), key("user", 1)

# --- listing ----------------------------------------------------------------------------------------------------


def test_by_default_a_gone_row_is_listed_and_stays_listed_until_it_is_back(pair: Migration) -> None:
    """Listed since the run that found it; nothing is written to the target; back again, it is listed no longer."""
    before = pair.versions()
    assert not any(report.gone or report.brake for report in pair.gone(DeletePolicy.LIST).values())
    row = legacy_row(pair, "tickets", TICKET)
    pair.legacy.execute(f"DELETE FROM tickets WHERE id = '{TICKET}'")
    for _ in range(2):
        report = pair.gone(DeletePolicy.LIST)["tickets"]
        assert (report.gone, report.listed, report.deleted) == (1, 1, 0)
    assert listed(pair, "tickets") == [("listed", None, None)]
    assert pair.query("SELECT last_run - first_run FROM remoteiq_etl.gone WHERE table_name = 'tickets'") == [(1,)]
    put_back(pair, "tickets", row)
    assert pair.gone(DeletePolicy.LIST)["tickets"].returned == 1
    assert listed(pair, "tickets") == []
    assert pair.versions() == before


def test_a_gone_row_that_waited_or_was_left_out_does_so_no_longer(pair: Migration) -> None:
    """What the archive keeps of it is marked, until it is back."""
    pair.legacy.execute(
        "INSERT INTO users (id, name, email) VALUES"
        f" ('{key('user', 51)}', 'Twice', 'USER3@example.com'), ('{key('user', 52)}', 'No mail', ' ');"
        f"INSERT INTO permissions (id, key, label, group_key, group_label) VALUES ('{key('perm', 2)}', ' ', 'Lost', 'ops', 'Ops')"
    )
    pair.run(*TABLES)
    waiting = "SELECT count(*) FROM remoteiq_etl.quarantine WHERE table_name = 'users' AND released_run IS NULL"
    left_out = "SELECT count(*) FROM remoteiq_etl.left_out WHERE table_name = 'permissions' AND legacy_key = %s"
    marked = "SELECT DISTINCT gone_run IS NOT NULL FROM remoteiq_etl.legacy_archive WHERE legacy_key = %s"
    assert pair.query(waiting) == [(2,)]
    assert (pair.query(left_out, key("perm", 2)), pair.query(marked, key("perm", 2))) == ([(1,)], [(False,)])
    row = legacy_row(pair, "permissions", key("perm", 2))
    pair.legacy.execute(
        f"DELETE FROM users WHERE id = '{key('user', 52)}'; DELETE FROM permissions WHERE id = '{key('perm', 2)}'"
    )
    pair.gone(DeletePolicy.LIST, tables=["users", "permissions"])
    assert pair.query(waiting) == [(1,)]
    assert (pair.query(left_out, key("perm", 2)), pair.query(marked, key("perm", 2))) == ([(0,)], [(True,)])
    with pair.legacy.connect() as connection:
        connection.execute(
            "INSERT INTO permissions SELECT * FROM json_populate_record(NULL::permissions, %s::json)", [row]
        )
    pair.run(*TABLES)
    pair.gone(DeletePolicy.LIST, tables=["permissions"])
    assert (pair.query(left_out, key("perm", 2)), pair.query(marked, key("perm", 2))) == ([(1,)], [(False,)])


def test_under_the_policy_of_listing_a_gone_user_is_disabled_once(pair: Migration) -> None:
    """Who is enabled again by hand stays so; a session alone is only listed."""
    pair.legacy.execute(f"DELETE FROM users WHERE id = '{USER}'; DELETE FROM sessions WHERE id = '{key('session', 3)}'")
    reports = pair.gone(DeletePolicy.LIST, tables=["users", "sessions"])
    assert (reports["users"].withdrawn, reports["sessions"].withdrawn) == (1, 0)
    assert pair.query("SELECT count(*) FROM users WHERE status = 'disabled'") == [(1,)]
    pair.target.execute("UPDATE users SET status = 'active'")
    assert pair.gone(DeletePolicy.LIST, tables=["users"])["users"].withdrawn == 0
    assert pair.query("SELECT DISTINCT status::text FROM users") == [("active",)]


# --- coming back ------------------------------------------------------------------------------------------------


def test_a_deleted_row_comes_back_under_its_old_id(pair: Migration) -> None:
    """With what was made of it; what had referred to it before does so again."""
    old = new_key(pair, "tickets", TICKET)
    row = legacy_row(pair, "tickets", TICKET)
    pair.legacy.execute(f"DELETE FROM tickets WHERE id = '{TICKET}'")
    assert pair.gone(DeletePolicy.PROPAGATE)["tickets"].deleted == 1
    put_back(pair, "tickets", row)
    assert pair.run(*TABLES)["tickets"].total(Ledger.INSERTED) == 1
    assert pair.query("SELECT subject FROM tickets WHERE id = %s", old) == [("Ticket 1",)]
    assert pair.query("SELECT count(*) > 0 FROM ticket_tags WHERE ticket_id = %s", old) == [(True,)]
    pair.gone(DeletePolicy.PROPAGATE, tables=["tickets"])
    assert listed(pair, "tickets") == []


def test_a_user_that_comes_back_stays_disabled(pair: Migration) -> None:
    """A one-way door; what it refused is in the conflict list."""
    row = legacy_row(pair, "users", USER)
    pair.legacy.execute(f"DELETE FROM users WHERE id = '{USER}'")
    pair.gone(DeletePolicy.PROPAGATE, tables=["users"])
    put_back(pair, "users", row)
    pair.run("organizations", "users", "user_security")
    assert pair.query(
        "SELECT columns, reason FROM remoteiq_etl.conflicts WHERE table_name = 'users' AND legacy_key = %s", USER
    ) == [(["status"], "one-way door")]
    pair.gone(DeletePolicy.PROPAGATE, tables=["users"])
    assert pair.query("SELECT id::text FROM users WHERE status = 'disabled'") == [(new_key(pair, "users", USER),)]
    assert listed(pair, "users") == []


def test_a_row_whose_winner_is_gone_lives_on_under_the_others(pair: Migration) -> None:
    """The next of them takes it over, under its id; with the last of them it goes, and its keys all with it."""
    winner, other = key("role", 4), key("role", 5)
    old, before = new_key(pair, "roles", winner), count(pair, "roles")
    pair.legacy.execute(f"DELETE FROM roles WHERE id = '{winner}'")
    assert pair.gone(DeletePolicy.PROPAGATE, tables=["roles"])["roles"].lives_on == 1
    report = pair.run(*TABLES)["roles"]
    assert (report.total(Ledger.INSERTED), report.total(Ledger.QUARANTINED)) == (0, 0)
    assert pair.query("SELECT name FROM roles WHERE id = %s", old) == [("twin ",)]
    states = "SELECT legacy_key, state FROM remoteiq_etl.legacy_roles_map WHERE new_key = %s AND legacy_table = 'roles' ORDER BY 1"
    assert pair.query(states, old) == [(winner, "merged"), (other, "live")]
    pair.legacy.execute(f"DELETE FROM roles WHERE id = '{other}'")
    pair.run(*TABLES)
    assert pair.gone(DeletePolicy.PROPAGATE)["roles"].deleted == 1
    assert count(pair, "roles") == before - 1
    assert {row[0] for row in listed(pair, "roles")} == {"deleted"}


def test_links_and_grants_of_what_is_gone_go_by_the_policy(pair: Migration) -> None:
    """They are replaced as ever while their owner is there."""
    user, role = key("user", 1), new_key(pair, "roles", key("role", 3))
    pair.legacy.execute(
        f"DELETE FROM users WHERE id = '{user}'; UPDATE users SET role = '' WHERE id = '{key('user', 2)}';"
        f"DELETE FROM roles WHERE id = '{key('role', 3)}'"
    )
    links, grants = count(pair, "user_roles"), count(pair, "role_permissions")
    pair.run(*TABLES, mode=Mode.FULL)
    assert count(pair, "user_roles") == links - 1, "that of the user who lost the word"
    assert count(pair, "role_permissions") == grants
    assert pair.gone(DeletePolicy.LIST)["role_permissions"].listed == 1
    pair.gone(DeletePolicy.PROPAGATE)
    assert not is_there(pair, "roles", role)
    assert pair.query("SELECT count(*) FROM role_permissions WHERE role_id = %s", role) == [(0,)]
