from typing import Any

import pytest

from assets.inventory.rules.pairing import pair
from assets.inventory.rules.places import Mention, Place, Survey, mentions, recorded_survey, survey, ticket_client
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import uid
from tests.assets.inventory.rows import agent, device, inputs, ticket


def surveyed(devices: list[dict[str, Any]], agents: list[dict[str, Any]]) -> Survey:
    return survey(devices, agents, pair(devices, agents, {}))


def place_of(own: dict[str, str], agents: dict[str, str]) -> Place:
    """The place of a device with the agent that it names."""
    found = surveyed([device(1, agent_uuid=uid(9007), **own)], [agent(7, **agents)])
    return found.devices["devices", uid(1)]


@pytest.mark.parametrize(
    ("own", "agents", "place"),
    [
        ({"client": "Acme", "site": "HQ"}, {"client": "Beta", "site": "Lab"}, Place("acme", "hq")),
        ({}, {"client": "Acme", "site": "HQ"}, Place("acme", "hq")),
        ({"client": "Acme"}, {"client": "ACME ", "site": "HQ"}, Place("acme", "hq")),
        ({"client": "Acme"}, {"site": "HQ"}, Place("acme", "hq")),
        ({"client": "Acme"}, {"client": "Beta", "site": "Lab"}, Place("acme", "default")),
        ({"site": "HQ"}, {"client": "Acme", "site": "Lab"}, Place("acme", "hq")),
        ({"site": "HQ"}, {}, Place("unassigned", "hq")),
        ({"client": "Acme"}, {}, Place("acme", "default")),
        ({"client": " ", "site": ""}, {}, Place(None, None)),
    ],
)
def test_place_of_a_device(own: dict[str, str], agents: dict[str, str], place: Place) -> None:
    """A device takes client and site of its agent where it has none, but no site of another client."""
    assert place_of(own, agents) == place


def test_place_of_a_synthesized_device() -> None:
    """A synthesized device is where its agent is."""
    found = surveyed([], [agent(7, client="Acme"), agent(8, site="HQ"), agent(9)])
    assert found.devices == {
        ("agents", "7"): Place("acme", "default"),
        ("agents", "8"): Place("unassigned", "hq"),
        ("agents", "9"): Place(None, None),
    }


@pytest.mark.parametrize(
    ("agents", "place"),
    [
        ({"client": "Beta", "site": "Lab"}, Place("beta", "lab")),
        ({"client": "Beta"}, Place("beta", None)),
        ({"site": "hq"}, Place("acme", "hq")),
        ({"site": "Lab"}, Place("unassigned", "lab")),
        ({}, Place(None, None)),
    ],
)
def test_place_of_an_agent(agents: dict[str, str], place: Place) -> None:
    """An agent's own place; a site without client is its device's where it is the same."""
    devices = [device(1, agent_uuid=uid(9007), client="Acme", site="HQ")]
    assert surveyed(devices, [agent(7, **agents)]).agents["7"] == place


@pytest.mark.parametrize(
    ("values", "client"),
    [
        ({"client": " Acme ", "customer_id": "Beta"}, "Acme"),
        ({"client": " ", "customer_id": "Beta  Ltd"}, "Beta Ltd"),
        ({"customer_id": "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6"}, None),
        ({"customer_id": "f81d4fae-7dec-11d0-a765-00a0c91e6bf"}, "f81d4fae-7dec-11d0-a765-00a0c91e6bf"),
        ({"customer_id": ""}, None),
        ({}, None),
    ],
)
def test_client_of_a_ticket(values: dict[str, str], client: str | None) -> None:
    """A ticket's client is its customer_id where client is blank and that is no uuid."""
    assert ticket_client(ticket(**values)) == client


def test_mentions() -> None:
    """Every place that devices, agents and tickets name, in their own spelling, and what synthesized devices need."""
    found = mentions(
        inputs(
            [device(1, client="Acme ", agent_uuid=uid(9007))],
            [agent(7, site="HQ"), agent(8, client="Beta")],
            [ticket(client="ACME", uses=3), ticket(site="Lab", uses=2)],
        ),
        Context(),
    )
    assert found == [
        Mention("devices", Place("acme", "hq"), "Acme", None, 1),
        Mention("agents", Place("acme", "hq"), None, "HQ", 1),
        Mention("agents", Place("beta", None), "Beta", None, 1),
        Mention("devices", Place("beta", "default"), None, None, 0),
        Mention("tickets", Place("acme", None), "ACME", None, 3),
        Mention("tickets", Place("unassigned", "lab"), None, "Lab", 2),
    ]


def test_recorded_pairs_are_used() -> None:
    """Places follow the recorded pairs, not those that would be made today."""
    rows = inputs([device(1), device(2, agent_uuid=uid(9007))], [agent(7, client="Acme")])
    recorded = Lookup.of({}, decisions={"7": {"same_as": ["devices", uid(1)]}})
    found = recorded_survey(rows, Context(lookups={("devices", "agents"): recorded}))
    assert found.devices == {
        ("devices", uid(1)): Place("acme", "default"),
        ("devices", uid(2)): Place(None, None),
    }


@pytest.mark.parametrize(
    ("known", "taken"),
    [
        (Lookup.of({}), True),
        (Lookup.of({uid(1): uid(1)}), False),
        (Lookup.of({uid(1): uid(7)}, decisions={uid(1): {"agent": "7"}}), True),
    ],
)
def test_devices_that_take_over(known: Lookup, taken: bool) -> None:
    """A late device takes over the synthesized one when it is new or did so before, not when it has its own row."""
    rows = inputs([device(1, agent_uuid=uid(9007))], [agent(7)])
    lookups = {("devices", "agents"): Lookup.of({"7": uid(7)}, decisions={"7": {}}), ("devices", "devices"): known}
    found = recorded_survey(rows, Context(lookups=lookups))
    assert (("agents", "7") not in found.devices) is taken
