"""The text `device_id` of assignments, runs and tickets: which device it means.

It may be a devices.id, an agents.device_id, an agents.id, an agents.agent_uuid or a hostname that only one device has;
tried in that order. Belongs here: that order, and what becomes of rows whose text means none. Does not belong here: the
pairing of agents and devices (see pairing).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import pandas as pd
from sqlalchemy import select

from assets.inventory.rules.maps import DEVICE_OF_TEXT
from assets.inventory.rules.pairing import Pairing, Ref, Row
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.frames.text import normalise, tidy
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy

UNRESOLVABLE = "unresolvable_device"

READS = {
    f"{table.name}_texts": select(table.c.device_id).where(table.c.device_id.is_not(None)).distinct()
    for table in (legacy.check_assignments, legacy.check_runs, legacy.tickets)
}
"""What has to be read to know every text."""


class Resolved(NamedTuple):
    """The device that a text means, and the way that found it."""

    device: Ref
    way: str


class Way(NamedTuple):
    """One way to read a text: how it is compared, and the device of each text so compared."""

    name: str
    compared: Callable[[str | None], str | None]
    devices: Mapping[str, Ref]


def devices_of(batch: Batch, context: Context) -> pd.Series:
    """The id of the device that each row's text means; null where it means none, or the device is not there."""
    return context.lookup(*DEVICE_OF_TEXT).find(batch["device_id"])


def dispose_deviceless(batch: Batch, context: Context, where: pd.Series) -> None:
    """Rows that need a device and have none: quarantined where the text means no device, else as their device is."""
    texts = context.lookup(*DEVICE_OF_TEXT)
    text = batch["device_id"].astype(TEXT)
    batch.quarantine(where & texts.decided(text, "way").isna(), UNRESOLVABLE, "device_id")
    batch.filter(where & text.isin(list(texts.deleted)), "parent_deleted_in_target")
    batch.hold(where, "devices", text, "device_id")


def resolve(
    texts: Iterable[str], devices: Iterable[Row], agents: Iterable[Row], pairing: Pairing
) -> dict[str, Resolved]:
    """The device of each text that means one."""
    ways = _ways(list(devices), list(agents), pairing)
    found = {text: _first(text, ways) for text in texts}
    return {text: resolved for text, resolved in found.items() if resolved is not None}


def _ways(devices: list[Row], agents: list[Row], pairing: Pairing) -> list[Way]:
    """In the order in which they are tried. A device_id as it is spelt wins over one that is equal but for case."""
    on = [(agent, pairing.pairs[agent["id"]].device) for agent in agents]
    ids = [(agent["device_id"], ref) for agent, ref in on]
    hostnames = [(device["hostname"], ("devices", device["id"])) for device in devices]
    hostnames += [(agent["hostname"], ref) for agent, ref in on]
    return [
        Way("device_id", normalise, {device["id"]: ("devices", device["id"]) for device in devices}),
        Way("agent_device_id", tidy, _unique(ids, tidy)),
        Way("agent_device_id", normalise, _unique(ids, normalise)),
        Way("agent_id", tidy, {agent["id"]: ref for agent, ref in on}),
        Way("agent_uuid", normalise, {agent["agent_uuid"]: ref for agent, ref in on}),
        Way("hostname", normalise, _unique(hostnames, normalise)),
    ]


def _unique(named: Iterable[tuple[str, Ref]], compared: Callable[[str | None], str | None]) -> dict[str, Ref]:
    """The texts that name one device only."""
    devices: dict[str | None, set[Ref]] = defaultdict(set)
    for text, ref in named:
        devices[compared(text)].add(ref)
    return {text: next(iter(refs)) for text, refs in devices.items() if text is not None and len(refs) == 1}


def _first(text: str, ways: Iterable[Way]) -> Resolved | None:
    for way in ways:
        device = way.devices.get(way.compared(text) or "")
        if device is not None:
            return Resolved(device, way.name)
    return None
