"""What the application wrote beside ours is listed, never a BUG; what refers to a row of ours without a foreign key keeps it."""

from collections.abc import Iterator

import pytest

from remoteiq_etl.backfill.deletes.detect import DeletePolicy
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import FindingKind, Label, VerificationVerdict
from tests.support.gone import is_there, listed, new_key
from tests.support.migrating import Migration, migrated_target
from tests.support.server import Server
from tests.support.undoing import EVERYTHING, planned

_WRITES = """
DELETE FROM agent_software WHERE agent_id = (SELECT new_key FROM remoteiq_etl.legacy_agents_map WHERE legacy_key = '1');
INSERT INTO agent_software (id, agent_id, name, version)
    SELECT gen_random_uuid(), new_key, 'Editor', '1' FROM remoteiq_etl.legacy_agents_map WHERE legacy_key = '1';
DELETE FROM users WHERE id = '{deleted}';
INSERT INTO permissions (permission_key, label, group_key, group_label) VALUES ('me.profile', 'Own profile', 'me', 'Own');
INSERT INTO role_permissions (role_id, permission_key)
    SELECT new_key, 'me.profile' FROM remoteiq_etl.legacy_roles_map WHERE state = 'live' ORDER BY 1 LIMIT 1;
INSERT INTO roles (id, organization_id, scope, name)
    SELECT 'd0000000-0000-4000-8000-000000000001', id, 'organization', 'Made in the application' FROM organizations LIMIT 1;
INSERT INTO role_permissions (role_id, permission_key) VALUES ('d0000000-0000-4000-8000-000000000001', 'me.profile');
INSERT INTO user_roles (user_id, role_id) SELECT new_key, 'd0000000-0000-4000-8000-000000000001'
    FROM remoteiq_etl.legacy_users_map WHERE state = 'live' AND new_key <> '{deleted}' ORDER BY 1 LIMIT 1;
CREATE TABLE ticket_activity (id int PRIMARY KEY, ticket_id text NOT NULL);
INSERT INTO ticket_activity SELECT 7, new_key FROM remoteiq_etl.legacy_tickets_map WHERE legacy_key = '{ticket}'
"""


@pytest.fixture(scope="module")
def beside(server: Server, edge_template: str) -> Iterator[Migration]:
    """A migrated target, written to by the application as by _WRITES; legacy has touched what it replaced and deleted since."""
    legacy = server.create_database(template=edge_template)
    migration = migrated_target(server, legacy)
    migration.target.execute(_WRITES.format(deleted=_deleted(migration), ticket=_ticket(migration)))
    legacy.execute(
        "UPDATE agents SET last_seen_at = now() WHERE id = 1; UPDATE agent_software SET version = '2' WHERE agent_id = 1;"
        " INSERT INTO agent_software (id, agent_id, name) VALUES (777, 1, 'Later');"
        " UPDATE users SET phone = '555-0100' WHERE id = (SELECT id FROM users WHERE status = 'active' ORDER BY id LIMIT 1)"
    )
    migration.run()
    yield migration
    migration.target.drop()
    legacy.drop()


@pytest.fixture(scope="module")
def verdict(beside: Migration) -> VerificationVerdict:
    return verify(beside.plan)


def _deleted(migration: Migration) -> str:
    """A user who has a row of user_security."""
    return str(migration.query("SELECT user_id FROM user_security ORDER BY 1 LIMIT 1")[0][0])


def _ticket(migration: Migration) -> str:
    """One that nothing of the redesign refers to."""
    query = (
        "SELECT legacy_key::text FROM remoteiq_etl.legacy_tickets_map AS m WHERE state = 'live'"
        " AND NOT EXISTS (SELECT FROM email_messages WHERE ticket_id = m.new_key) ORDER BY 1 LIMIT 1"
    )
    return str(migration.query(query)[0][0])


def test_rows_that_are_not_ours_are_listed_with_their_keys(verdict: VerificationVerdict) -> None:
    unmanaged = {one.table: one.labels[Label.UNMANAGED] for one in verdict.tables if Label.UNMANAGED in one.labels}
    assert unmanaged == {"agent_software": 1, "permissions": 1, "role_permissions": 2, "roles": 1, "user_roles": 1}


def test_what_gives_a_migrated_user_or_role_more_comes_first(verdict: VerificationVerdict) -> None:
    """A grant to a role that is not ours either gives nobody of ours more."""
    rows = {
        one.table: [found.kind for found in one.findings if found.label is Label.UNMANAGED] for one in verdict.tables
    }
    assert rows["role_permissions"] == [FindingKind.GRANT, FindingKind.FOREIGN]
    assert rows["user_roles"] == [FindingKind.GRANT]
    assert rows["roles"] == [FindingKind.FOREIGN]


def test_nothing_of_it_is_a_bug(verdict: VerificationVerdict) -> None:
    """Nor is software that a load leaves alone, nor what a user deleted in the target has left behind."""
    bugs = [one for table in verdict.tables for one in table.findings if one.label is Label.BUG]
    assert bugs == []
    assert verdict.passed, verdict.incomplete
    details = {one.detail for table in verdict.tables for one in table.findings if one.label is Label.EXPECTED}
    assert "what it belongs to has rows in the target that somebody else made, and is left alone" in details


def test_what_an_undo_would_take_and_the_application_refers_to_blocks_it(beside: Migration) -> None:
    ticket = new_key(beside, "tickets", _ticket(beside))
    blocked = {(row.table, row.key): row for row in planned(beside, EVERYTHING).blocked}
    assert blocked["tickets", str(ticket)].holder == "ticket_activity 7"


def test_a_row_deleted_at_source_stays_as_long_as_the_application_refers_to_it(beside: Migration) -> None:
    number = _ticket(beside)
    beside.legacy.execute(f"DELETE FROM tickets WHERE id::text = '{number}'")
    beside.gone(DeletePolicy.PROPAGATE)
    assert listed(beside, "tickets", number) == [("listed", "referred to", "ticket_activity 7")]
    assert is_there(beside, "tickets", new_key(beside, "tickets", number))
