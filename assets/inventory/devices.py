"""Devices: one row per legacy device, and one for every agent that pairs with none.

Known faults of the data: agents that no device names, several agents for one device, devices without client or site,
two machines of one name at one site, architecture in several words.
"""

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from assets.inventory.rules import device_texts, pairing
from assets.inventory.rules.device_decisions import (
    decisions_of,
    device_rows,
    take_inventory,
    text_decisions,
    warnings_of,
)
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, frame, from_arrow, to_arrow
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
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
    devices = {KEY: [device["id"] for device in inventory.devices]}
    made = inventory.synthesized
    agents = {KEY: [agent["id"] for agent in made]} | {
        name: [agent[name] for agent in made] for name in ("hostname", "os", "arch", "logged_in_user", "seen")
    }
    return Decided(
        decisions=[*decisions_of(inventory, recorded), *text_decisions(texts, inventory, recorded)],
        rows={"agents": frame(agents | device_rows(inventory, "agents", made), {"seen": TIMESTAMP})},
        prepared={"devices": frame(devices | device_rows(inventory, "devices", inventory.devices))},
        warnings=warnings_of(inventory),
    )


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy device becomes one device, at its own place or that of its agent."""
    decided = _decided(batch.keys, context.prepared["devices"])
    batch["id"] = decided["id"]
    _place(batch, context, decided)
    batch["hostname"] = decided["new_hostname"].fillna(batch["hostname"])
    batch.keep(decided["new_hostname"].notna(), "hostname", "hostname")
    batch.carry(operating_system="os", primary_user="user", last_seen_at="last_seen")
    batch.count_words(ARCHITECTURES.name, batch["arch"])
    batch["architecture"] = architectures(batch["arch"], context)
    batch.keep(batch.columns["architecture"] != batch["arch"], "arch", "architecture")
    batch["status"] = batch.words_of("status", context.extended(STATUSES))
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


def _decided(keys: pd.Series, rows: pd.DataFrame) -> pd.DataFrame:
    at = pc.index_in(to_arrow(keys.astype(TEXT)), to_arrow(rows[KEY]))
    return from_arrow(pa.table({name: to_arrow(rows[name]).take(at) for name in rows.columns}))


def _place(batch: Batch, context: Context, decided: pd.DataFrame) -> None:
    """The site of each device. What the device itself says is archived where the recorded names say it otherwise."""
    _site(batch, context, decided)
    clients, sites = context.lookup("clients", "derived"), context.lookup("sites", "derived")
    for column, names in (
        ("client", clients.decided(decided["client_key"], "name")),
        ("site", sites.decided(decided["site_key"], "name")),
    ):
        batch.keep((batch[column] != names).fillna(True), column, "spelling")


def _site(batch: Batch, context: Context, decided: pd.DataFrame) -> None:
    batch["site_id"] = context.lookup("sites", "derived").find(decided["site_key"])
    batch.warn(decided["site_key"].notna() & batch.columns["site_id"].isna(), "site_missing")
    if "client_id" in context.optional:
        batch["client_id"] = context.lookup("clients", "derived").find(decided["client_key"])


SPEC = TableSpec(
    target=target.devices,
    grain="one row per legacy device, and one per agent without a device",
    sources=(Source(legacy.devices, transform), Derived(transform_synthesized, "agents")),
    decide=Decide(
        reads=pairing.READS | device_texts.READS,
        target_reads={"present": select(target.devices.c.id, target.devices.c.site_id, target.devices.c.hostname)},
        function=decide,
    ),
    lookups=(("clients", "derived"), ("sites", "derived"), ("devices", "devices"), ("devices", "agents")),
    legacy_reads=(legacy.agents, legacy.check_assignments, legacy.check_runs, legacy.tickets),
    adopt=Adoption(columns=("site_id", "hostname")),
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
        "status": "by the words of devices.status; offline for a synthesized device",
        "primary_user": "unchanged",
        "last_seen_at": "unchanged",
        "client_id": "the client of the device; without one that of its agent",
    },
)
