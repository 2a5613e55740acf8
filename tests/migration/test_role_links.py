"""A change of role in legacy: the old link goes and the new one comes together, or nothing changes."""

import pytest

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.config.conflicts import ConflictPolicies, ConflictPolicy
from tests.support.migrating import Migration
from tests.support.server import Database

ACCESS = ("organizations", "seed_permissions", "permissions", "roles", "users", "user_roles")
OTTO = "c5000000-0000-4000-8000-000000000018"
TAKE = ConflictPolicies(ConflictPolicy.TAKE_LEGACY)


@pytest.fixture
def linked(either: Migration, edge_db: Database) -> Migration:
    """Otto is an auditor; in legacy he has become a technician."""
    either.first_run(*ACCESS)
    assert roles(either) == ["Auditor"]
    edge_db.execute(f"UPDATE users SET role = 'Technician' WHERE id = '{OTTO}'")
    return either


def roles(migration: Migration) -> list[str]:
    query = "SELECT r.name FROM user_roles u JOIN roles r ON r.id = u.role_id WHERE u.user_id = %s ORDER BY 1"
    return [row[0] for row in migration.query(query, OTTO)]


def links(migration: Migration) -> TableReport:
    return migration.run(*ACCESS, conflicts=TAKE)["user_roles"]


def refused(migration: Migration) -> list[tuple[object, ...]]:
    return migration.query(
        "SELECT reason, columns, resolution FROM remoteiq_etl.conflicts WHERE table_name = 'user_roles' ORDER BY id"
    )


def test_the_link_follows_the_role_of_legacy(linked: Migration) -> None:
    report = links(linked)
    assert (report.total(Ledger.UPDATED), roles(linked), refused(linked)) == (1, ["Technician"], [])
    images = "SELECT operation, image ->> 'user_id' FROM remoteiq_etl.before_images WHERE table_name = 'user_roles'"
    assert linked.query(images) == [("delete", OTTO)]
    before = linked.versions()["user_roles"]
    links(linked)
    assert linked.versions()["user_roles"] == before


def test_a_link_removed_in_the_new_system_is_followed_by_no_other(linked: Migration, edge_db: Database) -> None:
    """Nor is it given again when legacy goes back to it."""
    linked.target.execute(f"DELETE FROM user_roles WHERE user_id = '{OTTO}'")
    for _ in range(2):
        assert (links(linked).total(Ledger.CONFLICT), roles(linked)) == (1, [])
        assert refused(linked) == [("one-way door", ["role_id"], None)]
    edge_db.execute(f"UPDATE users SET role = 'Auditor' WHERE id = '{OTTO}'")
    assert (links(linked).total(Ledger.CONFLICT), roles(linked)) == (0, [])
    assert refused(linked) == [("one-way door", ["role_id"], "agreed")]


def test_a_link_added_in_the_new_system_stops_the_change(linked: Migration) -> None:
    linked.target.execute(
        f"INSERT INTO user_roles (user_id, role_id) SELECT '{OTTO}', id FROM roles WHERE name = 'DISPATCH'"
    )
    assert (links(linked).total(Ledger.CONFLICT), roles(linked)) == (1, ["Auditor", "DISPATCH"])
    written, current = linked.query("SELECT last_written, current FROM remoteiq_etl.conflicts")[0]
    assert written in current
    assert len(current) == 2
    linked.target.execute("UPDATE remoteiq_etl.conflicts SET decision = 'keep'")
    assert (links(linked).total(Ledger.CONFLICT), roles(linked)) == (0, ["Auditor", "DISPATCH"])
    assert refused(linked) == [("one-way door", ["role_id"], "keep")]
    assert links(linked).total(Ledger.CONFLICT) == 0


def test_the_change_is_made_once_the_links_are_again_those_last_written(linked: Migration) -> None:
    linked.target.execute(
        f"INSERT INTO user_roles (user_id, role_id) SELECT '{OTTO}', id FROM roles WHERE name = 'DISPATCH'"
    )
    links(linked)
    linked.target.execute("DELETE FROM user_roles WHERE role_id = (SELECT id FROM roles WHERE name = 'DISPATCH')")
    assert (links(linked).total(Ledger.UPDATED), roles(linked)) == (1, ["Technician"])
    assert refused(linked) == [("one-way door", ["role_id"], "agreed")]


def test_a_link_edited_in_the_new_system_stops_the_change(linked: Migration) -> None:
    linked.target.execute(f"UPDATE user_roles SET assigned_at = now() WHERE user_id = '{OTTO}'")
    assert (links(linked).total(Ledger.CONFLICT), roles(linked)) == (1, ["Auditor"])
