from typing import Any

from assets.inventory.clients import SPEC, decide, transform
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import batch_of, plain, rows_of, uid
from tests.assets.inventory.rows import agent, device, inputs, ticket


def decided(*rows: list[dict[str, Any]], recorded: dict[str, dict[str, Any]] | None = None) -> Decided:
    earlier = {
        ("derived", key): Decision("derived", key, "spelling", values) for key, values in (recorded or {}).items()
    }
    return decide(inputs(*rows), StoredDecisions(earlier), Context())


def names(found: Decided) -> dict[str, str]:
    return {row[KEY]: row["name"] for row in plain(found.rows["derived"])}


def reports(found: Decided) -> dict[str, int]:
    return dict(found.warned)


def test_distinct_names_of_three_tables() -> None:
    """Clients are the distinct names of devices, agents and tickets, in the spelling used most often."""
    found = decided(
        [device(1, client="Acme"), device(2, client="acme ", site="x")],
        [agent(7, client="ACME"), agent(8, client="Beta")],
        [ticket(client="ACME", uses=1), ticket(customer_id="Gamma", uses=5)],
    )
    assert names(found) == {"acme": "ACME", "beta": "Beta", "gamma": "Gamma"}
    assert {(decision.legacy_table, decision.legacy_key, decision.rule) for decision in found.decisions} == {
        ("derived", key, "spelling") for key in names(found)
    }


def test_unassigned_only_when_needed() -> None:
    """The client Unassigned is made for a site without client, and reported; a real one of that name is that client."""
    assert names(decided([device(1)])) == {}
    found = decided([device(1, site="HQ")])
    assert names(found) == {"unassigned": "Unassigned"}
    assert reports(found) == {"client_unassigned_made": 1}
    found = decided([device(1, site="HQ"), device(2, client="UNASSIGNED")])
    assert names(found) == {"unassigned": "UNASSIGNED"}
    assert reports(found) == {}


def test_clients_known_only_from_agents_are_reported() -> None:
    """A client that no device and no ticket names is counted."""
    found = decided(
        [device(1, client="Acme")], [agent(7, client="acme"), agent(8, client="Beta"), agent(9, client="C")]
    )
    assert reports(found) == {"client_known_only_from_agents": 2}
    assert reports(decided([], [agent(8, client="Beta")], [ticket(client="BETA")])) == {}


def test_external_reference() -> None:
    """external_ref is the customer uuid of a client whose tickets name exactly one."""
    one = [ticket(client="Acme", customer_uuid=uid(1)), ticket(customer_id="acme", customer_uuid=uid(1))]
    assert plain(decided([], [], one).rows["derived"])[0]["external_ref"] == uid(1)
    assert reports(decided([], [], one)) == {}
    found = decided([], [], [*one, ticket(client="ACME", customer_uuid=uid(2))])
    assert plain(found.rows["derived"])[0]["external_ref"] is None
    assert reports(found) == {"client_external_ref_ambiguous": 1}
    found = decided([], [], [ticket(customer_uuid=uid(1)), ticket(customer_uuid=uid(2))])
    assert plain(found.rows["derived"]) == []
    assert reports(found) == {}


def test_recorded_decision_stays() -> None:
    """A recorded spelling and reference stay; what would be decided otherwise today is counted."""
    tickets = [
        ticket(client="Acme", customer_uuid=uid(1)),
        ticket(client="ACME", customer_uuid=uid(2), uses=9),
    ]
    found = decided([], [], tickets, recorded={"acme": {"name": "Acme", "external_ref": uid(1)}})
    assert plain(found.rows["derived"]) == [{KEY: "acme", "name": "Acme", "external_ref": uid(1)}]
    assert reports(found) == {"client_external_ref_ambiguous": 1, "spelling_would_change": 1}


def test_reference_is_decided_again_when_it_is_gone() -> None:
    """A recorded reference that no ticket names any more, or none at all, is decided again."""
    tickets = [ticket(client="Acme", customer_uuid=uid(2))]
    for earlier in (uid(1), None):
        found = decided([], [], tickets, recorded={"acme": {"name": "Acme", "external_ref": earlier}})
        assert plain(found.rows["derived"])[0]["external_ref"] == uid(2)


def test_recorded_decision_of_a_client_that_is_gone() -> None:
    """A client that nobody names any more has no row, but its decision is kept."""
    found = decided([], recorded={"acme": {"name": "Acme", "external_ref": None}})
    assert names(found) == {}
    assert [decision.legacy_key for decision in found.decisions] == ["acme"]


def test_target_row() -> None:
    """One client per normalised name, of our organization."""
    context = Context(lookups={("organizations", "derived"): Lookup.of({"default": uid(5)})})
    batch = transform(batch_of({KEY: ["acme"], "name": ["Acme"], "external_ref": [uid(1)]}), context)
    assert rows_of(batch) == [
        {
            KEY: "acme",
            "id": context.derive("clients", "derived", "acme"),
            "organization_id": uid(5),
            "name": "Acme",
            "external_ref": uid(1),
        }
    ]


def test_adopted_by_name() -> None:
    """A client of the organization with that name is the same client."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("organization_id", "name")
