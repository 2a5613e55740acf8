"""Which device each agent is on. Nothing in legacy ties the two, so it is worked out in steps, once, for all of them.

(1) devices.agent_uuid names the agent; (2) agents.device_id is a devices.id, with or without a `win-`, `linux-` or
`mac-` before it; (3) equal hostname at a compatible place, one of each side; (4) a device is synthesized. Of several
agents that claim one device the one with the lower step gets it, within a step the most recently seen. A recorded pair
stays. Belongs here: that. Does not belong here: what a synthesized device looks like (see devices).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
from sqlalchemy import Select, String, cast, select

from assets.shared.recorded import too_many_deleted
from remoteiq_etl.frames.dtypes import to_arrow
from remoteiq_etl.frames.text import normalise
from remoteiq_etl.spec.decisions import SAME_AS
from schemas import legacy

Row = Mapping[str, Any]
Ref = tuple[str, str]  # legacy table and key of a device; table "agents": the device synthesized for that agent

SYNTHESIZED = "synthesized"

READS: dict[str, Select[Any]] = {
    "devices": select(
        *(legacy.devices.c[name] for name in ("id", "hostname", "client", "site", "agent_uuid")),
        legacy.devices.c.last_seen.label("seen"),
    ),
    "agents": select(
        cast(legacy.agents.c.id, String).label("id"),
        *(legacy.agents.c[name] for name in ("device_id", "hostname", "os", "arch", "client", "site", "agent_uuid")),
        legacy.agents.c.logged_in_user,
        legacy.agents.c.last_seen_at.label("seen"),
    ),
}
"""What has to be read to pair agents and devices, and to know where a device is."""

_PREFIX = re.compile("(?:win|linux|mac)-")
_MACHINE = re.compile("(?:win|linux|mac)-([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})")
NEVER = -(2**63)


class Pair(NamedTuple):
    """The device of one agent, and the step that found it."""

    device: Ref
    rule: str


class Claim(NamedTuple):
    """The device that an agent has a claim to, by which step: its number among STEPS."""

    step: int
    device: str


@dataclass(frozen=True)
class Pairing:
    """One pair per agent, by agents.id. `late`: devices that come to an agent (the value) on a synthesized device."""

    pairs: Mapping[str, Pair]
    late: Mapping[str, str]

    @property
    def agent_of(self) -> dict[Ref, str]:
        """The agent on each device."""
        return {pair.device: agent for agent, pair in self.pairs.items()}


def with_late(pairing: Pairing, taken_over: Mapping[str, str]) -> Pairing:
    """The same, with devices (→ agent) that have taken over the device synthesized for that agent."""
    pairs = {
        agent: Pair(("devices", device), SYNTHESIZED) for device, agent in taken_over.items() if agent in pairing.pairs
    }
    return Pairing({**pairing.pairs, **pairs}, pairing.late)


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as plain Python, None for null; a time is its microseconds, of years that no datetime holds, too."""
    rows: list[dict[str, Any]] = pa.table({name: _plain(to_arrow(frame[name])) for name in frame.columns}).to_pylist()
    return rows


def _plain(column: pa.Array) -> pa.Array:
    return column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column


def recorded_pairs(
    decisions: Mapping[str, Mapping[str, Any]], rules: Mapping[str, str] | None = None
) -> dict[str, Pair]:
    """The pairs of earlier runs, from the recorded values of each agent."""
    rules = rules or {}
    return {
        agent: Pair(tuple(values.get(SAME_AS, ("agents", agent))), rules.get(agent, SYNTHESIZED))
        for agent, values in decisions.items()
    }


def pair(devices: list[dict[str, Any]], agents: list[dict[str, Any]], recorded: Mapping[str, Pair]) -> Pairing:
    """The device of every agent: the recorded one while it is there, else by the steps."""
    kept = _still_there({agent["id"]: agent for agent in agents}, {device["id"] for device in devices}, recorded)
    held = {pair.device[1] for pair in kept.values() if pair.device[0] == "devices"}
    open_agents = [agent for agent in agents if agent["id"] not in kept or kept[agent["id"]].device[0] == "agents"]
    winners = _winners(open_agents, _claims(devices, agents), held)
    pairs = {
        agent["id"]: kept.get(agent["id"]) or winners.get(agent["id"]) or Pair(("agents", agent["id"]), SYNTHESIZED)
        for agent in agents
    }
    late = {winner.device[1]: agent for agent, winner in winners.items() if agent in kept}
    return Pairing(pairs, late)


def _still_there(agents: Mapping[str, Row], devices: set[str], recorded: Mapping[str, Pair]) -> dict[str, Pair]:
    """The recorded pairs that hold: those whose device is gone are decided again, unless suspiciously many are."""
    known = {agent: pair for agent, pair in recorded.items() if agent in agents}
    gone = {agent for agent, (ref, _) in known.items() if ref[0] == "devices" and ref[1] not in devices}
    if not devices or too_many_deleted(len(gone), len(known)):
        return known
    return {agent: pair for agent, pair in known.items() if agent not in gone}


def _winners(agents: Iterable[Row], claims: Mapping[str, Claim], held: set[str]) -> dict[str, Pair]:
    """Of the agents that claim a device that no recorded pair holds: the lowest step, then the most recently seen."""
    rivals: dict[str, list[tuple[int, int, int, str]]] = defaultdict(list)
    for agent in agents:
        claim = claims.get(agent["id"])
        if claim and claim.device not in held:
            rivals[claim.device].append((claim.step, -seen(agent), int(agent["id"]), agent["id"]))
    best = {device: min(claimants) for device, claimants in rivals.items()}
    rules = list(STEPS)
    return {agent: Pair(("devices", device), rules[step]) for device, (step, _, _, agent) in best.items()}


def _claims(devices: list[dict[str, Any]], agents: list[dict[str, Any]]) -> dict[str, Claim]:
    """The device that each agent has a claim to, by the first step that finds one."""
    claims: dict[str, Claim] = {}
    for step, find in enumerate(STEPS.values()):
        left = [agent for agent in agents if agent["id"] not in claims]
        claims |= {agent: Claim(step, device) for agent, device in find(devices, left).items()}
    return claims


def by_agent_uuid(devices: list[dict[str, Any]], agents: list[dict[str, Any]]) -> dict[str, str]:
    """Agent → the device whose agent_uuid names it; of several the most recently seen, then the first by id."""
    order = sorted(devices, key=lambda device: (-seen(device), device["id"]), reverse=True)
    named = {device["agent_uuid"]: device["id"] for device in order if device["agent_uuid"]}
    return {agent["id"]: named[agent["agent_uuid"]] for agent in agents if agent["agent_uuid"] in named}


def by_device_id(devices: list[dict[str, Any]], agents: list[dict[str, Any]]) -> dict[str, str]:
    """Agent → the device whose id its text device_id is, with or without a prefix."""
    ids = {device["id"] for device in devices}
    named = {agent["id"]: normalise(agent["device_id"]) or "" for agent in agents}
    candidates = {agent: (text, _PREFIX.sub("", text, count=1)) for agent, text in named.items()}
    found = {agent: next((text for text in texts if text in ids), None) for agent, texts in candidates.items()}
    return {agent: device for agent, device in found.items() if device is not None}


def by_hostname(devices: list[dict[str, Any]], agents: list[dict[str, Any]]) -> dict[str, str]:
    """Agent → device of equal hostname at a compatible place, where each has only the other."""
    by_name = defaultdict(list)
    for device in devices:
        by_name[normalise(device["hostname"])].append(device)
    found = {
        agent["id"]: [
            device["id"] for device in by_name.get(normalise(agent["hostname"]), []) if _compatible(agent, device)
        ]
        for agent in agents
        if normalise(agent["hostname"])
    }
    asked = defaultdict(list)
    for agent, candidates in found.items():
        for device_id in candidates:
            asked[device_id].append(agent)
    return {
        agent: candidates[0]
        for agent, candidates in found.items()
        if len(candidates) == 1 and len(asked[candidates[0]]) == 1
    }


def _compatible(agent: Row, device: Row) -> bool:
    """Client and site each equal, or blank on one side."""
    for name in ("client", "site"):
        mine, its = normalise(agent[name]), normalise(device[name])
        if mine and its and mine != its:
            return False
    return True


#: Rule → the step that finds devices for agents, in the order in which they are tried.
STEPS: Mapping[str, Callable[[list[dict[str, Any]], list[dict[str, Any]]], dict[str, str]]] = {
    "pair_agent_uuid": by_agent_uuid,
    "pair_device_id": by_device_id,
    "pair_hostname": by_hostname,
}


def uuid_of_machine(agent: Row) -> str | None:
    """The uuid that an agent's text device_id holds after `win-`, `linux-` or `mac-`: the machine's own enrolment looks for it."""
    found = _MACHINE.fullmatch(normalise(agent["device_id"]) or "")
    return found[1] if found else None


def seen(row: Row) -> int:
    """When a device or agent was last seen, for comparing; never is before everything."""
    return NEVER if row["seen"] is None else row["seen"]
