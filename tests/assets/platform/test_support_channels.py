import json
from typing import Any

import pandas as pd
import pytest

from assets.platform.support_channels import SPEC, channels, decide, transform
from remoteiq_etl.frames.dtypes import BOOLEAN, INTEGER, frame
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import StoredDecisions
from remoteiq_etl.spec.table import Derived
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy
from tests.assets.builders import batch_of, plain, rows_of

CONTEXT = Context(organization_slug="acme")


@pytest.mark.parametrize(
    ("support", "expected"),
    [
        ({"supportEmail": "help@example.com"}, {"email": {"address": "help@example.com"}}),
        ({"supportPhone": "+1", "phoneHours": "9-17"}, {"phone": {"number": "+1", "hours": "9-17"}}),
        ({"supportPhone": "+1"}, {"phone": {"number": "+1"}}),
        ({"phoneHours": "9-17"}, {}),
        ({"knowledgeBaseUrl": "k"}, {"knowledge_base": {"url": "k"}}),
        ({"statusPageUrl": "s"}, {"status_page": {"url": "s"}}),
        ({"ticketPortalUrl": "t"}, {"ticket_portal": {"url": "t"}}),
        ({"chatWidgetCode": "c", "showChatWidget": True}, {"chat_widget": {"code": "c"}}),
        ({"chatWidgetCode": "c", "showChatWidget": False}, {}),
        ({"chatWidgetCode": "c"}, {}),
        ({"showChatWidget": True}, {}),
        ({"supportEmail": " "}, {}),
        ({"termsUrl": "t"}, {}),
    ],
)
def test_channels(support: dict[str, Any], expected: dict[str, Any]) -> None:
    """There is one channel per value that is not empty; the chat widget only when it is shown."""
    assert channels(support) == expected


def table(name: str, *rows: dict[str, Any]) -> pd.DataFrame:
    columns = [column.name for column in legacy.metadata.tables[f"legacy.{name}"].columns]
    return frame(
        {column: [row.get(column) for row in rows] for column in columns},
        {"id": INTEGER, "show_chat_widget": BOOLEAN},
    )


def test_decide_reads_both_tables() -> None:
    """The values are those of support_legal, its gaps filled from support_legal_settings."""
    inputs = {
        "support_legal": table("support_legal", {"id": 1, "support_email": "a@example.com"}, {"id": 0}),
        "support_legal_settings": table(
            "support_legal_settings",
            {
                "id": 2,
                "support_email": "b@example.com",
                "kb_url": "k",
                "show_chat_widget": True,
                "chat_widget_code": "c",
            },
        ),
    }
    found = decide(inputs, StoredDecisions(), CONTEXT)
    assert {row[KEY]: json.loads(row["configuration"]) for row in plain(found.rows["derived"])} == {
        "email": {"address": "a@example.com"},
        "knowledge_base": {"url": "k"},
        "chat_widget": {"code": "c"},
    }


def test_an_empty_value_removes_its_row() -> None:
    """A value that becomes empty removes its row: the derived rows are declared to be removed with their cause."""
    inputs = {name: table(name) for name in ("support_legal", "support_legal_settings")}
    found = decide(inputs, StoredDecisions(), CONTEXT)
    assert len(found.rows["derived"]) == 0
    assert rows_of(transform(batch_of({KEY: [], "configuration": []}), CONTEXT)) == []
    (derived,) = SPEC.sources
    assert isinstance(derived, Derived)
    assert derived.removes


def test_target_row() -> None:
    """Key and type are the channel's word; the id is derived from it."""
    assert rows_of(transform(batch_of({KEY: ["email"], "configuration": ["{}"]}), CONTEXT)) == [
        {
            KEY: "email",
            "id": CONTEXT.derive("support_channels", "derived", "email"),
            "organization_id": CONTEXT.organization_id,
            "channel_key": "email",
            "channel_type": "email",
            "configuration": "{}",
        }
    ]


def test_declaration() -> None:
    """A channel that the target had is recognised by its key; the lineage names the columns that are read."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("organization_id", "channel_key")
    assert set(SPEC.lineage["configuration"]) == {
        "support_legal.support_email",
        "support_legal.support_phone",
        "support_legal.phone_hours",
        "support_legal.knowledge_base_url",
        "support_legal.status_page_url",
        "support_legal.ticket_portal_url",
        "support_legal_settings.support_email",
        "support_legal_settings.support_phone",
        "support_legal_settings.kb_url",
        "support_legal_settings.status_page_url",
        "support_legal_settings.show_chat_widget",
        "support_legal_settings.chat_widget_code",
    }
    assert {table.name for table in SPEC.legacy_reads} == {"support_legal", "support_legal_settings"}
