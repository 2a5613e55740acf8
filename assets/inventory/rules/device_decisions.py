"""What is decided about devices before the first of them is written, in the form in which it is recorded.

One function for each rule: the device of an agent, the synthesized device that a late one takes over and has back, the
hostname that is lost, the device that a text means. Belongs here: that, and what is reported of it. Does not belong here: how
it is worked out (see device_inventory and device_texts), and target columns (see devices).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from assets.inventory.rules.device_inventory import Inventory
from assets.inventory.rules.device_texts import Resolved, resolve
from assets.inventory.rules.maps import DEVICE_OF_TEXT
from assets.inventory.rules.pairing import SYNTHESIZED, Ref, Row
from assets.inventory.rules.places import NOWHERE
from remoteiq_etl.spec.decisions import SAME_AS, TAKES_ROW_OF, Decision, StoredDecisions, Warned, warned

TAKES_OVER, LAPSED, HOSTNAME = "takes_over", "lapsed", "hostname"
_TEXT = DEVICE_OF_TEXT[1]


def decisions_of(inventory: Inventory, recorded: StoredDecisions) -> list[Decision]:
    """The pairs, the devices taken over and the hostnames. A recorded hostname lapses with its reason."""
    given_back = synthesized_devices_given_back(inventory, recorded)
    had_by = {str(decision.values["agent"]): key for key, decision in given_back.items()}
    of_agents = [
        device_of_agent(agent["id"], inventory, recorded.get("agents", agent["id"]), had_by.get(agent["id"]))
        for agent in inventory.agents
    ]
    of_devices = [about_device(device["id"], inventory, recorded) for device in inventory.devices]
    found = [*given_back.values(), *of_agents, *(one for one in of_devices if one is not None)]
    earlier = {
        ref: decision
        for ref, decision in recorded.decisions.items()
        if decision.rule != HOSTNAME and decision.legacy_table != _TEXT
    }
    return list({**earlier, **{(one.legacy_table, one.legacy_key): one for one in found}}.values())


def device_of_agent(key: str, inventory: Inventory, earlier: Decision | None, had_by: str | None) -> Decision:
    """The device that an agent pairs with, else the one that is synthesized for it."""
    device, rule = inventory.pairs[key]
    if device == ("agents", key) or rule == SYNTHESIZED:
        return synthesized_device(key, inventory, earlier, had_by)
    return Decision("agents", key, rule, {SAME_AS: list(device)}, _id_of(device, inventory, earlier))


def synthesized_device(key: str, inventory: Inventory, earlier: Decision | None, had_by: str | None) -> Decision:
    """The device made for an agent; its row comes back from a legacy device that had taken it over and is gone."""
    former = {TAKES_ROW_OF: ["devices", had_by]} if had_by else {}
    new_key = inventory.ids["agents", key] if earlier else None  # a row that is new may still be adopted
    return Decision("agents", key, SYNTHESIZED, hostname_lost(("agents", key), inventory) | former, new_key)


def about_device(key: str, inventory: Inventory, recorded: StoredDecisions) -> Decision | None:
    """What is decided about a legacy device beyond its own row; nothing about most."""
    lost = hostname_lost(("devices", key), inventory)
    agent = inventory.taken_over.get(key)
    if agent is not None:
        return takes_synthesized_device_over(key, agent, inventory, lost)
    if lost:
        return Decision("devices", key, HOSTNAME, lost)
    earlier = recorded.get("devices", key)
    return Decision("devices", key, LAPSED) if earlier is not None and earlier.rule == HOSTNAME else None


def takes_synthesized_device_over(key: str, agent: str, inventory: Inventory, lost: Mapping[str, Any]) -> Decision:
    """A legacy device that pairs late with an agent on a synthesized device: both keys map to the id that is there."""
    values = {"agent": agent, TAKES_ROW_OF: ["agents", agent], **lost}
    return Decision("devices", key, TAKES_OVER, values, inventory.ids["devices", key])


def synthesized_devices_given_back(inventory: Inventory, recorded: StoredDecisions) -> dict[str, Decision]:
    """The devices that had taken over a synthesized device and are gone from legacy: the agent has it back."""
    return {
        key: Decision("devices", key, LAPSED, {"agent": decision.values["agent"]}, decision.new_key)
        for key, decision in recorded.of("devices").items()
        if "agent" in decision.values and key not in inventory.taken_over
    }


def hostname_lost(ref: Ref, inventory: Inventory) -> dict[str, Any]:
    """What a device is called whose hostname another one of its site keeps, and which one; empty where it keeps its own."""
    return dict(inventory.renamed.get(ref, {}))


def text_decisions(texts: Iterable[str], inventory: Inventory, recorded: StoredDecisions) -> list[Decision]:
    """The device that each text means. A recorded one stays while its device is there, or nothing else is found."""
    found = resolve(texts, inventory.devices, inventory.agents, inventory.survey.pairing)
    earlier = recorded.of(_TEXT)
    fresh = {text: device_of_text(text, resolved, inventory, earlier.get(text)) for text, resolved in found.items()}
    there = {
        text: decision for text, decision in earlier.items() if _means(decision) in inventory.ids or text not in fresh
    }
    return list({**fresh, **there}.values())


def device_of_text(text: str, resolved: Resolved, inventory: Inventory, earlier: Decision | None) -> Decision:
    """The device that a text means, and the way that found it."""
    values = {"way": resolved.way, SAME_AS: list(resolved.device)}
    return Decision(_TEXT, text, resolved.way, values, _id_of(resolved.device, inventory, earlier))


def _means(decision: Decision) -> Ref:
    table, key = decision.values[SAME_AS]
    return table, key


def _id_of(device: Ref, inventory: Inventory, earlier: Decision | None) -> str | None:
    """The id of a device that is paired or meant; of one that legacy no longer has, the one that was recorded."""
    return inventory.ids.get(device) or (earlier.new_key if earlier else None)


def device_rows(inventory: Inventory, table: str, rows: Iterable[Row]) -> dict[str, list[Any]]:
    """What is decided about the devices of one table: id, place, hostname where it lost its own, uuid of its agent."""
    refs: list[Ref] = [(table, row["id"]) for row in rows]
    places = [inventory.survey.devices.get(ref, NOWHERE) for ref in refs]
    agent_of = inventory.survey.pairing.agent_of
    uuids = {agent["id"]: agent["agent_uuid"] for agent in inventory.agents}
    return {
        "id": [inventory.ids[ref] for ref in refs],
        "client_key": [place.client for place in places],
        "site_key": [place.site_key for place in places],
        "new_hostname": [hostname_lost(ref, inventory).get("hostname") for ref in refs],
        "uuid_of_agent": [uuids.get(agent_of.get(ref, "")) for ref in refs],
    }


def last_check_ins(inventory: Inventory) -> list[int | None]:
    """When the agent on each legacy device was last heard of, in microseconds; None without an agent."""
    agent_of = inventory.survey.pairing.agent_of
    check_ins = {agent["id"]: agent["seen"] for agent in inventory.agents}
    return [check_ins.get(agent_of.get(("devices", device["id"]), "")) for device in inventory.devices]


def warnings_of(inventory: Inventory) -> list[Warned]:
    """What is reported: devices made up, taken over and renamed, and pairs that would be others today."""
    late = set(inventory.fresh.late) - set(inventory.taken_over)
    return [
        *warned("device_synthesized", "agents", [agent["id"] for agent in inventory.synthesized]),
        *warned("device_taken_over", "devices", inventory.taken_over),
        *(Warned("hostname_renamed", *ref) for ref in inventory.renamed),
        *warned("pairing_would_change", "devices", late),
    ]
