"""Contacts: one row per requester of tickets, known by an address or, without one, by name.

Known faults of the data, with their share of generated tickets: addresses inside `Name <a@b>` (1 %), in upper case (1 %) or
with white space (1 %), texts that are no address (1 %), no address (3 %), no name (5 %); one requester under several names
(1 of 5 contacts of the edge cases).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.inventory.rules import spelling
from assets.inventory.rules.maps import CLIENTS, SITES
from assets.support.rules import places, requesters
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.frames.text import tidied
from remoteiq_etl.spec import times
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, Decision, StoredDecisions, warned
from remoteiq_etl.spec.table import Adoption, Derived, TableSpec
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from schemas import legacy, target

MOST_USED = "most_used_name"


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """One row per contact; its name is chosen once, and again when nobody uses it any more."""
    tickets = inputs["tickets"].reset_index(drop=True)
    tickets = tickets.assign(created_at=times.first_of(tickets["created_at"], tickets["updated_at"]))
    tickets = tickets.assign(**{KEY: requesters.contact_keys(tickets)}).dropna(subset=[KEY])
    tickets = tickets.sort_values(["created_at", "id"], na_position="first").reset_index(drop=True)
    earlier = recorded.of("derived")
    uses = names_used(tickets)
    chosen = {key: decision(key, uses[key], earlier.get(key)) for key in tickets[KEY].unique()}
    return Decided(
        decisions=list((earlier | chosen).values()),
        rows={"derived": contacts(tickets, chosen)},
        warnings=warned(
            "spelling_would_change",
            "derived",
            spelling.overruled(uses, {key: str(choice.values["name"]) for key, choice in chosen.items()}),
        ),
    )


def names_used(tickets: pd.DataFrame) -> Mapping[str, Counter[str]]:
    """How often each name of each contact is used."""
    named = pd.DataFrame({KEY: tickets[KEY], "name": tidied(tickets["requester_name"])}).dropna()
    uses: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for key, name, number in named.value_counts().reset_index().itertuples(index=False):
        uses[key][name] = number
    return uses


def decision(key: str, uses: Counter[str], earlier: Decision | None) -> Decision:
    """The name of one contact: the one used most often (of equals the first alphabetically), else the local part."""
    recorded = earlier.values["name"] if earlier else None
    local_part = json.loads(key)[1].partition("@")[0]
    return Decision("derived", key, MOST_USED, {"name": spelling.chosen(recorded, uses, local_part)})


def contacts(tickets: pd.DataFrame, chosen: Mapping[str, Decision]) -> pd.DataFrame:
    """One row per contact; `tickets` in order of time. The client and site are those of the latest ticket."""
    latest = tickets.drop_duplicates(KEY, keep="last").set_index(KEY)
    created = tickets.groupby(KEY)["created_at"]
    client = places.client_keys(latest.reset_index())
    site = places.site_keys(client, latest["site"].reset_index(drop=True))
    rows = pd.DataFrame({"created_at": created.min(), "updated_at": created.max()}).loc[latest.index].reset_index()
    names = pd.Series([chosen[key].values["name"] for key in rows[KEY]], dtype=TEXT)
    return rows.assign(name=names, client=client, site=site)


def transform(batch: Batch, context: Context) -> Batch:
    """One row per contact of the organization."""
    keys = [json.loads(key) for key in batch.keys]
    batch["id"] = pd.Series([context.derive("contacts", "derived", *key) for key in keys], dtype=TEXT)
    batch["organization_id"] = context.organization_id
    batch.carry("name", "created_at", "updated_at")
    batch["email"] = pd.Series([name if kind == "email" else None for kind, name in keys], dtype=TEXT)
    batch["metadata"] = metadata(batch, context)
    return batch


def metadata(batch: Batch, context: Context) -> pd.Series:
    """{clientId, siteId} of the latest ticket; without one of them the key is left out."""
    clients = context.lookup(*CLIENTS).find(batch["client"])
    sites = context.lookup(*SITES).find(batch["site"])
    pairs = zip(clients, sites, strict=True)
    return json_text.texts(json_text.without_nulls({"clientId": client, "siteId": site}) for client, site in pairs)


TICKETS = legacy.tickets.c

SPEC = TableSpec(
    target=target.contacts,
    grain="one row per requester of tickets",
    sources=(Derived(transform),),
    decide=Decide(
        reads={
            "tickets": select(
                TICKETS.id,
                TICKETS.requester_name,
                TICKETS.requester_email,
                TICKETS.client,
                TICKETS.site,
                TICKETS.customer_id,
                TICKETS.created_at,
                TICKETS.updated_at,
            )
        },
        function=decide,
    ),
    lookups=(ORGANIZATION, CLIENTS, SITES),
    legacy_reads=(legacy.tickets,),
    adopt=Adoption(columns=("organization_id", "email")),
    lineage={
        "name": ("tickets.requester_name", "tickets.requester_email"),
        "email": ("tickets.requester_email",),
        "metadata": ("tickets.client", "tickets.site", "tickets.customer_id"),
        "created_at": ("tickets.created_at", "tickets.updated_at"),
        "updated_at": ("tickets.created_at", "tickets.updated_at"),
    },
    rules={
        "name": "the one that its tickets use most often, else the part of the address before the @",
        "email": "the address inside, trimmed and lower-cased, without mailto: and a closing >; without exactly one @ there is none",
        "phone": "tickets name no phone",
        "metadata": "clientId and siteId of the latest ticket",
        "created_at": "when its first ticket was created; of a ticket without that time when it was changed",
        "updated_at": "when its last ticket was created; of a ticket without that time when it was changed",
    },
)
