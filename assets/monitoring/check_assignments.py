"""Assignments of checks: one row per legacy assignment, one per global check, one per device with unattributed runs.

Known faults of the data, with their share of generated assignments: the device is a text of five kinds (55 % the agent's
own, 35 % a devices.id, 3 % each an agents.id, an agent_uuid, a hostname) or names nobody (1 %), the check is a type and a
name in any spelling (1 % in upper case) or neither (once on 20 % of the agents), no created_at (0.5 %) or updated_at (1 %),
no dedupe_key (75 %).
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from sqlalchemy import select

from assets.inventory.rules.device_texts import devices_of, dispose_deviceless
from assets.inventory.rules.maps import DEVICE_OF_TEXT
from assets.inventory.rules.pairing import rows_of
from assets.monitoring.rules import dedupe_keys, stand_ins
from assets.monitoring.rules.check_names import UNATTRIBUTED_KEY, check_keys
from assets.monitoring.rules.maps import CHECK_OF_KEY, SYNTHESIZED_CHECKS, defined_checks
from assets.shared.optional import carry_optional
from assets.shared.winners import winners_of
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, by_distinct, frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.frames.text import normalise
from remoteiq_etl.frames.times import microseconds
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import SAME_AS, Decide, Decided, Decision, StoredDecisions, warned
from remoteiq_etl.spec.table import Derived, Source, TableSpec
from remoteiq_etl.spec.times import filled, first_of
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from schemas import legacy, target

_TIMES = ("created_at", "updated_at")
ONLY, UNATTRIBUTED = "only_assignment", "unattributed"


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Global checks, and which assignment stands in for the runs of each device that have none."""
    earlier = recorded.of("device")
    standing = stand_ins.stand_ins(inputs, {key: decision.values for key, decision in earlier.items()}, context)
    fresh = {device: stand_in(device, assignment, context) for device, assignment in standing.items()}
    made = [device for device, assignment in standing.items() if assignment is None]
    merged = dedupe_keys.deduped(inputs["deduped"], recorded, context)
    kept = dedupe_keys.with_rows(merged.losers, context)
    checks = rows_of(inputs["checks"])
    assigned, scripts = global_checks(checks)
    return Decided(
        decisions=[*{**earlier, **fresh}.values(), *merged.decisions],
        rows={
            "checks": frame({KEY: assigned}),
            "derived": frame({KEY: [_unattributed_key(device) for device in made], "device": made}),
        },
        prepared={
            "check_created_at": dict(zip((row["id"] for row in checks), _times_of(inputs["checks"]), strict=True)),
            "losers": {key: into for key, into in merged.losers.items() if key not in kept},
            "kept": kept,
        },
        warnings=[
            *warned("global_script_not_assigned", "checks", scripts),
            *warned("assignment_unattributed_made", "device", made),
            *merged.warnings,
        ],
    )


def _times_of(checks: pd.DataFrame) -> list[int | None]:
    return microseconds(first_of(checks["created_at"], checks["updated_at"]))


def global_checks(checks: Iterable[Mapping[str, Any]]) -> tuple[list[str], list[str]]:
    """The enabled checks of scope GLOBAL: those that are assigned to the organization, and scripts, which are reported."""
    everywhere = [row for row in checks if row["enabled"] and normalise(row["scope"]) == "global"]
    scripts = [row["id"] for row in everywhere if normalise(row["type"]) == "script"]
    return [row["id"] for row in everywhere if row["id"] not in scripts], scripts


def stand_in(device: str, assignment: str | None, context: Context) -> Decision:
    """The only assignment of a device stands in for its runs without one; else one of the check `Unattributed`."""
    if assignment is None:
        new_key = context.derive("check_assignments", "derived", UNATTRIBUTED, device)
        return Decision("device", device, UNATTRIBUTED, {SAME_AS: ["derived", _unattributed_key(device)]}, new_key)
    legacy_id = pd.Series([assignment], dtype=TEXT)
    expected = context.kept_or_derived("check_assignments", "check_assignments", legacy_id)
    new_key = context.lookup("check_assignments").find(legacy_id).fillna(expected).iloc[0]
    values = {"assignment": assignment, SAME_AS: ["check_assignments", assignment]}
    return Decision("device", device, ONLY, values, new_key)


def _unattributed_key(device: str) -> str:
    return key_text([UNATTRIBUTED, device])


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy assignment becomes one assignment to the device that its text means."""
    batch["id"] = context.kept_or_derived("check_assignments", "check_assignments", batch["id"])
    devices = devices_of(batch, context)
    dispose_deviceless(batch, context, devices.isna())
    winners = winners_of(batch, context.prepared["losers"])
    batch.merge(winners.notna(), "equal_dedupe_key", into=winners)
    batch["target_type"] = "device"
    batch["target_id"] = devices
    batch.keep(~context.lookup("devices").knows(batch["device_id"]), "device_id", "device_text")
    keys = check_keys(batch["check_type"], batch["check_name"])
    batch["check_id"] = batch.parent("check_name", context.lookup(*CHECK_OF_KEY), "checks", keys)
    _times(batch, context, defined_checks(keys, context))
    _carry_key(batch, context)
    return batch


def _carry_key(batch: Batch, context: Context) -> None:
    """Type, name and key; a blank key is filled, so that the application's next report finds the row."""
    keys = batch["dedupe_key"]
    if "dedupe_key" in context.optional:
        keys = dedupe_keys.dedupe_keys(keys, batch["check_type"], batch["check_name"])
        beside = keys + "~" + context.lookup("check_assignments").find(batch.keys)
        keys = keys.where(~batch.keys.isin(list(context.prepared["kept"])), beside)
    carry_optional(
        batch, context, {"dedupe_key": keys, "check_type": batch["check_type"], "check_name": batch["check_name"]}
    )


def _times(batch: Batch, context: Context, checks: pd.Series) -> None:
    """A missing time is the other one, else that of the check, else the time of the insert."""
    of_check = by_distinct(checks, context.prepared["check_created_at"].get, TIMESTAMP)
    created, updated = batch["created_at"], batch["updated_at"]
    batch["created_at"] = filled(batch, created, "created_at", updated, of_check)
    batch["updated_at"] = filled(batch, updated, "updated_at", created, of_check)


def transform_global(batch: Batch, context: Context) -> Batch:
    """An enabled check of scope GLOBAL is assigned to the organization."""
    batch["id"] = context.derive_many("check_assignments", "checks", batch.keys)
    batch["check_id"] = batch.parent(KEY, context.lookup("checks"), "checks")
    batch["target_type"] = "organization"
    batch["target_id"] = context.organization_id
    return batch


def transform_unattributed(batch: Batch, context: Context) -> Batch:
    """A device with runs that no assignment claims gets one for the check of that name."""
    batch["id"] = by_distinct(batch.keys, lambda key: context.derive("check_assignments", "derived", *json.loads(key)))
    check = pd.Series([UNATTRIBUTED_KEY] * len(batch.legacy), dtype=TEXT)
    batch["check_id"] = batch.parent("device", context.lookup(*SYNTHESIZED_CHECKS), "checks", check)
    batch["target_type"] = "device"
    batch.carry(target_id="device")
    return batch


SPEC = TableSpec(
    target=target.check_assignments,
    grain="one row per legacy assignment, per enabled global check, and per device with unattributed runs",
    sources=(
        Source(legacy.check_assignments, transform),
        Derived(transform_global, "checks", removes=True),
        Derived(transform_unattributed),
    ),
    decide=Decide(
        reads={
            "checks": select(*(legacy.checks.c[name] for name in ("id", "type", "scope", "enabled", *_TIMES))),
        }
        | stand_ins.READS
        | dict(dedupe_keys.READS),
        function=decide,
    ),
    lookups=(
        ORGANIZATION,
        ("devices", "devices"),
        DEVICE_OF_TEXT,
        ("checks", "checks"),
        CHECK_OF_KEY,
        SYNTHESIZED_CHECKS,
        ("check_assignments", "check_assignments"),
    ),
    legacy_reads=(legacy.checks, legacy.check_runs),
    lineage={
        "dedupe_key": ("check_assignments.check_type", "check_assignments.check_name"),
        "updated_at": ("check_assignments.created_at", "checks.created_at", "checks.updated_at"),
        "created_at": ("check_assignments.updated_at", "checks.created_at", "checks.updated_at"),
        "check_id": ("check_assignments.check_type", "check_assignments.check_name"),
        "target_id": ("check_assignments.device_id",),
    },
    rules={
        "dedupe_key": "unchanged; a blank one is type and name in lower case, joined by |; equal ones of a device are merged",
        "check_id": "the check of this type and name; one is synthesized where none matches",
        "target_type": "device; organization for an enabled check of scope GLOBAL",
        "target_id": "the device that the text means",
        "created_by": "nobody was recorded in legacy",
        "created_at": "unchanged; a missing time is the other one, else that of the check",
        "updated_at": "unchanged; a missing time is the other one, else that of the check",
    },
)
