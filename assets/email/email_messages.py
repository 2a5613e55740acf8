"""Mail that came in: one row per legacy imap_ingested and email_inbound_events row.

Known faults of the data, with their share of generated mails: headers are a snippet that may end anywhere, or raw bytes from
anybody (3 % are no Unicode; see headers), no headers (4 % of the snippets, 5 % of the raw mails), a Date that cannot be
read (2.5 %), no subject (3 %), purposes in another spelling (1 %) or of no known channel (1 %).
"""

import base64
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd

from assets.email.rules import channels, headers
from assets.shared import links
from assets.support.rules.maps import TICKET_OF_NUMBER
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TEXT, TEXT_LIST, TIMESTAMP, by_distinct, to_arrow
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

# A bigint has at most 19 digits.
_TICKET = re.compile(r"\[TICKET:#([0-9]{1,19})\]", re.IGNORECASE | re.ASCII)


def transform_ingested(batch: Batch, context: Context) -> Batch:
    """One row per mail that the mailbox reader took in."""
    batch["id"] = context.derive_many("email_messages", "imap_ingested", batch.keys)
    _message(batch, context, [headers.of_text(text) for text in _plain(batch["headers_snippet"])])
    names = ("uid", "size_bytes", "headers_snippet", "is_bounce")
    bounces = ("bounce_recipient", "bounce_status", "bounce_action", "bounce_diagnostic")
    columns = [_plain(batch[name]) for name in (*names, *bounces)]
    batch["payload"] = json_text.texts(_ingested(*values) for values in zip(*columns, strict=True))
    return batch


def transform_event(batch: Batch, context: Context) -> Batch:
    """One row per inbound event."""
    batch["id"] = context.derive_many("email_messages", "email_inbound_events", batch.keys)
    raws = _plain(batch["raw"])
    _message(batch, context, [headers.of_bytes(raw) for raw in raws])
    batch["payload"] = json_text.texts(
        json_text.without_nulls({"kind": kind, "raw": None if raw is None else base64.b64encode(raw).decode("ascii")})
        for kind, raw in zip(_plain(batch["kind"]), raws, strict=True)
    )
    return batch


def ticket_number(subject: str) -> str | None:
    """The legacy number of the ticket that a subject names as `[TICKET:#n]`."""
    found = _TICKET.search(subject)
    return str(int(found[1])) if found else None


def _ingested(
    uid: int,
    size: int | None,
    snippet: str | None,
    is_bounce: bool,
    *bounce: str | None,
) -> dict[str, Any]:
    details = json_text.without_nulls(dict(zip(("recipient", "status", "action", "diagnostic"), bounce, strict=True)))
    found = {"uid": uid, "sizeBytes": size, "headersSnippet": snippet, "isBounce": is_bounce, "bounce": details or None}
    return json_text.without_nulls(found)


def _message(batch: Batch, context: Context, found: list[headers.Headers]) -> None:
    """What both kinds of mail have in common."""
    batch["channel_id"] = channels.channel(batch, context)
    batch["direction"] = "inbound"
    batch.carry("subject", "created_at", from_address="from_addr", received_at="created_at")
    batch["message_id"] = pd.Series([header.message_id for header in found], dtype=TEXT)
    batch["to_addresses"] = pd.Series([header.to for header in found], dtype=TEXT_LIST)
    batch["cc_addresses"] = pd.Series([header.cc for header in found], dtype=TEXT_LIST)
    batch["sent_at"] = pd.Series([header.sent_at for header in found], dtype=TIMESTAMP)
    batch["ticket_id"] = _ticket(batch, context)
    batch.warnings.update(Counter(rule for header in found for rule in header.warnings))


def _ticket(batch: Batch, context: Context) -> pd.Series:
    """The ticket that the subject names; a number whose ticket is not there is archived."""
    numbers = by_distinct(batch["subject"], ticket_number)
    tickets = context.lookup(*TICKET_OF_NUMBER).find(numbers)
    batch.keep(numbers.notna() & tickets.isna(), "subject", links.PARENT_MISSING, numbers)
    return tickets


def _plain(column: pd.Series) -> Iterable[Any]:
    values: list[Any] = to_arrow(column).to_pylist()
    return values


SPEC = TableSpec(
    target=target.email_messages,
    grain="one row per mail that came in",
    sources=(Source(legacy.imap_ingested, transform_ingested), Source(legacy.email_inbound_events, transform_event)),
    lookups=(*channels.PURPOSES, TICKET_OF_NUMBER),
    log_like=True,
    lineage={
        "channel_id": ("imap_ingested.purpose", "email_inbound_events.purpose"),
        "ticket_id": ("imap_ingested.subject", "email_inbound_events.subject"),
        "from_address": ("imap_ingested.from_addr", "email_inbound_events.from_addr"),
        **dict.fromkeys(
            ("message_id", "to_addresses", "cc_addresses", "sent_at"),
            ("imap_ingested.headers_snippet", "email_inbound_events.raw"),
        ),
        "received_at": ("imap_ingested.created_at", "email_inbound_events.created_at"),
        "payload": (
            "imap_ingested.uid",
            "imap_ingested.size_bytes",
            "imap_ingested.headers_snippet",
            "imap_ingested.is_bounce",
            "imap_ingested.bounce_recipient",
            "imap_ingested.bounce_status",
            "imap_ingested.bounce_action",
            "imap_ingested.bounce_diagnostic",
            "email_inbound_events.kind",
            "email_inbound_events.raw",
        ),
    },
    rules={
        "channel_id": "the channel of this purpose",
        "ticket_id": "the ticket of this source whose legacy number the subject names as [TICKET:#n]",
        "direction": "always inbound",
        "message_id": "read from the headers",
        "from_address": "unchanged",
        "to_addresses": "read from the headers",
        "cc_addresses": "read from the headers",
        "bcc_addresses": "mail that comes in does not name them",
        "sent_at": "the Date of the headers; null where it cannot be read without a guess",
        "received_at": "when the row was created",
        "payload": "uid, sizeBytes, headersSnippet, isBounce and bounce, or kind and raw in base64",
    },
)
