"""Each rule about the inventory and about checks names the key of an entry that was changed behind its back."""

from importlib.resources import files

import pytest

from remoteiq_etl.verify.expected.expectation import parse
from tests.verify.conftest import Bench

#: Rule, what is changed in the state schema, and the key that the rule then names.
CHANGES = [
    (
        "inventory/names_of_clients_are_legacy_spellings",
        "UPDATE legacy_clients_map SET decision = jsonb_set(decision, '{name}', '\"Globex\"') WHERE legacy_key = 'acme'",
        "acme",
    ),
    (
        "inventory/names_of_clients_are_legacy_spellings",
        "UPDATE legacy_clients_map SET decision = jsonb_set(decision, '{name}', '\"aCMe\"') WHERE legacy_key = 'acme'",
        "acme",
    ),
    (
        "inventory/names_of_sites_are_legacy_spellings",
        "UPDATE legacy_sites_map SET decision = jsonb_set(decision, '{name}', '\"Lab\"') WHERE legacy_key = '[\"acme\",\"hq\"]'",
        '["acme","hq"]',
    ),
    (
        "inventory/names_of_sites_are_legacy_spellings",
        "UPDATE legacy_sites_map SET decision = jsonb_set(decision, '{name}', '\"hQ\"') WHERE legacy_key = '[\"acme\",\"hq\"]'",
        '["acme","hq"]',
    ),
    (
        "inventory/external_refs_are_customers_of_tickets",
        "UPDATE legacy_clients_map SET decision = jsonb_set(decision, '{external_ref}', '\"4f000009-0000-4000-8000-000000000000\"')"
        " WHERE legacy_key = 'acme'",
        "acme",
    ),
    (
        "inventory/external_refs_are_customers_of_tickets",
        "UPDATE legacy_clients_map SET decision = jsonb_set(decision, '{external_ref}', 'null') WHERE legacy_key = 'acme'",
        "acme",
    ),
    (
        "inventory/agents_are_on_devices_that_a_step_finds",
        'UPDATE legacy_devices_map SET decision = \'{"same_as": ["devices", "d0000007-0000-4000-8000-000000000000"]}\''
        " WHERE legacy_table = 'agents' AND legacy_key = '6'",
        "6",
    ),
    (
        "inventory/a_hostname_is_kept_by_one_machine",
        "UPDATE legacy_devices_map SET decision = jsonb_set(decision, '{keeper,1}', '\"d0000002-0000-4000-8000-000000000000\"')"
        " WHERE legacy_key = 'd0000009-0000-4000-8000-000000000000' AND legacy_table = 'devices'",
        "d0000009-0000-4000-8000-000000000000",
    ),
    (
        "inventory/a_hostname_is_kept_by_one_machine",
        "UPDATE legacy_devices_map SET decision = decision - 'keeper'"
        " WHERE legacy_key = 'd0000009-0000-4000-8000-000000000000' AND legacy_table = 'devices'",
        "d0000009-0000-4000-8000-000000000000",
    ),
    (
        "inventory/decisions_lead_to_the_row_they_name",
        'UPDATE legacy_checks_map SET new_key = gen_random_uuid() WHERE legacy_key = \'["disk","health"]\'',
        'assignment ["disk","health"]',
    ),
    (
        "inventory/device_texts_are_read_in_order",
        "UPDATE legacy_devices_map SET new_key = gen_random_uuid() WHERE legacy_table = 'device_text' AND legacy_key = '12'",
        "12",
    ),
    (
        "inventory/device_texts_are_read_in_order",
        "UPDATE legacy_devices_map SET decision = jsonb_set(decision, '{way}', '\"hostname\"') WHERE legacy_table = 'device_text'"
        " AND legacy_key = 'd0000004-0000-4000-8000-000000000000'",
        "d0000004-0000-4000-8000-000000000000",
    ),
    (
        "inventory/device_texts_are_read_in_order",
        "UPDATE legacy_devices_map SET new_key = gen_random_uuid() WHERE legacy_table = 'device_text' AND legacy_key = 'HOST-X'",
        "HOST-X",
    ),
    (
        "monitoring/synthesized_checks_have_no_defined_twin",
        'UPDATE legacy_checks_map SET legacy_key = \'["disk","health"]\''
        " WHERE legacy_table = 'derived' AND legacy_key = '[\"cpu\",\"cpu\"]'",
        '["disk","health"]',
    ),
    (
        "monitoring/assignments_mean_checks_of_their_type_and_name",
        "UPDATE legacy_checks_map SET decision = jsonb_set(decision, '{check}', '\"cc000001-0000-4000-8000-000000000000\"')"
        ' WHERE legacy_key = \'["disk","health"]\'',
        '["disk","health"]',
    ),
    (
        "monitoring/assignments_mean_checks_of_their_type_and_name",
        "UPDATE legacy_checks_map SET decision = jsonb_set(decision, '{check}', '\"cc000099-0000-4000-8000-000000000000\"')"
        ' WHERE legacy_key = \'["disk","health"]\'',
        '["disk","health"]',
    ),
    (
        "monitoring/names_of_checks_follow_from_those_asked_for",
        "UPDATE legacy_checks_map SET decision = jsonb_set(decision, '{name}', '\"Another\"')"
        " WHERE legacy_key = 'cc000007-0000-4000-8000-000000000000'",
        "cc000007-0000-4000-8000-000000000000",
    ),
    (
        "monitoring/names_of_checks_follow_from_those_asked_for",
        'UPDATE legacy_checks_map SET decision = \'{"of": "Shares", "name": "Shares"}\''
        " WHERE legacy_key = 'cc000007-0000-4000-8000-000000000000'",
        "cc000007-0000-4000-8000-000000000000",
    ),
    (
        "monitoring/stand_ins_are_assignments_of_their_device",
        "UPDATE legacy_check_assignments_map SET decision = jsonb_set(decision, '{assignment}', '\"ca000001-0000-4000-8000-000000000000\"')"
        " WHERE legacy_table = 'device' AND legacy_key = 'd0000006-0000-4000-8000-000000000000'",
        "d0000006-0000-4000-8000-000000000000",
    ),
    (
        "monitoring/stand_ins_are_assignments_of_their_device",
        "UPDATE legacy_check_assignments_map SET new_key = gen_random_uuid()"
        " WHERE legacy_table = 'device' AND legacy_key = 'd0000007-0000-4000-8000-000000000000'",
        "d0000007-0000-4000-8000-000000000000",
    ),
]


@pytest.mark.parametrize(
    ("name", "change", "key"), CHANGES, ids=[f"{name}-{number}" for number, (name, _, _) in enumerate(CHANGES)]
)
def test_the_rule_names_what_was_changed(name: str, change: str, key: str, asking: Bench) -> None:
    text = files("remoteiq_etl.verify.checks").joinpath("rules", f"{name}.sql").read_text(encoding="utf-8")
    for table, columns in parse(text, name, "").reads.items():
        asking.legacy_copy.whole(table, columns)
    session = asking.legacy_copy.session
    with session.connection.transaction(force_rollback=True):
        session.execute("SET LOCAL search_path = remoteiq_etl, public")
        assert session.execute(change).rowcount == 1
        found = {row[1] for row in session.rows(text)}
    assert key in found
    assert {row[1] for row in session.rows(text)} == set()
