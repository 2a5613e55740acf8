import base64
import json
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from assets.email.email_messages import SPEC, ticket_number, transform_event, transform_ingested
from remoteiq_etl.frames.dtypes import BOOLEAN, INTEGER, TIMESTAMP
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, outcomes, rows_of, waits

CONTEXT = Context(
    lookups={
        ("email_channels", "purpose"): Lookup.of({"alerts": "c1"}),
        ("tickets", "number"): Lookup.of({"7": "t7"}),
    }
)
MADE = datetime(2024, 1, 1, tzinfo=UTC)
MAIL = {"id": 5, "purpose": " Alerts", "from_addr": "Bob <bob@example.com>", "subject": "Hi", "created_at": MADE}
INGESTED = {
    **MAIL,
    "uid": 3_000_000_000,
    "size_bytes": 99,
    "headers_snippet": "To: a@example.com\nCc: b@example.com\nMessage-ID: <x@y>\nDate: nonsense",
    "is_bounce": True,
    "bounce_recipient": "r",
    "bounce_status": "5.1.1",
    "bounce_action": "failed",
    "bounce_diagnostic": "d",
}
EVENT = {**MAIL, "kind": "reply", "raw": b"Date: Mon, 01 Jan 2024 12:00:00 +0000\r\n\r\n\x00\xff"}
DTYPES = {
    "id": INTEGER,
    "uid": INTEGER,
    "size_bytes": INTEGER,
    "is_bounce": BOOLEAN,
    "raw": pd.ArrowDtype(pa.binary()),
    "created_at": TIMESTAMP,
}


def batch(row: dict[str, Any], **values: object) -> Batch:
    columns = {name: [value] for name, value in {**row, **values}.items()}
    return batch_of(columns, {name: dtype for name, dtype in DTYPES.items() if name in columns})


def ingested(**values: object) -> dict[str, Any]:
    return rows_of(transform_ingested(batch(INGESTED, **values), CONTEXT))[0]


def event(**values: object) -> dict[str, Any]:
    return rows_of(transform_event(batch(EVENT, **values), CONTEXT))[0]


def test_an_ingested_mail_is_an_inbound_message() -> None:
    """A mail keeps sender and subject as they are; its headers are read, its receipt is created_at."""
    row = ingested()
    payload = json.loads(row.pop("payload"))
    assert row == {
        KEY: "5",
        "id": CONTEXT.derive("email_messages", "imap_ingested", "5"),
        "channel_id": "c1",
        "ticket_id": None,
        "direction": "inbound",
        "from_address": "Bob <bob@example.com>",
        "subject": "Hi",
        "message_id": "<x@y>",
        "to_addresses": ["a@example.com"],
        "cc_addresses": ["b@example.com"],
        "sent_at": None,
        "received_at": MADE,
        "created_at": MADE,
    }
    assert payload == {
        "uid": 3_000_000_000,
        "sizeBytes": 99,
        "headersSnippet": INGESTED["headers_snippet"],
        "isBounce": True,
        "bounce": {"recipient": "r", "status": "5.1.1", "action": "failed", "diagnostic": "d"},
    }


def test_what_could_not_be_read_is_counted() -> None:
    """Headers left out are counted by rule, over all mails."""
    assert dict(transform_ingested(batch(INGESTED), CONTEXT).warnings) == {"unreadable_date": 1}


def test_an_event_keeps_its_raw_mail() -> None:
    """An inbound event keeps its kind and its raw mail in base64."""
    row = event()
    assert row["id"] == CONTEXT.derive("email_messages", "email_inbound_events", "5")
    assert row["sent_at"] == datetime(2024, 1, 1, 12, tzinfo=UTC)
    payload = json.loads(row["payload"])
    assert payload["kind"] == "reply"
    assert base64.b64decode(payload["raw"]) == EVENT["raw"]
    assert (row["to_addresses"], row["message_id"], row["from_address"]) == (None, None, "Bob <bob@example.com>")


def test_missing_parts_stay_null() -> None:
    """A mail without headers, size or bounce is carried with nulls; they are left out of the payload."""
    missing = dict.fromkeys(("headers_snippet", "size_bytes", "subject", "from_addr"))
    row = ingested(**missing)
    assert [row[name] for name in ("message_id", "to_addresses", "sent_at", "subject", "from_address")] == [None] * 5
    assert set(json.loads(row["payload"])) & {"sizeBytes", "headersSnippet"} == set()
    assert json.loads(event(raw=None, kind=None)["payload"]) == {}


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        ("Re: [TICKET:#7] printer", "7"),
        ("[ticket:#007]", "7"),
        ("[TICKET:#7] [TICKET:#8]", "7"),
        ("[TICKET:#]", None),
        ("TICKET:#7", None),
        ("[TICKET:#7x]", None),
        ("[TICKET:#" + "9" * 19 + "]", "9" * 19),
        ("[TICKET:#" + "9" * 20 + "]", None),
        ("[TICKET:#٧]", None),
    ],
)
def test_the_number_in_a_subject(subject: str, number: str | None) -> None:
    """`[TICKET:#n]` in the subject is a ticket's legacy number."""
    assert ticket_number(subject) == number


def test_a_number_links_its_ticket() -> None:
    """The subject links the ticket of that legacy number; without it the number is archived."""
    assert ingested(subject="[TICKET:#7]")["ticket_id"] == "t7"
    assert event(subject="[TICKET:#7]")["ticket_id"] == "t7"
    unknown = transform_ingested(batch(INGESTED, subject="[TICKET:#8]"), CONTEXT)
    assert rows_of(unknown)[0]["ticket_id"] is None
    assert archived(unknown) == [("5", "subject", "8", "parent_missing")]
    assert archived(transform_ingested(batch(INGESTED), CONTEXT)) == []


def test_a_message_needs_its_channel() -> None:
    """A message waits for the channel of its purpose; a blank purpose has none."""
    assert outcomes(transform_event(batch(EVENT, purpose="reports"), CONTEXT)) == {"5": ("held", "parent_missing")}
    waiting = waits(transform_event(batch(EVENT, purpose="reports"), CONTEXT))
    assert waiting == {"5": (("email_channels", "reports"), ("purpose",))}
    assert outcomes(transform_event(batch(EVENT, purpose=" "), CONTEXT)) == {"5": ("quarantined", "parent_null")}


def test_nobody_edits_messages() -> None:
    """Messages are log-like."""
    assert SPEC.log_like
