"""Restores of backups: one row per legacy restore.

Known faults of the data: a restore that was running when the legacy application stopped (the first of several generated ones,
1 of 4 edge cases), a backup job that is gone (1 of 4 edge cases).
"""

from assets.backups.rules import states
from remoteiq_etl.spec import times
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.dispositions import archived
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def transform(batch: Batch, context: Context) -> Batch:
    """One row per restore of its job; a running one becomes cancelled."""
    requested = times.filled(batch, batch["requested_at"], "requested_at", batch["finished_at"])
    batch["id"] = context.kept_or_derived("backup_restores", "backup_restores", batch.keys)
    batch["backup_job_id"] = batch.parent("backup_id", context.lookup("backup_jobs"), "backup_jobs")
    batch["status"], _ = states.final(batch, context)
    batch.carry(notes="note")
    batch["requested_at"] = requested
    batch["created_at"] = requested
    batch["updated_at"] = times.first_of(batch["finished_at"], requested)
    batch.keep(batch["finished_at"].notna(), "finished_at")
    return batch


SPEC = TableSpec(
    target=target.backup_restores,
    grain="one row per legacy restore",
    sources=(Source(legacy.backup_restores, transform),),
    lookups=(("backup_jobs", "backup_jobs"),),
    value_maps=(states.STATUS,),
    lineage={
        "requested_at": ("backup_restores.finished_at",),
        "backup_job_id": ("backup_restores.backup_id",),
        "notes": ("backup_restores.note",),
        "created_at": ("backup_restores.requested_at",),
        "updated_at": ("backup_restores.finished_at", "backup_restores.requested_at"),
    },
    rules={
        "requested_by": "nobody was recorded in legacy",
        "status": "by the words of backup_jobs.status; running becomes cancelled",
        "notes": "unchanged",
        "requested_at": "unchanged; a missing time is the finish",
        "created_at": "when it was requested",
        "updated_at": "when it finished, else when it was requested",
    },
    dispositions={
        "backup_restores.finished_at": archived("restores of the redesign know no end; updated_at tells it too"),
    },
)
