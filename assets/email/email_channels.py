"""Mail channels: one row per legacy mail setting, and one per purpose that is used elsewhere and has no setting.

Known faults of the data, with their share of generated mails: purposes are free text outside email_settings, in another case
and spacing (1 %) or of no setting (1 %); of the 4 settings of the edge cases 1 is enabled without a host, 1 has hosts but is not enabled.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from sqlalchemy import func, literal, select

from assets.email.rules.channels import NAMES, purpose_key
from assets.inventory.rules import spelling
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TEXT, frame, to_arrow
from remoteiq_etl.frames.text import is_blank, tidy
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import SAME_AS, Decide, Decided, Decision, StoredDecisions
from remoteiq_etl.spec.table import Adoption, Derived, Source, TableSpec
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from remoteiq_etl.spec.value_map import ValueMap
from schemas import legacy, target

PURPOSE = ValueMap("email_channels.purpose", {"alerts": "alerts"}, default="system")

SMTP = {
    "host": "smtp_host",
    "port": "smtp_port",
    "username": "smtp_username",
    "password": "smtp_password",
    "useTls": "smtp_use_tls",
    "useSsl": "smtp_use_ssl",
    "fromAddress": "smtp_from_address",
    "legacyEnabled": "enabled",
}
IMAP = {
    "host": "imap_host",
    "port": "imap_port",
    "username": "imap_username",
    "password": "imap_password",
    "useSsl": "imap_use_ssl",
}
POP = {key: column.replace("imap_", "pop_") for key, column in IMAP.items()}


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """A channel for every purpose that no setting has, and which channel each purpose means."""
    uses = _uses(inputs)
    settings = set(inputs["settings"]["purpose"].dropna())
    earlier = recorded.of("derived")
    derived = {key: _named(key, names, earlier.get(key)) for key, names in uses.items() if key not in settings}
    meant = [
        *(Decision("purpose", key, "settings", {SAME_AS: ["email_settings", key]}) for key in sorted(settings)),
        *(Decision("purpose", key, "derived", {SAME_AS: ["derived", key]}) for key in derived),
    ]
    rows = {KEY: list(derived), "name": [choice.values["name"] for choice in derived.values()]}
    return Decided(decisions=[*(earlier | derived).values(), *meant], rows={"derived": frame(rows)})


def transform_settings(batch: Batch, context: Context) -> Batch:
    """One row per purpose; a direction is enabled where the setting is and has a host."""
    batch["id"] = context.derive_many("email_channels", "email_settings", batch.keys)
    batch["organization_id"] = context.organization_id
    batch["name"] = pd.Series([NAMES.get(purpose, purpose) for purpose in batch["purpose"]], dtype=TEXT)
    batch["purpose"] = batch.words_of("purpose", context.extended(PURPOSE))
    batch["is_outbound_enabled"] = batch["enabled"] & ~is_blank(batch["smtp_host"])
    batch["is_inbound_enabled"] = batch["enabled"] & ~is_blank(batch["imap_host"])
    batch["smtp_settings"] = json_text.texts(_objects(batch, SMTP))
    pops = _objects(batch, POP)
    batch["imap_settings"] = json_text.texts(
        {**imap, "pop": pop} for imap, pop in zip(_objects(batch, IMAP), pops, strict=True)
    )
    batch.carry("updated_at")
    return batch


def transform_purposes(batch: Batch, context: Context) -> Batch:
    """One row per purpose without a setting; it neither sends nor receives."""
    batch["id"] = context.derive_many("email_channels", "derived", batch.keys)
    batch["organization_id"] = context.organization_id
    batch.carry("name")
    batch["purpose"] = context.extended(PURPOSE).apply(batch.keys)
    batch["is_outbound_enabled"] = False
    batch["is_inbound_enabled"] = False
    return batch


def _objects(batch: Batch, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """One object per row, of the columns named for its keys; nulls are left out."""
    values = [to_arrow(batch[column]).to_pylist() for column in keys.values()]
    return [json_text.without_nulls(dict(zip(keys, row, strict=True))) for row in zip(*values, strict=True)]


def _uses(inputs: Mapping[str, pd.DataFrame]) -> Mapping[str, Counter[str]]:
    """How often each spelling of each purpose is used outside the settings."""
    uses: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for purpose, number in _purposes(inputs):
        key, name = purpose_key(purpose), tidy(purpose)
        if key is not None and name is not None:
            uses[key][name] += number
    return uses


def _purposes(inputs: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, int]]:
    for name in ("state", "ingested", "events"):
        used = inputs[name].dropna(subset=["purpose"])
        yield from zip(used["purpose"], used["uses"].astype(int), strict=True)


def _named(key: str, names: Counter[str], earlier: Decision | None) -> Decision:
    # Left free for the channels of the settings: names are unique, and a setting may come later.
    if key in NAMES:
        return Decision("derived", key, "spelling", {"name": key})
    recorded = earlier.values["name"] if earlier else None
    return Decision("derived", key, "spelling", {"name": spelling.chosen(recorded, names, key)})


STATE, INGESTED, EVENTS = legacy.imap_state.c, legacy.imap_ingested.c, legacy.email_inbound_events.c

SPEC = TableSpec(
    target=target.email_channels,
    grain="one row per purpose of mail",
    sources=(Source(legacy.email_settings, transform_settings), Derived(transform_purposes)),
    decide=Decide(
        reads={
            "settings": select(legacy.email_settings.c.purpose),
            "state": select(STATE.purpose, literal(1).label("uses")),
            "ingested": select(INGESTED.purpose, func.count().label("uses")).group_by(INGESTED.purpose),
            "events": select(EVENTS.purpose, func.count().label("uses")).group_by(EVENTS.purpose),
        },
        function=decide,
    ),
    lookups=(ORGANIZATION,),
    legacy_reads=(legacy.imap_state, legacy.imap_ingested, legacy.email_inbound_events),
    adopt=Adoption(columns=("organization_id", "name")),
    value_maps=(PURPOSE,),
    lineage={
        "name": (
            "email_settings.purpose",
            "imap_state.purpose",
            "imap_ingested.purpose",
            "email_inbound_events.purpose",
        ),
        "is_outbound_enabled": ("email_settings.enabled", "email_settings.smtp_host"),
        "is_inbound_enabled": ("email_settings.enabled", "email_settings.imap_host"),
        "smtp_settings": tuple(f"email_settings.{column}" for column in SMTP.values()),
        "imap_settings": tuple(f"email_settings.{column}" for column in (*IMAP.values(), *POP.values())),
    },
    rules={
        "name": "Alerts, Invites, Password resets, Reports; a purpose that names none of them makes a channel in its most used spelling",
        "purpose": "by the words of email_channels.purpose, system for every other",
        "is_inbound_enabled": "the setting is enabled and has an imap host; else false",
        "is_outbound_enabled": "the setting is enabled and has an smtp host; else false",
        "smtp_settings": "one key for each column; nulls are left out",
        "imap_settings": "one key for each column, those of pop in an object of their own; nulls are left out",
    },
)
