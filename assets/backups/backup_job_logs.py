"""The log of a backup job: one row per legacy backup_job_logs row.

Known faults of the data: no time of its own; a job that is gone (1 of 4 edge cases).
"""

from assets.backups.rules import job_times
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide
from remoteiq_etl.spec.table import Follow, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def transform(batch: Batch, context: Context) -> Batch:
    """One row per job; the job's times stand in."""
    batch["job_id"] = batch.parent("job_id", context.lookup("backup_jobs"), "backup_jobs")
    batch.carry("log_text")
    job_times.stand_in(batch, context)
    return batch


SPEC = TableSpec(
    target=target.backup_job_logs,
    grain="one row per backup job that has a log",
    sources=(Source(legacy.backup_job_logs, transform, follows=(Follow("job_id", legacy.backup_jobs),)),),
    decide=Decide(reads=job_times.READS, function=job_times.decide),
    lookups=(("backup_jobs", "backup_jobs"),),
    legacy_reads=(legacy.backup_jobs,),
    log_like=True,
    lineage={
        "created_at": ("backup_jobs.started_at",),
        "updated_at": ("backup_jobs.finished_at", "backup_jobs.started_at"),
    },
    rules={
        "job_id": "the job",
        "created_at": "when the job was started",
        "updated_at": "when the job finished, else when it was started",
    },
)
