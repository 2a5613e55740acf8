"""Agents: one row per legacy agent, on the device that it was paired with.

Known faults of the data, with their share of generated agents: no device names the agent (30 %; 18 % are found by the
agent's text, 8 % by hostname, 4 % not at all), facts that contradict the columns (5 %) or are no object (1 %), a client or
site that the device has not (2 % are missing, 2 % spelt otherwise), no token (2 %).
"""

from collections.abc import Mapping

import pandas as pd

from assets.inventory.rules import pairing
from assets.inventory.rules.maps import CLIENTS, DEVICE_OF_AGENT, SITES, client_names, site_names
from assets.inventory.rules.places import NOWHERE, recorded_survey
from assets.shared.optional import carry_optional
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TEXT, to_arrow
from remoteiq_etl.frames.text import is_blank
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.dispositions import archived
from remoteiq_etl.spec.table import Adoption, Source, TableSpec
from remoteiq_etl.spec.times import earliest, filled, latest
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

# The application reads these keys in facts; each from a column of the legacy agent.
FACTS = {
    "os": "os",
    "arch": "arch",
    "primary_ip": "primary_ip",
    "user": "logged_in_user",
    "logged_in_user": "logged_in_user",
    "hostname": "hostname",
    "deviceKey": "device_id",
}


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Where each agent is by its own account, and where its device is."""
    found = recorded_survey(inputs, context)
    places = {agent: found.devices.get(pair.device, NOWHERE) for agent, pair in found.pairing.pairs.items()}
    return Decided(prepared={"own": found.agents, "device": places})


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy agent becomes one agent on its device; what the columns say goes into facts, where it is read."""
    batch["id"] = context.derive_many("agents", "agents", batch.keys)
    batch["device_id"] = batch.parent("id", context.lookup(*DEVICE_OF_AGENT), "devices")
    batch.carry("agent_uuid", "version", last_check_in_at="last_seen_at")
    _times(batch)
    batch["facts"] = facts(batch)
    _token(batch, context)
    _place(batch, context)
    carry_optional(batch, context, {"hostname": batch["hostname"]})
    return batch


def _times(batch: Batch) -> None:
    """A time that is missing, because it is infinite, is the earliest or latest other one."""
    created, updated, seen = batch["created_at"], batch["updated_at"], batch["last_seen_at"]
    batch["created_at"] = filled(batch, created, "created_at", earliest(updated, seen))
    batch["updated_at"] = filled(batch, updated, "updated_at", latest(created, seen))


def facts(batch: Batch) -> pd.Series:
    """The legacy facts with the columns added; a column wins over a key of that name, a null column leaves it."""
    columns = [to_arrow(batch[column]).to_pylist() for column in FACTS.values()]
    added = [json_text.without_nulls(dict(zip(FACTS, row, strict=True))) for row in zip(*columns, strict=True)]
    merged = (
        json_text.with_added(known, ours) for known, ours in zip(json_text.objects(batch["facts"]), added, strict=True)
    )
    return json_text.texts(merged)


def _token(batch: Batch, context: Context) -> None:
    """The token has a home only in targets that have the column; elsewhere the agent must enrol again."""
    if "token_hash" in context.optional:
        batch.carry("token_hash")
    else:
        batch.keep(batch["token_hash"].notna(), "token_hash", "must_enrol_again")
        batch.warn(batch["token_hash"].notna(), "agent_must_enrol_again")


def _place(batch: Batch, context: Context) -> None:
    """Client and site are those of the device, or optional columns; what neither says is archived."""
    for column, recorded, names in (("client", CLIENTS, client_names), ("site", SITES, site_names)):
        optional = f"{column}_id" in context.optional
        keys = _keys(batch, context, column, "own" if optional else "device")
        if optional:
            batch[f"{column}_id"] = context.lookup(*recorded).find(keys)
        differs = (batch[column] != names(keys, context)).fillna(True) & ~is_blank(batch[column])
        batch.keep(differs, column, "differs_from_device")


def _keys(batch: Batch, context: Context, column: str, whose: str) -> pd.Series:
    places = [context.prepared[whose].get(key, NOWHERE) for key in to_arrow(batch.keys).to_pylist()]
    return pd.Series([place.client if column == "client" else place.site_key for place in places], dtype=TEXT)


SPEC = TableSpec(
    target=target.agents,
    grain="one row per legacy agent",
    sources=(Source(legacy.agents, transform),),
    decide=Decide(reads=pairing.READS, function=decide),
    lookups=(DEVICE_OF_AGENT, ("devices", "devices"), CLIENTS, SITES),
    legacy_reads=(legacy.devices,),
    adopt=Adoption(columns=("agent_uuid",)),
    activity=("last_check_in_at", "version", "facts"),
    lineage={
        "site_id": ("agents.client", "agents.site"),
        "client_id": ("agents.client",),
        "device_id": ("agents.id", "agents.device_id", "agents.hostname", "devices.agent_uuid"),
        "last_check_in_at": ("agents.last_seen_at",),
        "created_at": ("agents.updated_at", "agents.last_seen_at"),
        "updated_at": ("agents.created_at", "agents.last_seen_at"),
        "facts": ("agents.facts", *(f"agents.{column}" for column in dict.fromkeys(FACTS.values()))),
    },
    rules={
        "device_id": "the device that it pairs with: by agent_uuid, device id, hostname; else a synthesized one",
        "last_check_in_at": "unchanged",
        "created_at": "unchanged; a missing time is the earliest other one",
        "updated_at": "unchanged; a missing time is the latest other one",
        "facts": "the legacy facts with os, arch, primary_ip, user, logged_in_user, hostname and deviceKey; a column wins over a key",
        "client_id": "the client that the agent names",
        "site_id": "the site that the agent names",
    },
    dispositions={
        "agents.token_hash": archived(
            "a token has no place in the redesign: agents must enrol again", "must_enrol_again"
        ),
    },
)
