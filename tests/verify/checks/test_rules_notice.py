"""A rule notices what violates it, and names the row."""

import pytest

from remoteiq_etl.verify.checks.rules import rules
from tests.verify.conftest import Bench, undone

#: Rule → a change of a map, or of a copied legacy table, and the row that violates it then.
VIOLATIONS = {
    "roles_of_one_name_are_one": (
        "UPDATE remoteiq_etl.legacy_roles_map SET new_key = gen_random_uuid()"
        " WHERE legacy_key = '0f000000-0000-4000-8000-000000000002'",
        ("roles", "0f000000-0000-4000-8000-000000000002"),
    ),
    "permissions_of_one_key_are_one": (
        "UPDATE remoteiq_etl.legacy_permissions_map SET new_key = 'tickets.write'"
        " WHERE legacy_key = '9e000000-0000-4000-8000-000000000001'",
        ("permissions", "9e000000-0000-4000-8000-000000000001"),
    ),
    "a_revoked_session_is_not_merged_into_a_live_one": (
        "UPDATE legacy_sessions SET revoked_at = CASE WHEN revoked_at IS NULL THEN now() END WHERE jti ~* '^abcdef'",
        ("sessions", "5e000004-0000-4000-8000-000000000000"),
    ),
    "an_address_has_one_account": (
        "UPDATE legacy_users SET email = 'ADA@example.com' WHERE id = 'c5000000-0000-4000-8000-000000000004'",
        ("users", "c5000000-0000-4000-8000-000000000004"),
    ),
    "a_made_role_is_spelled_as_its_word": (
        """UPDATE remoteiq_etl.legacy_roles_map SET decision = '{"name": "Auditors"}' WHERE legacy_key = 'auditor'"""
        " AND legacy_table = 'users.role'",
        ("roles", "auditor"),
    ),
    "a_made_channel_is_spelled_as_in_legacy": (
        """UPDATE remoteiq_etl.legacy_email_channels_map SET decision = '{"name": "HelpDesk"}' WHERE legacy_key = 'helpdesk'"""
        " AND legacy_table = 'derived'",
        ("email_channels", "helpdesk"),
    ),
    "the_last_audit_says_what_the_settings_are": (
        """UPDATE remoteiq_etl.legacy_organization_setting_audits_map SET decision = decision || '{"next": {}}'"""
        """ WHERE legacy_key = '["branding","1"]'""",
        ("organization_setting_audits", '["branding","1"]'),
    ),
    "nothing_is_assigned_to_a_seed": (
        "UPDATE remoteiq_etl.legacy_user_roles_map AS l SET new_key = jsonb_build_array(l.legacy_key, r.new_key)::text"
        " FROM remoteiq_etl.legacy_roles_map AS r WHERE r.legacy_table = 'seed'"
        " AND l.legacy_key = 'c5000000-0000-4000-8000-000000000024'",
        ("user_roles", "c5000000-0000-4000-8000-000000000024"),
    ),
    "one_configuration_is_in_force": (
        """UPDATE remoteiq_etl.legacy_backup_policies_map SET decision = '{"id": "archive-2020"}' WHERE legacy_key = 'used'""",
        ("backup_destinations", "8727653a-1f37-4345-9784-c1c106be3167"),
    ),
    "a_contact_has_a_name_of_its_tickets": (
        """UPDATE remoteiq_etl.legacy_contacts_map SET decision = '{"name": "Nobody"}' WHERE legacy_key = '["name","walk in"]'""",
        ("contacts", "6d987283-2098-4ac6-bf0a-725c6fa87205"),
    ),
    "a_number_leads_to_its_ticket": (
        "UPDATE remoteiq_etl.legacy_tickets_map AS n SET decision = o.decision, new_key = o.new_key"
        " FROM remoteiq_etl.legacy_tickets_map AS o"
        " WHERE n.legacy_table = 'number' AND n.legacy_key = '1004' AND o.legacy_table = 'number' AND o.legacy_key = '1005'",
        ("tickets", "1004"),
    ),
    "a_ticket_keeps_a_number_of_its_own": (
        "UPDATE remoteiq_etl.legacy_tickets_map SET decision = decision || '{\"ticket_number\": 4}'"
        " WHERE legacy_key = '7c000004-0000-4000-8000-000000000000'",
        ("tickets", "7c000004-0000-4000-8000-000000000000"),
    ),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_a_violation_is_named(name: str, asking: Bench) -> None:
    (rule,) = (rule for rule in rules() if rule.name == name)
    change, expected = VIOLATIONS[name]
    for table, columns in rule.reads.items():
        asking.legacy_copy.whole(table, columns)
    session = asking.legacy_copy.session
    with undone(asking):
        assert session.execute(change).rowcount > 0
        assert [(table, key) for table, key, _ in session.rows(rule.statement)] == [expected]
