"""Audit trail of the settings: one row per settings type and run of ours that changed it, seeds included.

Legacy kept none: the rows are made of what the runs wrote to organization_settings. Values under keys that name a secret
are left out of both sides.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from assets.platform.organization_settings import JSON_COLUMNS
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, Decision, StoredDecisions
from remoteiq_etl.spec.table import Derived, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import target

WRITE = "write"
SETTINGS = "organization_settings"
COLUMNS = {KEY: TEXT, "settings_type": TEXT, "run": TEXT, "previous": TEXT, "next": TEXT, "at": TIMESTAMP}


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The changes recorded so far, and those written since: a row stays as it was when it was recorded."""
    known = recorded.of(WRITE)
    found = {decision.legacy_key: decision for decision in changes(inputs[SETTINGS])}
    decisions = {**found, **known}
    rows = [{KEY: key, **decision.values} for key, decision in sorted(decisions.items())]
    columns = {name: [_cell(name, row[name]) for row in rows] for name in COLUMNS}
    return Decided(list(decisions.values()), {WRITE: frame(columns, COLUMNS)})


def changes(writes: pd.DataFrame) -> Iterator[Decision]:
    """One decision per write and settings type that it changed. Where there was no row, an empty setting is no change."""
    for write in writes.to_dict("records"):
        previous, following = json_text.parse(write["previous"]), json_text.as_object(json_text.parse(write["next"]))
        for settings_type in JSON_COLUMNS:
            before = None if previous is None else previous.get(settings_type)
            after = following.get(settings_type)
            if (before or {}) != (after or {}):
                values = {
                    "settings_type": settings_type,
                    "run": write["run"],
                    "previous": before,
                    "next": after,
                    "at": write["at"].isoformat(),
                }
                yield Decision(WRITE, key_text([settings_type, write["run"]]), "changed_by_run", values)


def transform(batch: Batch, context: Context) -> Batch:
    """One change becomes one row, made by nobody at the time of the run."""
    pairs = zip(batch["settings_type"], batch["run"], strict=True)
    ids = [context.derive("organization_setting_audits", "derived", settings_type, run) for settings_type, run in pairs]
    batch["id"] = pd.Series(ids, dtype=TEXT)
    batch["organization_id"] = context.organization_id
    batch.carry("settings_type", "previous", "next", created_at="at")
    return batch


def _cell(column: str, value: Any) -> Any:
    return json_text.dumps(value) if column in {"previous", "next"} and value is not None else value


SPEC = TableSpec(
    target=target.organization_setting_audits,
    grain="one row per settings type and run that changed it",
    sources=(Derived(transform, name=WRITE, lasts=True),),
    decide=Decide(reads={}, function=decide, history=(SETTINGS,)),
    lookups=((SETTINGS, "derived"),),
    log_like=True,
    rules={
        "settings_type": "branding, localization, support or notifications",
        "previous": "the setting before our write, without secrets; null where there was no row",
        "next": "the setting after our write, without secrets",
        "changed_by": "nobody: the program wrote it",
        "created_at": "when the run began",
        "id": "derived from the settings type and the run",
    },
)
