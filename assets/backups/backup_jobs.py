"""Backup jobs: one row per legacy job.

Known faults of the data, with their share of generated jobs: a job that was running when the legacy application stopped (the
last), no size or duration (5 % each), no end (1 %).
"""

from assets.backups.rules import config_row, states
from remoteiq_etl.spec import times
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.dispositions import archived
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def transform(batch: Batch, context: Context) -> Batch:
    """One row per job under the default policy; a running one becomes cancelled."""
    batch["id"] = context.kept_or_derived("backup_jobs", "backup_jobs", batch.keys)
    batch["policy_id"] = config_row.default_policy(context)
    batch["status"], in_flight = states.final(batch, context)
    batch["cancelled"] = batch["cancelled"] | in_flight
    batch.carry("note", "size_bytes", "duration_sec", "verified", "artifact_location", "finished_at")
    batch["started_at"] = times.filled(batch, batch["started_at"], "started_at", batch["finished_at"])
    batch["created_at"] = batch.columns["started_at"]
    for column in ("targets", "destination"):
        batch.keep(batch[column].notna(), column)
    return batch


SPEC = TableSpec(
    target=target.backup_jobs,
    grain="one row per legacy backup job",
    sources=(Source(legacy.backup_jobs, transform),),
    lookups=(config_row.USED_ROW, ("backup_policies", "backups_config")),
    value_maps=(states.STATUS,),
    lineage={
        "started_at": ("backup_jobs.finished_at",),
        "cancelled": ("backup_jobs.cancelled", "backup_jobs.status"),
        "created_at": ("backup_jobs.started_at",),
    },
    rules={
        "policy_id": "the default policy",
        "status": "by the words of backup_jobs.status; running becomes cancelled",
        "cancelled": "unchanged; true for a job that was running",
        "started_at": "unchanged; a missing time is the finish",
        "error": "the application keeps failure text in note",
        "created_at": "when the job was started",
    },
    dispositions={
        "backup_jobs.targets": archived("the targets are the policy's"),
        "backup_jobs.destination": archived("the destination is the policy's"),
    },
)
