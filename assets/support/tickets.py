"""Tickets: one row per legacy ticket.

Steps: number and time of closing are decided over all tickets first; then each link (requester, assignee, device) is found
and what it does not repeat is archived. Known faults of the data, with their share of generated tickets: numbers given twice
(1 %), two columns for the assignee (2 % of the second name nobody), a device named by any text (1 % name nobody),
customer columns that contradict the client (15 % hold a uuid), words that nobody knows (0.5 % each of status and priority),
requesters written in many ways (see contacts).
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.inventory.rules.maps import CLIENTS, DEVICE_OF_TEXT, SITES, client_names, client_references, site_names
from assets.shared import links
from assets.support.rules import places, requesters, ticket_numbers
from assets.support.rules.maps import CONTACT_OF_KEY, contact_names, former_numbers, given_numbers
from remoteiq_etl.frames.dtypes import INTEGER, TIMESTAMP
from remoteiq_etl.frames.text import is_blank
from remoteiq_etl.frames.times import microseconds
from remoteiq_etl.spec import times
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from remoteiq_etl.spec.value_map import ValueMap
from schemas import legacy, target

STATUS = ValueMap(
    "tickets.status",
    {
        "open": "open",
        "new": "open",
        "in_progress": "pending",
        "pending": "pending",
        "waiting": "pending",
        "on_hold": "pending",
        "resolved": "resolved",
        "closed": "closed",
    },
    lossy=frozenset({"new", "in_progress", "waiting", "on_hold"}),
    carries=True,
)
PRIORITY = ValueMap(
    "tickets.priority",
    {
        "low": "low",
        "normal": "normal",
        "medium": "normal",
        "high": "high",
        "urgent": "urgent",
        "critical": "urgent",
    },
    lossy=frozenset({"medium", "critical"}),
    carries=True,
)


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The number of every ticket, which one a number means, and when those closed in the target were closed."""
    tickets = inputs["tickets"].dropna(subset=["number"]).sort_values(["created_at", "id"])
    existing = inputs["target_tickets"]
    ours = existing[existing["organization_id"] == context.organization_id]
    written = set(tickets["id"][context.lookup("tickets").knows(tickets["id"])])
    decisions = ticket_numbers.numbered(
        tickets, recorded.of("tickets"), {int(number) for number in ours["ticket_number"]}, written
    )
    decisions += ticket_numbers.references(tickets, recorded.of("number"))
    closed = existing.dropna(subset=["closed_at"])
    return Decided(
        decisions, prepared={"closed_at": dict(zip(closed["id"], microseconds(closed["closed_at"]), strict=True))}
    )


def transform(batch: Batch, context: Context) -> Batch:
    """One row per ticket, under its own id."""
    batch["id"] = context.kept_or_derived("tickets", "tickets", batch.keys)
    batch["organization_id"] = context.organization_id
    batch["ticket_number"] = number(batch, context)
    batch.carry("description", subject="title")
    batch["status"] = _words(batch, "status", context.extended(STATUS))
    batch["priority"] = _words(batch, "priority", context.extended(PRIORITY))
    batch["created_at"] = times.filled(batch, batch["created_at"], "created_at", batch["updated_at"])
    batch["updated_at"] = times.filled(batch, batch["updated_at"], "updated_at", batch["created_at"])
    batch["closed_at"] = closed_at(batch, context)
    batch["requester_contact_id"] = requester(batch, context)
    batch["assignee_user_id"] = assignee(batch, context)
    batch["device_id"] = device(batch, context)
    _client_and_site(batch, context)
    return batch


def number(batch: Batch, context: Context) -> pd.Series:
    """The number that was given once; a legacy number that is another one since is archived."""
    former = former_numbers(batch.keys, context).astype(INTEGER)
    batch.keep(batch["number"].ne(former).fillna(False), "number", "changed_number")
    return given_numbers(batch.keys, context).astype(INTEGER)


def closed_at(batch: Batch, context: Context) -> pd.Series:
    """updated_at when a ticket is first seen closed, what the target has when it was closed before, else null."""
    ids = context.lookup("tickets").find(batch.keys)
    known = context.prepared["closed_at"]
    before = pd.Series([known.get(key) for key in ids], dtype=TIMESTAMP)
    since = before.fillna(batch.columns["updated_at"])
    return since.where(batch.columns["status"].eq("closed").fillna(False), None)


def requester(batch: Batch, context: Context) -> pd.Series:
    """The contact of each ticket; what the contact does not repeat of the requester is archived."""
    keys = requesters.contact_keys(batch.legacy)
    found = context.lookup(*CONTACT_OF_KEY).find(keys)
    email, name = batch["requester_email"], batch["requester_name"]
    address = requesters.addresses(email)
    missing = keys.notna() & found.isna()
    for column in ("requester_email", "requester_name"):
        batch.keep(missing, column, links.PARENT_MISSING)
    batch.keep(address.isna() & ~is_blank(email), "requester_email", "not_an_address")
    batch.keep(~missing & address.notna() & (address != email), "requester_email", "original_form")
    other_name = ~is_blank(name) & name.ne(contact_names(keys, context)).fillna(True)
    batch.keep(~missing & other_name, "requester_name", "other_name")
    return found


def assignee(batch: Batch, context: Context) -> pd.Series:
    """assignee_user_id, else assignee_id; an assignee who was not migrated, or is not used, is archived."""
    first, second = batch["assignee_user_id"], batch["assignee_id"]
    user = links.nullable(batch, "assignee_user_id", context.lookup("users"))
    other = context.lookup("users").find(second).where(first.isna(), None)
    batch.keep(other.isna() & second.ne(first).fillna(True), "assignee_id", "unused_assignee")
    return user.fillna(other)


def device(batch: Batch, context: Context) -> pd.Series:
    """The device that the text names; the text is archived unless it is that device's own id."""
    text = batch["device_id"].mask(is_blank(batch["device_id"]))
    found = context.lookup(*DEVICE_OF_TEXT).find(text)
    unknown = text.notna() & found.isna()
    own = context.lookup("devices").find(text)
    batch.warn(unknown, "device_unresolved")
    batch.keep(unknown, "device_id", "device_unresolved")
    batch.keep(found.notna() & own.ne(found).fillna(True), "device_id", "device_text")
    return found


def _words(batch: Batch, column: str, value_map: ValueMap) -> pd.Series:
    """The label of each word; a word that says more than its label is archived."""
    batch.keep(value_map.loses(batch[column]), column, "lossy_word")
    return batch.words_of(column, value_map)


def _client_and_site(batch: Batch, context: Context) -> None:
    """What the tags do not repeat is archived; the extra columns are filled where they exist."""
    clients = places.client_keys(batch.legacy)
    sites = places.site_keys(clients, batch["site"])
    _keep_spelling(batch, "client", client_names(clients, context))
    _keep_spelling(batch, "site", site_names(sites, context))
    external = client_references(clients, context)
    customer = batch["customer_id"]
    differs = places.is_uuid(customer) | places.client_texts(batch.legacy).ne(customer).fillna(True)
    batch.keep(differs & ~is_blank(customer), "customer_id", "other_customer")
    batch.keep(external.ne(batch["customer_uuid"]).fillna(True), "customer_uuid", "other_customer")
    if "client_id" in context.optional:
        batch["client_id"] = context.lookup(*CLIENTS).find(clients)
    if "site_id" in context.optional:
        batch["site_id"] = context.lookup(*SITES).find(sites)


def _keep_spelling(batch: Batch, column: str, name: pd.Series) -> None:
    """A name that is spelled otherwise than the recorded one is archived."""
    batch.keep(~is_blank(batch[column]) & batch[column].ne(name).fillna(True), column, "other_spelling")


TICKETS, WRITTEN = legacy.tickets.c, target.tickets.c

SPEC = TableSpec(
    target=target.tickets,
    grain="one row per legacy ticket",
    sources=(Source(legacy.tickets, transform),),
    decide=Decide(
        reads={"tickets": select(TICKETS.id, TICKETS.number, TICKETS.created_at)},
        target_reads={
            "target_tickets": select(
                WRITTEN.id,
                WRITTEN.organization_id,
                WRITTEN.ticket_number,
                WRITTEN.closed_at,
            )
        },
        function=decide,
    ),
    lookups=(
        ORGANIZATION,
        ("users", "users"),
        CLIENTS,
        SITES,
        ("devices", "devices"),
        DEVICE_OF_TEXT,
        CONTACT_OF_KEY,
        ("tickets", "tickets"),
    ),
    value_maps=(STATUS, PRIORITY),
    lineage={
        "updated_at": ("tickets.created_at",),
        "created_at": ("tickets.updated_at",),
        "ticket_number": ("tickets.number",),
        "subject": ("tickets.title",),
        "requester_contact_id": ("tickets.requester_email", "tickets.requester_name"),
        "assignee_user_id": ("tickets.assignee_user_id", "tickets.assignee_id"),
        "closed_at": ("tickets.status", "tickets.updated_at"),
        "client_id": ("tickets.client", "tickets.customer_id"),
        "site_id": ("tickets.site", "tickets.client", "tickets.customer_id"),
    },
    rules={
        "ticket_number": "kept where it is free; a duplicate or taken one gets the next above all, and a tag",
        "requester_contact_id": "the contact of this address, else of this name",
        "device_id": "the device that the text means",
        "subject": "unchanged",
        "assignee_user_id": "the assignee_user_id, else the assignee_id, of a user who was migrated",
        "created_at": "unchanged; a missing time is the other one",
        "updated_at": "unchanged; a missing time is the other one",
        "closed_at": "updated_at when first seen closed; null when open again",
        "client_id": "the client that the ticket names",
        "site_id": "the site that the ticket names",
    },
)
