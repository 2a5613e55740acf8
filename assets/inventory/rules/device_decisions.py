"""What is decided about devices before the first of them is written, as rows of plain Python.

Pairs with agents, devices synthesized or taken over, who keeps a hostname, which device a text means. Belongs here:
that, in the form in which it is recorded. Does not belong here: how each is worked out (see pairing, places, hostnames,
device_texts), and target columns (see devices).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from assets.inventory.rules.device_texts import Resolved, resolve
from assets.inventory.rules.hostnames import Machine, renamed
from assets.inventory.rules.pairing import (
    SYNTHESIZED,
    Pair,
    Pairing,
    Ref,
    pair,
    recorded_pairs,
    rows_of,
    seen,
    with_late,
)
from assets.inventory.rules.places import NOWHERE, Survey, survey, taken_over
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.spec.decisions import SAME_AS, TAKES_ROW_OF, Decision, StoredDecisions, Warned, warned
from remoteiq_etl.spec.transform_context import Context

TAKES_OVER, LAPSED, HOSTNAME = "takes_over", "lapsed", "hostname"


@dataclass(frozen=True)
class Inventory:
    """All devices and agents of a source, as far as they depend on each other."""

    devices: list[dict[str, Any]]
    agents: list[dict[str, Any]]
    fresh: Pairing
    taken_over: Mapping[str, str]
    survey: Survey
    ids: Mapping[Ref, str]
    renamed: Mapping[Ref, Mapping[str, Any]]

    @property
    def pairs(self) -> Mapping[str, Pair]:
        """The device of each agent, by agents.id."""
        return self.survey.pairing.pairs

    @property
    def synthesized(self) -> list[dict[str, Any]]:
        """The agents that have a device made for them."""
        return [agent for agent in self.agents if self.pairs[agent["id"]].device[0] == "agents"]


def take_inventory(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Inventory:
    """Pair, place, identify and name all devices."""
    devices, agents = rows_of(inputs["devices"]), rows_of(inputs["agents"])
    mapped = _mapped(context)
    by_agent = recorded.of("agents")
    rules = {agent: decision.rule for agent, decision in by_agent.items()}
    fresh = pair(devices, agents, recorded_pairs(_values(by_agent), rules))
    known = {key for table, key in mapped if table == "devices"}
    late = taken_over(devices, fresh, _values(recorded.of("devices")), known)
    found = survey(devices, agents, with_late(fresh, late))
    ids = _ids(devices, agents, late, mapped, by_agent, context)
    values = {ref: decision.values for ref, decision in recorded.decisions.items()}
    machines = list(_machines(devices, agents, found, ids, mapped))
    left = _left(machines, mapped, rows_of(inputs["present"]), context)
    return Inventory(devices, agents, fresh, late, found, ids, renamed(machines, values, left))


def _mapped(context: Context) -> dict[Ref, str]:
    """The ids that earlier runs gave."""
    found: dict[Ref, str] = {}
    for table in ("devices", "agents"):
        lookup = context.lookup("devices", table)
        found |= {
            (table, key): new for key, new in zip(lookup.keys.to_pylist(), lookup.new_keys.to_pylist(), strict=True)
        }
    return found


def _values(decisions: Mapping[str, Decision]) -> dict[str, Mapping[str, Any]]:
    return {key: decision.values for key, decision in decisions.items()}


def _ids(
    devices: list[dict[str, Any]],
    agents: list[dict[str, Any]],
    late: Mapping[str, str],
    mapped: Mapping[Ref, str],
    earlier: Mapping[str, Decision],
    context: Context,
) -> dict[Ref, str]:
    """The id of each device as it is expected: given before, taken over, kept or derived."""
    agent_keys = pd.Series([agent["id"] for agent in agents], dtype=TEXT)
    derived = dict(zip(agent_keys, context.derive_many("devices", "agents", agent_keys), strict=True))
    made = {key for key, decision in earlier.items() if decision.rule == SYNTHESIZED}
    ids = {("agents", key): mapped.get(("agents", key), new) if key in made else new for key, new in derived.items()}
    device_keys = pd.Series([device["id"] for device in devices], dtype=TEXT)
    own = context.kept_or_derived("devices", "devices", device_keys)
    for key, new in zip(device_keys, own, strict=True):
        over = ids.get(("agents", late[key])) if key in late else None
        ids["devices", key] = mapped.get(("devices", key)) or over or new
    return ids


def _machines(
    devices: list[dict[str, Any]],
    agents: list[dict[str, Any]],
    found: Survey,
    ids: Mapping[Ref, str],
    mapped: Mapping[Ref, str],
) -> Iterable[Machine]:
    rows = [(("devices", device["id"]), device) for device in devices]
    rows += [(("agents", agent["id"]), agent) for agent in agents if ("agents", agent["id"]) in found.devices]
    for ref, row in rows:
        yield Machine(ref, ids[ref], found.devices[ref].site_key, row["hostname"], ref in mapped, seen(row))


def _left(
    machines: Iterable[Machine], mapped: Mapping[Ref, str], present: list[dict[str, Any]], context: Context
) -> Iterable[Machine]:
    """The devices of earlier runs that legacy has lost, as they are in the target: `present` has all of its rows."""
    ids = {machine.id for machine in machines}
    lost: dict[str, Ref] = {}
    for ref, new in mapped.items():  # the keys of devices come before those of agents that were paired with them
        if new not in ids:
            lost.setdefault(new, ref)
    sites = context.lookup("sites", "derived")
    keys = dict(zip(sites.new_keys.to_pylist(), sites.keys.to_pylist(), strict=True)) if lost else {}
    for row in present:
        if row["id"] in lost and row["site_id"] in keys:
            yield Machine(lost[row["id"]], row["id"], keys[row["site_id"]], row["hostname"], True, 0.0)


def decisions_of(inventory: Inventory, recorded: StoredDecisions) -> list[Decision]:
    """The pairs, the devices taken over and the hostnames. A recorded hostname lapses with its reason."""
    lapsed = _lapsed(inventory, recorded)
    successors = {str(decision.values["agent"]): key for key, decision in lapsed.items()}
    of_agents = [
        _of_agent(agent["id"], inventory, recorded.get("agents", agent["id"]), successors.get(agent["id"]))
        for agent in inventory.agents
    ]
    of_devices = [_of_device(device["id"], inventory, recorded) for device in inventory.devices]
    found = [*lapsed.values(), *of_agents, *(one for one in of_devices if one is not None)]
    earlier = {
        ref: decision
        for ref, decision in recorded.decisions.items()
        if decision.rule != HOSTNAME and decision.legacy_table != "device_text"
    }
    return list({**earlier, **{(one.legacy_table, one.legacy_key): one for one in found}}.values())


def _lapsed(inventory: Inventory, recorded: StoredDecisions) -> dict[str, Decision]:
    """The devices that had taken over a synthesized device and are gone from legacy: the agent has it back."""
    return {
        key: Decision("devices", key, LAPSED, {"agent": decision.values["agent"]}, decision.new_key)
        for key, decision in recorded.of("devices").items()
        if "agent" in decision.values and key not in inventory.taken_over
    }


def _of_agent(key: str, inventory: Inventory, earlier: Decision | None, heir_of: str | None) -> Decision:
    device, rule = inventory.pairs[key]
    if device == ("agents", key) or rule == SYNTHESIZED:
        values = dict(inventory.renamed.get(("agents", key), {})) | (
            {TAKES_ROW_OF: ["devices", heir_of]} if heir_of else {}
        )
        new_key = inventory.ids["agents", key] if earlier else None  # a row that is new may still be adopted
        return Decision("agents", key, SYNTHESIZED, values, new_key)
    return Decision("agents", key, rule, {SAME_AS: list(device)}, _id_of(device, inventory, earlier))


def _id_of(device: Ref, inventory: Inventory, earlier: Decision | None) -> str | None:
    """The id of a device that is paired or meant; of one that legacy no longer has, the one that was recorded."""
    return inventory.ids.get(device) or (earlier.new_key if earlier else None)


def _of_device(key: str, inventory: Inventory, recorded: StoredDecisions) -> Decision | None:
    renaming = dict(inventory.renamed.get(("devices", key), {}))
    agent = inventory.taken_over.get(key)
    if agent is not None:
        taken = {"agent": agent, TAKES_ROW_OF: ["agents", agent]}
        return Decision("devices", key, TAKES_OVER, taken | renaming, inventory.ids["devices", key])
    if renaming:
        return Decision("devices", key, HOSTNAME, renaming)
    earlier = recorded.get("devices", key)
    return Decision("devices", key, LAPSED) if earlier is not None and earlier.rule == HOSTNAME else None


def text_decisions(texts: Iterable[str], inventory: Inventory, recorded: StoredDecisions) -> list[Decision]:
    """The device that each text means. A recorded one stays while its device is there, or nothing else is found."""
    found = resolve(texts, inventory.devices, inventory.agents, inventory.survey.pairing)
    earlier = recorded.of("device_text")
    fresh = {text: _of_text(text, resolved, inventory, earlier.get(text)) for text, resolved in found.items()}
    there = {
        text: decision for text, decision in earlier.items() if _means(decision) in inventory.ids or text not in fresh
    }
    return list({**fresh, **there}.values())


def _means(decision: Decision) -> Ref:
    table, key = decision.values[SAME_AS]
    return table, key


def _of_text(text: str, resolved: Resolved, inventory: Inventory, earlier: Decision | None) -> Decision:
    values = {"way": resolved.way, SAME_AS: list(resolved.device)}
    new_key = _id_of(resolved.device, inventory, earlier)
    return Decision("device_text", text, resolved.way, values, new_key)


def device_rows(inventory: Inventory, table: str, rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """What is decided about the devices of one table: id, place, hostname where it lost its own, uuid of its agent."""
    refs: list[Ref] = [(table, row["id"]) for row in rows]
    places = [inventory.survey.devices.get(ref, NOWHERE) for ref in refs]
    agent_of = inventory.survey.pairing.agent_of
    uuids = {agent["id"]: agent["agent_uuid"] for agent in inventory.agents}
    return {
        "id": [inventory.ids[ref] for ref in refs],
        "client_key": [place.client for place in places],
        "site_key": [place.site_key for place in places],
        "new_hostname": [inventory.renamed.get(ref, {}).get("hostname") for ref in refs],
        "uuid_of_agent": [uuids.get(agent_of.get(ref, "")) for ref in refs],
    }


def warnings_of(inventory: Inventory) -> list[Warned]:
    """What is reported: devices made up, taken over and renamed, and pairs that would be others today."""
    late = set(inventory.fresh.late) - set(inventory.taken_over)
    return [
        *warned("device_synthesized", "agents", [agent["id"] for agent in inventory.synthesized]),
        *warned("device_taken_over", "devices", inventory.taken_over),
        *(Warned("hostname_renamed", *ref) for ref in inventory.renamed),
        *warned("pairing_would_change", "devices", late),
    ]
