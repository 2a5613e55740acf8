"""All devices of a source as far as they depend on each other: paired with agents, placed, identified and named.

Belongs here: that, in one object, as rows of plain Python. Does not belong here: how each is worked out (see pairing, places,
hostnames), in which form it is recorded (see device_decisions), and target columns (see devices).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from assets.inventory.rules.hostnames import Machine, renamed
from assets.inventory.rules.maps import SITES
from assets.inventory.rules.pairing import (
    NEVER,
    SYNTHESIZED,
    Pair,
    Pairing,
    Ref,
    Row,
    pair,
    recorded_pairs,
    rows_of,
    seen,
    uuid_of_machine,
    with_late,
)
from assets.inventory.rules.places import Survey, survey, taken_over
from remoteiq_etl.frames.derived_ids import may_be_kept
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.spec.decisions import Decision, StoredDecisions
from remoteiq_etl.spec.transform_context import Context


@dataclass(frozen=True)
class Inventory:
    """All devices and agents of a source, and what is decided about them."""

    #: The legacy rows of devices and agents.
    devices: list[dict[str, Any]]
    agents: list[dict[str, Any]]
    #: The pairs without the devices that were taken over.
    fresh: Pairing
    #: The devices (→ agents.id) that take over the device synthesized for an agent.
    taken_over: Mapping[str, str]
    #: The pairs, and where everything is.
    survey: Survey
    #: The id of each device as it is expected.
    ids: Mapping[Ref, str]
    #: What devices are called that lose their hostname, and who keeps it.
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
    given = ids_given_before(context)
    by_agent = recorded.of("agents")
    rules = {agent: decision.rule for agent, decision in by_agent.items()}
    fresh = pair(devices, agents, recorded_pairs(_values(by_agent), rules))
    known = {key for table, key in given if table == "devices"}
    late = taken_over(devices, fresh, _values(recorded.of("devices")), known)
    found = survey(devices, agents, with_late(fresh, late))
    present = rows_of(inputs["present"])
    alone = [agent for agent in agents if fresh.pairs[agent["id"]].device == ("agents", agent["id"])]
    own = own_uuids(alone, {*given.values(), *(row["id"] for row in (*devices, *present))})
    made = ids_of_synthesized(agents, given, by_agent, own, context)
    ids = {**made, **ids_of_devices(devices, late, given, made, context)}
    machines = list(_machines(devices, agents, found, ids, given))
    left = left_in_target(machines, given, present, context)
    values = {ref: decision.values for ref, decision in recorded.decisions.items()}
    return Inventory(devices, agents, fresh, late, found, ids, renamed(machines, values, left))


def ids_given_before(context: Context) -> dict[Ref, str]:
    """The ids that earlier runs gave."""
    found: dict[Ref, str] = {}
    for table in ("devices", "agents"):
        lookup = context.lookup("devices", table)
        found |= {
            (table, key): new for key, new in zip(lookup.keys.to_pylist(), lookup.new_keys.to_pylist(), strict=True)
        }
    return found


def own_uuids(agents: Iterable[Row], taken: Collection[str]) -> dict[str, str]:
    """The uuid of the machine of each agent that names one: of several agents the most recently seen has it, if it is free."""
    order = sorted(agents, key=lambda agent: (seen(agent), -int(agent["id"])))
    named = {uuid: agent["id"] for agent in order if (uuid := uuid_of_machine(agent)) is not None}
    free = pd.Series([uuid for uuid in named if uuid not in taken], dtype=TEXT)
    return {named[uuid]: uuid for uuid in free[may_be_kept(free)]}


def ids_of_synthesized(
    agents: Iterable[Row],
    given: Mapping[Ref, str],
    earlier: Mapping[str, Decision],
    own: Mapping[str, str],
    context: Context,
) -> dict[Ref, str]:
    """The id that a device synthesized for each agent has: given before, else its machine's own, else derived."""
    keys = pd.Series([agent["id"] for agent in agents], dtype=TEXT)
    derived = {**dict(zip(keys, context.derive_many("devices", "agents", keys), strict=True)), **own}
    made = {key for key, decision in earlier.items() if decision.rule == SYNTHESIZED}
    return {("agents", key): given.get(("agents", key), new) if key in made else new for key, new in derived.items()}


def ids_of_devices(
    devices: Iterable[Row], late: Mapping[str, str], given: Mapping[Ref, str], made: Mapping[Ref, str], context: Context
) -> dict[Ref, str]:
    """The id of each legacy device: given before, that of the synthesized device that it takes over, kept or derived.

    Its own one may be that of the device synthesized for an agent, which was there before it.
    """
    taken = set(made.values())
    keys = pd.Series([device["id"] for device in devices], dtype=TEXT)
    ids: dict[Ref, str] = {}
    for key, own in zip(keys, context.kept_or_derived("devices", "devices", keys), strict=True):
        over = made.get(("agents", late[key])) if key in late else None
        free = context.derive("devices", "devices", key) if own in taken else own
        ids["devices", key] = given.get(("devices", key)) or over or free
    return ids


def left_in_target(
    machines: Iterable[Machine], given: Mapping[Ref, str], present: Iterable[Row], context: Context
) -> Iterator[Machine]:
    """The devices of earlier runs that legacy has lost, as they are in the target: `present` has all of its rows."""
    ids = {machine.id for machine in machines}
    lost: dict[str, Ref] = {}
    for ref, new in given.items():  # the keys of devices come before those of agents that were paired with them
        if new not in ids:
            lost.setdefault(new, ref)
    sites = context.lookup(*SITES)
    keys = dict(zip(sites.new_keys.to_pylist(), sites.keys.to_pylist(), strict=True)) if lost else {}
    for row in present:
        if row["id"] in lost and row["site_id"] in keys:
            yield Machine(lost[row["id"]], row["id"], keys[row["site_id"]], row["hostname"], True, NEVER)


def _machines(
    devices: Iterable[Row], agents: Iterable[Row], found: Survey, ids: Mapping[Ref, str], given: Mapping[Ref, str]
) -> Iterator[Machine]:
    rows = [(("devices", device["id"]), device) for device in devices]
    rows += [(("agents", agent["id"]), agent) for agent in agents if ("agents", agent["id"]) in found.devices]
    for ref, row in rows:
        yield Machine(ref, ids[ref], found.devices[ref].site_key, row["hostname"], ref in given, seen(row))


def _values(decisions: Mapping[str, Decision]) -> dict[str, Mapping[str, Any]]:
    return {key: decision.values for key, decision in decisions.items()}
