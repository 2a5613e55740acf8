"""Results of checks: one row per legacy check run.

Known faults of the data: runs without an assignment or with one that does not exist, a device text that is not the
assignment's device, a status of many spellings, metrics that are no object, missing start times.
"""

from collections.abc import Mapping
from functools import cache, partial

import pandas as pd
from sqlalchemy import select

from assets.inventory.rules.device_texts import devices_of, dispose_deviceless
from assets.monitoring.rules.check_names import SEVERITIES, SEVERITY_UNSET, check_keys
from assets.monitoring.rules.run_metrics import with_legacy
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, by_distinct, if_else, to_arrow
from remoteiq_etl.frames.key_index import Keyed
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.table import Follow, Source, TableSpec
from remoteiq_etl.spec.times import earliest, filled, first_of
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.spec.value_map import ValueMap
from schemas import legacy, target

_TIMES = ("created_at", "updated_at")
STATUSES = ValueMap(
    "check_runs.status",
    dict.fromkeys(("OK", "PASS", "PASSING"), "passed")
    | dict.fromkeys(("WARN", "WARNING", "UNKNOWN"), "warning")
    | dict.fromkeys(("CRIT", "ERROR", "FAIL", "FAILING", "TIMEOUT"), "failed")
    | {"MUTED": "muted"},
    lossy=frozenset({"UNKNOWN", "CRIT", "ERROR", "TIMEOUT"}),
)
# A muted check says nothing of how bad it was: the lower of the two.
SEVERITY_BY_STATUS = {"passed": "info", "warning": "medium", "muted": "medium", "failed": "high"}


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """What a run inherits from its assignment, and from the one that stands in for runs without."""
    assignments = inputs["assignments"]
    facts = pd.DataFrame(
        {
            "id": assignments["id"],
            "assignment": context.lookup("check_assignments").find(assignments["id"]),
            "text": assignments["device_id"],
            "device": context.lookup("devices", "device_text").find(assignments["device_id"]),
            "severity": _severities(assignments, inputs["checks"], context),
            "created_at": _assigned(assignments, inputs["checks"], context),
        }
    )
    assigned = Keyed(facts, "id")
    # Asked for by orphans alone; a few changed runs need not wait for thousands of devices.
    return Decided(prepared={"assignments": assigned, "stand_ins": cache(partial(_stand_ins, assigned, context))})


def _assigned(assignments: pd.DataFrame, checks: pd.DataFrame, context: Context) -> pd.Series:
    """When each assignment was made: a missing time is its other one, else that of its check."""
    made = first_of(assignments["created_at"], assignments["updated_at"])
    if made.notna().all():
        return made
    keys = check_keys(assignments["check_type"], assignments["check_name"])
    ids, times = (
        to_arrow(column).to_pylist() for column in (checks["id"], first_of(*(checks[name] for name in _TIMES)))
    )
    check = context.lookup("checks", "assignment").decided(keys, "check")
    return first_of(made, by_distinct(check, dict(zip(ids, times, strict=True)).get, TIMESTAMP))


def _severities(assignments: pd.DataFrame, checks: pd.DataFrame, context: Context) -> pd.Series:
    """The severity that each assignment's check has by default; null for a synthesized check."""
    keys = check_keys(assignments["check_type"], assignments["check_name"])
    check = context.lookup("checks", "assignment").decided(keys, "check")
    words = Lookup(to_arrow(checks["id"]), to_arrow(checks["severity_default"]))
    labels = context.extended(SEVERITIES).apply(words.find(check))
    return labels.where(labels != SEVERITY_UNSET)


def _stand_ins(assignments: Keyed, context: Context) -> Keyed:
    """The same per device, for its runs without an assignment."""
    lookup = context.lookup("check_assignments", "device")
    devices = pd.Series(list(lookup.decisions), dtype=TEXT)
    found = assignments.of(lookup.decided(devices, "assignment"))
    return Keyed(found.assign(id=devices, device=devices), "id")


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy run becomes one run of its assignment, or of the one that stands in on its device."""
    batch["id"] = context.kept_or_derived("check_runs", "check_runs", batch["id"])
    devices = devices_of(batch, context)
    facts = attribute(batch, context, devices)
    batch["status"] = batch.words_of("status", context.extended(STATUSES))
    batch["severity"] = severities(batch, context, facts["severity"])
    started, created, finished = batch["started_at"], batch["created_at"], batch["finished_at"]
    batch["started_at"] = filled(batch, started, "started_at", created, finished, facts["created_at"])
    batch["created_at"] = filled(batch, created, "created_at", earliest(started, finished), facts["created_at"])
    batch.carry("finished_at", "output")
    batch["metrics"] = metrics(batch, facts, devices)
    return batch


def attribute(batch: Batch, context: Context, devices: pd.Series) -> pd.DataFrame:
    """Set the assignment of each run; returns what the runs inherit from it.

    An assignment that neither legacy nor the map knows counts as none; its id is archived.
    """
    named = batch["assignment_id"].astype(TEXT)
    facts: pd.DataFrame = context.prepared["assignments"].of(named)
    migrated = _migrated(named, facts["assignment"], context)
    deleted = named.isin(list(context.lookup("check_assignments").deleted))
    orphan = migrated.isna() & facts["id"].isna() & ~deleted
    if "device_id" in context.optional:
        batch["device_id"] = devices.fillna(facts["device"])
    if orphan.any():
        facts, migrated = _substituted(batch, context, devices, orphan, facts, migrated)
    missing = ~orphan & migrated.isna()
    batch.filter(missing & deleted, "parent_deleted_in_target")
    batch.hold(missing, "check_assignments", named, "assignment_id")
    batch["assignment_id"] = migrated
    batch.keep(orphan, "assignment_id", "unknown_assignment")
    return facts


def _migrated(named: pd.Series, prepared: pd.Series, context: Context) -> pd.Series:
    """The new id of each named assignment. The map is asked where it was not there when prepared."""
    unasked = named.notna() & prepared.isna()
    if not unasked.any():
        return prepared
    return if_else(unasked, context.lookup("check_assignments").find(named.where(unasked)), prepared)


def _substituted(
    batch: Batch, context: Context, devices: pd.Series, orphan: pd.Series, facts: pd.DataFrame, migrated: pd.Series
) -> tuple[pd.DataFrame, pd.Series]:
    """Orphans get the assignment that stands in on their device, and what it hands on."""
    substitutes = context.lookup("check_assignments", "device").find(devices)
    _dispose_orphans(batch, context, orphan & substitutes.isna(), devices)
    inherited = context.prepared["stand_ins"]().of(devices)
    facts = pd.DataFrame({name: if_else(orphan, inherited[name], facts[name]) for name in facts.columns})
    return facts, if_else(orphan, substitutes, migrated)


def _dispose_orphans(batch: Batch, context: Context, where: pd.Series, devices: pd.Series) -> None:
    if where.any():
        dispose_deviceless(batch, context, where & devices.isna())
        stand_ins = context.lookup("check_assignments", "device")
        batch.filter(where & devices.isin(list(stand_ins.deleted)), "parent_deleted_in_target")
        batch.hold(where, "check_assignments", devices, "device_id")


def severities(batch: Batch, context: Context, of_check: pd.Series) -> pd.Series:
    """The severity of each run: its own word, else info when it passed, else its check's default, else by status."""
    own = batch.words_of("severity", context.extended(SEVERITIES))
    status = batch.columns["status"]
    by_status = by_distinct(status, SEVERITY_BY_STATUS.get)
    default = if_else((status == "passed").fillna(False) | of_check.isna(), by_status, of_check)
    return if_else((own == SEVERITY_UNSET).fillna(False), default, own)


def metrics(batch: Batch, facts: pd.DataFrame, devices: pd.Series) -> pd.Series:
    """The metrics, with what would else be lost under `legacy`: the status word, the text of another device.

    Another text for the assignment's own device is archived.
    """
    text = batch["device_id"]
    known = (text == facts["text"]).fillna(False) | (text == facts["device"]).fillna(False)
    other = ~known & facts["device"].notna() & ~(devices == facts["device"]).fillna(False)
    batch.keep(~known & ~other, "device_id", "device_text")
    lost = {
        "status": batch["status"].where(STATUSES.loses(batch["status"])),
        "deviceId": text.where(other),
    }
    return with_legacy(batch["metrics"], lost)


_ASSIGNED = tuple(f"{table}.{name}" for table in ("check_assignments", "checks") for name in _TIMES)
SPEC = TableSpec(
    target=target.check_runs,
    grain="one row per legacy check run",
    sources=(
        Source(
            legacy.check_runs,
            transform,
            follows=(
                Follow(
                    "assignment_id",
                    legacy.check_assignments,
                    recorded=("check_assignments", "device", "assignment"),
                ),
            ),
        ),
    ),
    decide=Decide(
        reads={
            "assignments": select(
                *(legacy.check_assignments.c[name] for name in ("id", "device_id", "check_type", "check_name")),
                *(legacy.check_assignments.c[name] for name in _TIMES),
            ),
            "checks": select(*(legacy.checks.c[name] for name in ("id", "severity_default", *_TIMES))),
        },
        function=decide,
    ),
    lookups=(
        ("check_assignments", "check_assignments"),
        ("check_assignments", "device"),
        ("checks", "assignment"),
        ("devices", "device_text"),
    ),
    log_like=True,
    lineage={
        "started_at": ("check_runs.created_at", "check_runs.finished_at", *_ASSIGNED),
        "created_at": ("check_runs.started_at", "check_runs.finished_at", *_ASSIGNED),
        "assignment_id": ("check_runs.device_id",),
        "severity": ("check_runs.status", "check_runs.severity", "checks.severity_default"),
        "metrics": (
            "check_runs.status",
            "check_runs.device_id",
        ),
    },
    legacy_reads=(legacy.check_assignments, legacy.checks),
    value_maps=(STATUSES, SEVERITIES),
    rules={
        "assignment_id": "its own; without one the only assignment of its device, else one of the check Unattributed",
        "severity": "by the words of check_runs.severity; without one info when passed, else the check's default, else by status",
        "metrics": "the legacy metrics; a lossy status word and the text of another device are added under legacy",
        "started_at": "the first of started, created, finished, that of the assignment",
        "created_at": "unchanged; a missing time is the earliest other time, else that of the assignment",
    },
)
