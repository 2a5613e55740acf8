"""Tags of tickets: up to three per legacy ticket, `client:`, `site:` and `legacy-number:`.

The target ticket has no client or site of its own; they are tags, unless its device already says the same. Known faults of
the data, with their share of generated tickets: no client (1 %) or site (1.5 %), names in another spelling (1 %).
"""

from collections.abc import Mapping

import pandas as pd

from assets.inventory.rules.device_texts import devices_of
from assets.inventory.rules.maps import CLIENTS, DEVICE_OF_AGENT, DEVICE_OF_TEXT, SITES, client_names, site_names
from assets.inventory.rules.pairing import READS as PAIRING_READS
from assets.inventory.rules.places import recorded_survey
from assets.support.rules import places
from assets.support.rules.maps import former_numbers, given_numbers
from remoteiq_etl.frames.dtypes import TEXT, frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.frames.text import normalise, normalised, tidied
from remoteiq_etl.spec import times
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.table import OWNER, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

KINDS = ("client", "site", "legacy-number")


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Where each device is, by its id in the target."""
    found = recorded_survey(inputs, context)
    refs = frame({"table": [table for table, _ in found.devices], "key": [key for _, key in found.devices]})
    ids = context.lookup("devices").find(refs["key"])
    ids = ids.where(refs["table"].eq("devices"), context.lookup(*DEVICE_OF_AGENT).find(refs["key"]))
    placed = [(key, place) for key, place in zip(ids, found.devices.values(), strict=True) if isinstance(key, str)]
    return Decided(
        prepared={
            "client": Lookup.of({key: name for key, place in placed if (name := normalise(place.client))}),
            "site": Lookup.of({key: name for key, place in placed if (name := normalise(place.site))}),
        }
    )


def transform(batch: Batch, context: Context) -> Batch:
    """One row per ticket and kind; kinds that a ticket does not have are left out."""
    tags = tags_of(batch, context)
    exploded = Batch(pd.concat([_of_kind(batch.legacy, kind, tags[kind]) for kind in KINDS], ignore_index=True))
    exploded.filter(exploded["_tag"].isna(), "no_tag")
    exploded.carry(OWNER, tag="_tag")
    exploded["ticket_id"] = exploded.parent(OWNER, context.lookup("tickets"), "tickets")
    exploded["created_at"] = times.first_of(exploded["created_at"], exploded["updated_at"])
    return exploded


def tags_of(batch: Batch, context: Context) -> dict[str, pd.Series]:
    """The tag of each kind of each ticket, or null."""
    written = places.client_texts(batch.legacy)
    client, site = normalised(written), normalised(batch["site"])
    site_key = places.site_keys(client, batch["site"])
    device = devices_of(batch, context)
    own_client, own_site = (context.prepared[name].find(device) for name in ("client", "site"))
    same_client = client.eq(own_client).fillna(False)
    same_site = site.eq(own_site).fillna(False) & (same_client | client.isna())
    names = {
        "client": client_names(client, context).fillna(tidied(written)).mask(same_client),
        "site": site_names(site_key, context).fillna(tidied(batch["site"])).mask(same_site),
        "legacy-number": _replaced_number(batch, context),
    }
    return {kind: kind + ":" + name for kind, name in names.items()}


def _replaced_number(batch: Batch, context: Context) -> pd.Series:
    """The legacy number of each ticket that has another one now."""
    former = former_numbers(batch.keys, context)
    return former.where(former.ne(given_numbers(batch.keys, context)).fillna(False))


def _of_kind(tickets: pd.DataFrame, kind: str, tags: pd.Series) -> pd.DataFrame:
    keys = pd.Series([key_text([key, kind]) for key in tickets[KEY]], index=tickets.index, dtype=TEXT)
    return tickets.assign(**{OWNER: tickets[KEY], KEY: keys, "_tag": tags})


SPEC = TableSpec(
    target=target.ticket_tags,
    grain="one row per tag of a legacy ticket",
    sources=(Source(legacy.tickets, transform, primary=False),),
    decide=Decide(
        reads=PAIRING_READS,
        function=decide,
    ),
    lookups=(CLIENTS, SITES, ("devices", "devices"), DEVICE_OF_AGENT, DEVICE_OF_TEXT, ("tickets", "tickets")),
    legacy_reads=(legacy.devices, legacy.agents),
    replaces=True,
    owned_by=legacy.tickets,
    lineage={
        "created_at": ("tickets.updated_at",),
        "ticket_id": ("tickets.id",),
        "tag": ("tickets.device_id", "tickets.client", "tickets.site", "tickets.customer_id", "tickets.number"),
    },
    rules={
        "ticket_id": "the ticket made of the same row",
        "tag": "client:, site: and legacy-number:, unless the device already says the same or the number was kept",
        "created_at": "the ticket's",
    },
)
