"""Devices: one row per legacy device, and one for every agent that pairs with none.

Steps, all decided before the first row is written: pair agents and devices (pairing), place every device (places), give each
its id and its hostname (device_inventory, hostnames), find the device that each text means (device_texts); the transforms
then read what was decided. Known faults of the data, with their share of generated devices: no agent that refers to it
(4 %, and 2 % beyond the agents), two machines of one name at one site (1 %), no client (1 %) or site (1.5 %), architecture in
another word (37 %) or none (2 %), an agent_uuid that names nobody (0.4 %).
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.inventory.rules import device_texts, pairing
from assets.inventory.rules.device_decisions import (
    decisions_of,
    device_rows,
    last_check_ins,
    text_decisions,
    warnings_of,
)
from assets.inventory.rules.device_inventory import Inventory, take_inventory
from assets.inventory.rules.maps import CLIENTS, DEVICE_OF_AGENT, SITES, client_names, site_names
from assets.inventory.rules.stale_status import without_stale_online
from remoteiq_etl.frames.dtypes import TIMESTAMP, frame
from remoteiq_etl.frames.key_index import Keyed
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.run_options import CUT_OVER
from remoteiq_etl.spec.table import Adoption, Derived, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.spec.value_map import ValueMap
from schemas import legacy, target

ARCHITECTURES = ValueMap(
    "devices.architecture", {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "i386": "x86", "i686": "x86"}
)
STATUSES = ValueMap("devices.status", {"online": "online", "offline": "offline"})


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Pair agents and devices; make up, place and name devices; find out which device each text means."""
    inventory = take_inventory(inputs, recorded, context)
    texts = pd.concat([inputs[name]["device_id"] for name in device_texts.READS]).dropna().unique().tolist()
    devices = {
        KEY: [device["id"] for device in inventory.devices],
        "agent_seen": last_check_ins(inventory),
        **device_rows(inventory, "devices", inventory.devices),
    }
    return Decided(
        decisions=[*decisions_of(inventory, recorded), *text_decisions(texts, inventory, recorded)],
        rows={"agents": synthesized_devices(inventory)},
        prepared={"devices": Keyed(frame(devices, {"agent_seen": TIMESTAMP}), KEY)},
        warnings=warnings_of(inventory),
    )


def synthesized_devices(inventory: Inventory) -> pd.DataFrame:
    """One row per agent that pairs with no device: what the device takes from it, and what is decided about it."""
    made = inventory.synthesized
    agents = {KEY: [agent["id"] for agent in made]} | {
        name: [agent[name] for agent in made] for name in ("hostname", "os", "arch", "logged_in_user", "seen")
    }
    return frame(agents | device_rows(inventory, "agents", made), {"seen": TIMESTAMP})


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy device becomes one device, at its own place or that of its agent."""
    decided: pd.DataFrame = context.prepared["devices"].of(batch.keys)
    batch["id"] = decided["id"]
    _place(batch, context, decided)
    batch["hostname"] = decided["new_hostname"].fillna(batch["hostname"])
    batch.keep(decided["new_hostname"].notna(), "hostname", "hostname")
    batch.carry(operating_system="os", primary_user="user", last_seen_at="last_seen")
    batch.count_values(ARCHITECTURES.name, batch["arch"])
    batch["architecture"] = architectures(batch["arch"], context)
    batch.keep(batch.columns["architecture"] != batch["arch"], "arch", "architecture")
    status = batch.words_of("status", context.extended(STATUSES))
    batch["status"] = without_stale_online(status, decided["agent_seen"], context.cut_over_at)
    batch.keep((batch["agent_uuid"] != decided["uuid_of_agent"]).fillna(True), "agent_uuid", "not_its_agent")
    return batch


def transform_synthesized(batch: Batch, context: Context) -> Batch:
    """An agent that pairs with no device gets one of its own, offline."""
    batch.carry("id", operating_system="os", primary_user="logged_in_user", last_seen_at="seen")
    _site(batch, context, batch.legacy)
    batch["hostname"] = batch["new_hostname"].fillna(batch["hostname"])
    batch["architecture"] = architectures(batch["arch"], context)
    batch["status"] = "offline"
    return batch


def architectures(words: pd.Series, context: Context) -> pd.Series:
    """The application's word of an architecture, where it has one; else the legacy word."""
    return context.extended(ARCHITECTURES).apply(words).fillna(words)


def _place(batch: Batch, context: Context, decided: pd.DataFrame) -> None:
    """The site of each device. What the device itself says is archived where the recorded names say it otherwise."""
    _site(batch, context, decided)
    recorded = {
        "client": client_names(decided["client_key"], context),
        "site": site_names(decided["site_key"], context),
    }
    for column, names in recorded.items():
        batch.keep((batch[column] != names).fillna(True), column, "spelling")


def _site(batch: Batch, context: Context, decided: pd.DataFrame) -> None:
    batch["site_id"] = context.lookup(*SITES).find(decided["site_key"])
    batch.warn(decided["site_key"].notna() & batch.columns["site_id"].isna(), "site_missing")
    if "client_id" in context.optional:
        batch["client_id"] = context.lookup(*CLIENTS).find(decided["client_key"])


SPEC = TableSpec(
    target=target.devices,
    grain="one row per legacy device, and one per agent without a device",
    sources=(Source(legacy.devices, transform), Derived(transform_synthesized, "agents")),
    decide=Decide(
        reads=pairing.READS | device_texts.READS,
        target_reads={"present": select(target.devices.c.id, target.devices.c.site_id, target.devices.c.hostname)},
        function=decide,
    ),
    lookups=(CLIENTS, SITES, ("devices", "devices"), DEVICE_OF_AGENT),
    legacy_reads=(legacy.agents, legacy.check_assignments, legacy.check_runs, legacy.tickets),
    adopt=Adoption(columns=("site_id", "hostname")),
    run_options=(CUT_OVER,),
    activity=("last_seen_at", "status", "primary_user"),
    lineage={
        "client_id": ("devices.client", "agents.client"),
        "site_id": ("devices.client", "devices.site", "agents.client", "agents.site"),
        "hostname": ("devices.hostname", "agents.hostname"),
        "operating_system": ("devices.os", "agents.os"),
        "architecture": ("devices.arch", "agents.arch"),
        "primary_user": ("devices.user", "agents.logged_in_user"),
        "last_seen_at": ("devices.last_seen", "agents.last_seen_at"),
    },
    value_maps=(ARCHITECTURES, STATUSES),
    rules={
        "site_id": "the site of this client and name; without them those of its agent",
        "hostname": "unchanged; of two equal ones in a site the device that was seen last keeps it, others get ~ and the start of their id",
        "serial_number": "legacy kept none",
        "operating_system": "unchanged",
        "architecture": "by the words of devices.architecture, else unchanged",
        "status": "by the words of devices.status; offline for a synthesized device, and from the cut-over on where no agent had"
        " checked in within five minutes before it",
        "primary_user": "unchanged",
        "last_seen_at": "unchanged",
        "client_id": "the client of the device; without one that of its agent",
    },
)
