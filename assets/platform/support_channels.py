"""Ways to reach support: one row per channel word whose setting is not empty.

Known faults of the data: the same setting kept in two tables (see settings_paths).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import select

from assets.platform.rules import settings_paths, singletons
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.frames.text import tidy
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Adoption, Derived, TableSpec
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from schemas import legacy, target

# Channel word → the key of the support settings without which there is no channel, and the configuration made of them.
CHANNELS: Mapping[str, Mapping[str, str]] = {
    "email": {"address": "supportEmail"},
    "phone": {"number": "supportPhone", "hours": "phoneHours"},
    "knowledge_base": {"url": "knowledgeBaseUrl"},
    "status_page": {"url": "statusPageUrl"},
    "ticket_portal": {"url": "ticketPortalUrl"},
    "chat_widget": {"code": "chatWidgetCode"},
}

SHOWN = "showChatWidget"
SETTINGS_KEYS = frozenset({key for keys in CHANNELS.values() for key in keys.values()} | {SHOWN})


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The channels of the support settings that the legacy application reads."""
    legal = singletons.first_row(inputs["support_legal"])
    settings = singletons.first_row(inputs["support_legal_settings"])
    found = channels(settings_paths.support(legal, settings, None))
    rows = frame({KEY: list(found), "configuration": [json_text.dumps(value) for value in found.values()]})
    return Decided(rows={"derived": rows})


def channels(support: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The configuration of each channel: one per value that is not blank; the chat widget only when it is shown."""
    found = {
        word: json_text.without_nulls({name: support.get(key) for name, key in keys.items()})
        for word, keys in CHANNELS.items()
        if tidy(support.get(next(iter(keys.values())))) is not None
    }
    if support.get(SHOWN) is not True:
        found.pop("chat_widget", None)
    return found


def transform(batch: Batch, context: Context) -> Batch:
    """One row per channel word of the organization."""
    batch["id"] = context.derive_many("support_channels", "derived", batch.keys)
    batch["organization_id"] = context.organization_id
    batch["channel_key"] = batch.keys
    batch["channel_type"] = batch.keys
    batch.carry("configuration")
    return batch


SPEC = TableSpec(
    target=target.support_channels,
    grain="one row per support channel of the organization",
    sources=(Derived(transform, removes=True),),
    decide=Decide(
        reads={
            "support_legal": select(legacy.support_legal),
            "support_legal_settings": select(legacy.support_legal_settings),
        },
        function=decide,
    ),
    lookups=(ORGANIZATION,),
    legacy_reads=(legacy.support_legal, legacy.support_legal_settings),
    adopt=Adoption(columns=("organization_id", "channel_key")),
    lineage={"configuration": settings_paths.support_columns(SETTINGS_KEYS)},
    rules={
        "channel_key": "the word of the channel: email, phone, knowledge_base, status_page, ticket_portal, chat_widget",
        "channel_type": "the same word",
        "configuration": "one row for each value that is not blank; the chat widget only when it is shown",
    },
)
