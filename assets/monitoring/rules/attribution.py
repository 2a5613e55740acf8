"""Which assignment each check run belongs to, and what the run inherits from it.

A run belongs to the assignment that it names. One that names none, or one that neither legacy nor the map knows (an orphan),
belongs to the assignment that stands in on its device. Belongs here: that. Does not belong here: which assignment stands in
(see stand_ins), or the columns of runs (see check_runs).
"""

from collections.abc import Mapping
from functools import cache, partial

import pandas as pd
from sqlalchemy import select

from assets.inventory.rules.device_texts import dispose_deviceless
from assets.inventory.rules.maps import DEVICE_OF_TEXT
from assets.monitoring.rules.check_names import SEVERITIES, SEVERITY_UNSET, check_keys
from assets.monitoring.rules.maps import STAND_IN_OF_DEVICE, defined_checks, stand_ins
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, by_distinct, if_else, to_arrow
from remoteiq_etl.frames.key_index import Keyed
from remoteiq_etl.frames.times import microseconds
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decided, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.times import first_of
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy

TIMES = ("created_at", "updated_at")
READS = {
    "assignments": select(
        *(legacy.check_assignments.c[name] for name in ("id", "device_id", "check_type", "check_name", *TIMES))
    ),
    "checks": select(*(legacy.checks.c[name] for name in ("id", "severity_default", *TIMES))),
}
"""What has to be read to know what runs inherit."""


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """What a run inherits from its assignment, and from the one that stands in for runs without."""
    assignments = inputs["assignments"]
    facts = pd.DataFrame(
        {
            "id": assignments["id"],
            "assignment": context.lookup("check_assignments").find(assignments["id"]),
            "text": assignments["device_id"],
            "device": context.lookup(*DEVICE_OF_TEXT).find(assignments["device_id"]),
            "severity": default_severities(assignments, inputs["checks"], context),
            "created_at": times_of_assignments(assignments, inputs["checks"], context),
        }
    )
    assigned = Keyed(facts, "id")
    # Asked for by orphans alone; a few changed runs need not wait for thousands of devices.
    return Decided(prepared={"assignments": assigned, "stand_ins": cache(partial(by_device, assigned, context))})


def default_severities(assignments: pd.DataFrame, checks: pd.DataFrame, context: Context) -> pd.Series:
    """The severity that each assignment's check has by default; null for a synthesized check."""
    keys = check_keys(assignments["check_type"], assignments["check_name"])
    words = Lookup(to_arrow(checks["id"]), to_arrow(checks["severity_default"]))
    labels = context.extended(SEVERITIES).apply(words.find(defined_checks(keys, context)))
    return labels.where(labels != SEVERITY_UNSET)


def times_of_assignments(assignments: pd.DataFrame, checks: pd.DataFrame, context: Context) -> pd.Series:
    """When each assignment was made: a missing time is its other one, else that of its check."""
    made = first_of(assignments["created_at"], assignments["updated_at"])
    if made.notna().all():
        return made
    keys = check_keys(assignments["check_type"], assignments["check_name"])
    ids, times = to_arrow(checks["id"]).to_pylist(), microseconds(first_of(*(checks[name] for name in TIMES)))
    of_check = dict(zip(ids, times, strict=True))
    return first_of(made, by_distinct(defined_checks(keys, context), of_check.get, TIMESTAMP))


def by_device(assignments: Keyed, context: Context) -> Keyed:
    """The same per device, for its runs without an assignment."""
    devices = pd.Series(list(context.lookup(*STAND_IN_OF_DEVICE).decisions), dtype=TEXT)
    found = assignments.of(stand_ins(devices, context))
    return Keyed(found.assign(id=devices, device=devices), "id")


def attribute(batch: Batch, context: Context, devices: pd.Series) -> pd.DataFrame:
    """Set the assignment of each run; returns what the runs inherit from it.

    An assignment that neither legacy nor the map knows counts as none; its id is archived.
    """
    named = batch["assignment_id"].astype(TEXT)
    facts: pd.DataFrame = context.prepared["assignments"].of(named)
    migrated = new_ids(named, facts["assignment"], context)
    deleted = named.isin(list(context.lookup("check_assignments").deleted))
    orphan = migrated.isna() & facts["id"].isna() & ~deleted
    if "device_id" in context.optional:
        batch["device_id"] = devices.fillna(facts["device"])
    if orphan.any():
        facts, migrated = with_stand_ins(batch, context, devices, orphan, facts, migrated)
    missing = ~orphan & migrated.isna()
    batch.filter(missing & deleted, "parent_deleted_in_target")
    batch.hold(missing, "check_assignments", named, "assignment_id")
    batch["assignment_id"] = migrated
    batch.keep(orphan, "assignment_id", "unknown_assignment")
    return facts


def new_ids(named: pd.Series, prepared: pd.Series, context: Context) -> pd.Series:
    """The new id of each named assignment. The map is asked where it was not there when prepared."""
    unasked = named.notna() & prepared.isna()
    if not unasked.any():
        return prepared
    return if_else(unasked, context.lookup("check_assignments").find(named.where(unasked)), prepared)


def with_stand_ins(
    batch: Batch, context: Context, devices: pd.Series, orphan: pd.Series, facts: pd.DataFrame, migrated: pd.Series
) -> tuple[pd.DataFrame, pd.Series]:
    """Orphans get the assignment that stands in on their device, and what it hands on."""
    substitutes = context.lookup(*STAND_IN_OF_DEVICE).find(devices)
    dispose_orphans(batch, context, orphan & substitutes.isna(), devices)
    inherited = context.prepared["stand_ins"]().of(devices)
    facts = pd.DataFrame({name: if_else(orphan, inherited[name], facts[name]) for name in facts.columns})
    return facts, if_else(orphan, substitutes, migrated)


def dispose_orphans(batch: Batch, context: Context, where: pd.Series, devices: pd.Series) -> None:
    """Orphans without a stand-in: those without a device, those whose stand-in was deleted in the target, else held."""
    if where.any():
        dispose_deviceless(batch, context, where & devices.isna())
        deleted = context.lookup(*STAND_IN_OF_DEVICE).deleted
        batch.filter(where & devices.isin(list(deleted)), "parent_deleted_in_target")
        batch.hold(where, "check_assignments", devices, "device_id")
