"""Clients and sites are text in legacy: where each device is, and every place that some row names.

A device without client or site takes those of its agent. A site without client lies under `Unassigned`, a device with a
client but no site at its `Default` site. Belongs here: that. Does not belong here: which spelling of a name wins (see
clients and sites).
"""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Select, func, select

from assets.inventory.rules.maps import DEVICE_OF_AGENT
from assets.inventory.rules.pairing import READS as PAIRING_READS
from assets.inventory.rules.pairing import Pairing, Ref, Row, pair, recorded_pairs, rows_of, with_late
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.frames.text import normalise, tidy
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy

UNASSIGNED, UNASSIGNED_KEY = "Unassigned", "unassigned"
DEFAULT, DEFAULT_KEY = "Default", "default"

_TICKET_COLUMNS = [legacy.tickets.c[name] for name in ("client", "site", "customer_id", "customer_uuid")]
READS: dict[str, Select[Any]] = PAIRING_READS | {
    "tickets": select(*_TICKET_COLUMNS, func.count().label("uses")).group_by(*_TICKET_COLUMNS),
}
"""What has to be read to know every place."""

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Place(NamedTuple):
    """Normalised client and site; None where there is none."""

    client: str | None
    site: str | None

    @property
    def site_key(self) -> str | None:
        """The natural key of the site."""
        return None if self.client is None or self.site is None else key_text([self.client, self.site])


NOWHERE = Place(None, None)


class Mention(NamedTuple):
    """A place that legacy rows of one table name, as they spell it (None: not named, but meant), and how many do."""

    table: str
    place: Place
    client: str | None
    site: str | None
    uses: int


@dataclass(frozen=True)
class Survey:
    """The pairs, where each device is, and where each agent says it is."""

    pairing: Pairing
    devices: Mapping[Ref, Place]
    agents: Mapping[str, Place]


def survey(devices: list[dict[str, Any]], agents: list[dict[str, Any]], pairing: Pairing) -> Survey:
    """Where every device and agent is."""
    by_id = {agent["id"]: agent for agent in agents}
    agent_of = pairing.agent_of
    places = {
        ("devices", row["id"]): place_of_device(row, by_id.get(agent_of.get(("devices", row["id"]), "")))
        for row in devices
    }
    synthesized = {
        ref: at_default_site(tidy(by_id[key]["client"]), tidy(by_id[key]["site"]))
        for ref, key in agent_of.items()
        if ref[0] == "agents"
    }
    places |= synthesized
    own = {key: place_of_agent(row, places.get(pairing.pairs[key].device, NOWHERE)) for key, row in by_id.items()}
    return Survey(pairing, places, own)


def recorded_survey(inputs: Mapping[str, pd.DataFrame], context: Context) -> Survey:
    """Where every device and agent is, with the pairs that are recorded in the map of devices."""
    devices, agents = rows_of(inputs["devices"]), rows_of(inputs["agents"])
    known = context.lookup("devices")
    pairing = pair(devices, agents, recorded_pairs(context.lookup(*DEVICE_OF_AGENT).decisions))
    late = taken_over(devices, pairing, known.decisions, set(known.keys.to_pylist()))
    return survey(devices, agents, with_late(pairing, late))


def taken_over(
    devices: list[dict[str, Any]],
    pairing: Pairing,
    recorded: Mapping[str, Mapping[str, Any]],
    mapped: Container[str],
) -> dict[str, str]:
    """The devices (→ agent) that take over a synthesized device: recorded ones that are there, and new ones."""
    new = {device: agent for device, agent in pairing.late.items() if device not in mapped}
    earlier = {device["id"]: recorded.get(device["id"], {}).get("agent") for device in devices}
    return new | {device: str(agent) for device, agent in earlier.items() if agent is not None}


def mentions(inputs: Mapping[str, pd.DataFrame], context: Context) -> list[Mention]:
    """Every place that a device, agent or ticket names or needs."""
    devices, agents = rows_of(inputs["devices"]), rows_of(inputs["agents"])
    found = recorded_survey(inputs, context)
    needed = [Mention("devices", place, None, None, 0) for ref, place in found.devices.items() if ref[0] == "agents"]
    of_devices = [_mention("devices", row, found.devices[("devices", row["id"])]) for row in devices]
    of_agents = [_mention("agents", row, found.agents[row["id"]]) for row in agents]
    return [*of_devices, *of_agents, *needed, *_of_tickets(rows_of(inputs["tickets"]))]


def ticket_client(row: Row) -> str | None:
    """The client that a ticket names: its client, else its customer_id where that is a name and no uuid."""
    customer = tidy(row["customer_id"])
    return tidy(row["client"]) or (None if customer is None or _UUID.fullmatch(customer) else customer)


def _of_tickets(tickets: list[dict[str, Any]]) -> Iterator[Mention]:
    for row in tickets:
        client, site = ticket_client(row), tidy(row["site"])
        yield Mention("tickets", under_unassigned(client, site), client, site, row["uses"])


def _mention(table: str, row: Row, place: Place) -> Mention:
    return Mention(table, place, tidy(row["client"]), tidy(row["site"]), 1)


def place_of_device(device: Row, agent: Row | None) -> Place:
    """A device takes what it lacks from its agent, but no site of another client."""
    client, site = tidy(device["client"]), tidy(device["site"])
    if agent is not None:
        client = client or tidy(agent["client"])
        if site is None and normalise(agent["client"]) in (None, normalise(client)):
            site = tidy(agent["site"])
    return at_default_site(client, site)


def place_of_agent(agent: Row, device: Place) -> Place:
    """What an agent itself says; a site without client is its device's where that is the same site."""
    if normalise(agent["client"]) is None and device.site is not None and normalise(agent["site"]) == device.site:
        return device
    return under_unassigned(agent["client"], agent["site"])


def at_default_site(client: str | None, site: str | None) -> Place:
    """A device with a client but no site is at its client's `Default` site."""
    place = under_unassigned(client, site)
    return place._replace(site=DEFAULT_KEY) if place.client is not None and place.site is None else place


def under_unassigned(client: str | None, site: str | None) -> Place:
    """A site without a client lies under the client `Unassigned`."""
    place = Place(normalise(client), normalise(site))
    return place._replace(client=UNASSIGNED_KEY) if place.client is None and place.site is not None else place
