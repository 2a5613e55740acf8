"""Devices that a user trusts: one row per legacy trusted device.

The new application trusts a device for 90 days after last_seen_at; the legacy one said until when. A default of now()
would trust expired devices again. Known faults of the data (of the edge cases): users who are
gone (1 of 4) or quarantined (1 of 4), an expiry in the year 9999 (1 of 4).
"""

from datetime import timedelta

from remoteiq_etl.frames.times import shifted
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.column_guards import NeverBeyondLegacy
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.times import filled
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

TRUSTED_FOR = timedelta(hours=2160)  # 90 days of 24 hours: no change of clocks moves an expiry


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy row becomes one row that expires at exactly the same time; an adopted user gets none from us."""
    users = context.lookup("users")
    batch.filter(users.is_adopted(batch["user_id"]), "adopted_user")
    batch.quarantine(batch["expires_at"].isna(), "expiry_unknown", "expires_at")
    batch["id"] = context.kept_or_derived("trusted_devices", "trusted_devices", batch["id"])
    batch["user_id"] = batch.parent("user_id", users, "users")
    batch.carry("device_fingerprint")
    batch["last_seen_at"] = shifted(batch["expires_at"], -TRUSTED_FOR)
    batch["created_at"] = filled(batch, batch["created_at"], "created_at", batch["expires_at"])
    return batch


SPEC = TableSpec(
    target=target.trusted_devices,
    grain="one row per legacy trusted device",
    sources=(Source(legacy.trusted_devices, transform),),
    lookups=(("users", "users"),),
    column_guards=(NeverBeyondLegacy("last_seen_at"),),
    lineage={"last_seen_at": ("trusted_devices.expires_at",), "created_at": ("trusted_devices.expires_at",)},
    rules={
        "created_at": "unchanged; a missing time is the only other one, the expiry",
        "last_seen_at": "2160 hours before the expiry: the application trusts for 90 days after it",
    },
)
