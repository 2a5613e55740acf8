"""What a backup job left behind: one row per legacy job that says where.

Known faults of the data: no location (17 % of generated jobs), locations that name no place (another 17 %) or no kind (another
17 %), or are no object.
"""

from typing import Any

from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import by_distinct
from remoteiq_etl.frames.text import tidy
from remoteiq_etl.spec import times
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

UNKNOWN = "unknown"


def transform(batch: Batch, context: Context) -> Batch:
    """One row per job with a location; what else the location says stays in the job."""
    where = batch["artifact_location"]
    found = by_distinct(where, lambda text: location(json_text.as_object(json_text.parse(text))))
    batch.filter(where.isna(), "no_artifact")
    batch.filter(found.isna(), "no_location")
    batch["id"] = context.derive_many("backup_job_artifacts", "backup_jobs", batch.keys)
    batch["backup_job_id"] = batch.parent("id", context.lookup("backup_jobs"), "backup_jobs", batch.keys)
    batch["artifact_type"] = by_distinct(
        where, lambda text: _text(json_text.as_object(json_text.parse(text)), "kind") or UNKNOWN
    )
    batch["storage_location"] = found
    batch.carry("size_bytes")
    batch["created_at"] = times.first_of(batch["finished_at"], batch["started_at"])
    return batch


def location(artifact: dict[str, Any]) -> str | None:
    """The one text that names the place: a path, an object of a bucket, or a file of a drive; None without any."""
    path, bucket, key, file_id = (_text(artifact, name) for name in ("path", "bucket", "key", "fileId"))
    if path:
        return path
    if bucket and key:
        return f"s3://{bucket}/{key}"
    return f"gdrive:{file_id}" if file_id else None


def _text(artifact: dict[str, Any], name: str) -> str | None:
    value = artifact.get(name)
    return value if isinstance(value, str) and tidy(value) else None


SPEC = TableSpec(
    target=target.backup_job_artifacts,
    grain="one row per backup job that says where its backup is",
    sources=(Source(legacy.backup_jobs, transform, primary=False),),
    lookups=(("backup_jobs", "backup_jobs"),),
    lineage={
        "backup_job_id": ("backup_jobs.id",),
        "artifact_type": ("backup_jobs.artifact_location",),
        "storage_location": ("backup_jobs.artifact_location",),
        "created_at": ("backup_jobs.finished_at", "backup_jobs.started_at"),
    },
    rules={
        "backup_job_id": "the job made of the same row",
        "artifact_type": "the kind, else unknown",
        "storage_location": "the path, else s3://bucket/key, else gdrive:fileId, else there is no row",
        "checksum": "legacy kept none",
        "created_at": "when the job finished, else when it was started",
    },
)
