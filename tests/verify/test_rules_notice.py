"""Each rule notices what violates it: an entry of a map is changed, and the rule names its key."""

import pytest

from remoteiq_etl.verify.opinion import Opinion
from tests.verify.conftest import Bench
from tests.verify.test_rules import RULES

VIOLATIONS = {
    "roles_of_one_name_are_one": (
        "UPDATE remoteiq_etl.legacy_roles_map SET new_key = gen_random_uuid() WHERE legacy_key = '0f000000-0000-4000-8000-000000000002'",
        "0f000000-0000-4000-8000-000000000002",
    ),
    "one_configuration_is_in_force": (
        """UPDATE remoteiq_etl.legacy_backup_policies_map SET decision = '{"id": "archive-2020"}' WHERE legacy_key = 'used'""",
        "singleton",
    ),
    "a_contact_has_a_name_of_its_tickets": (
        """UPDATE remoteiq_etl.legacy_contacts_map SET decision = '{"name": "Nobody"}' WHERE legacy_key = '["name","walk in"]'""",
        '["name","walk in"]',
    ),
    "a_number_leads_to_its_ticket": (
        "UPDATE remoteiq_etl.legacy_tickets_map AS n SET decision = o.decision, new_key = o.new_key"
        " FROM remoteiq_etl.legacy_tickets_map AS o"
        " WHERE n.legacy_table = 'number' AND n.legacy_key = '1004' AND o.legacy_table = 'number' AND o.legacy_key = '1005'",
        "1004",
    ),
    "a_ticket_keeps_a_number_of_its_own": (
        "UPDATE remoteiq_etl.legacy_tickets_map SET decision = decision || '{\"ticket_number\": 4}'"
        " WHERE legacy_key = '7c000004-0000-4000-8000-000000000000'",
        "7c000004-0000-4000-8000-000000000000",
    ),
}


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.name in VIOLATIONS], ids=lambda rule: rule.name)
def test_the_rule_names_what_violates_it(rule: Opinion, asking: Bench) -> None:
    change, key = VIOLATIONS[rule.name]
    for name, columns in rule.reads.items():
        asking.mirror.whole(name, columns)
    session = asking.mirror.session
    with session.connection.transaction(force_rollback=True):
        assert session.execute(change).rowcount == 1
        assert key in {row[1] for row in session.execute(rule.statement).fetchall()}
