from datetime import UTC, datetime
from typing import Any

import pytest

from assets.backups import backup_job_artifacts, backup_job_logs, backup_job_manifests, backup_jobs, backup_restores
from assets.backups.rules import job_times
from assets.backups.rules.states import STATUS
from remoteiq_etl.frames.dtypes import BOOLEAN, INTEGER, TIMESTAMP, frame
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, outcomes, rows_of, uid, waits

JOB, RESTORE = uid(1), uid(2)


def day(number: int) -> datetime:
    return datetime(2024, 1, number, tzinfo=UTC)


CONTEXT = Context(
    lookups={
        ("backup_policies", "config"): Lookup.of({}, decisions={"used": {"id": "singleton"}}),
        ("backup_policies", "backups_config"): Lookup.of({"old": "p0", "singleton": "p1"}),
        ("backup_jobs", "backup_jobs"): Lookup.of({JOB: JOB}),
    }
)
ROW = {
    "id": JOB,
    "started_at": day(1),
    "finished_at": day(2),
    "status": "success",
    "note": "fine",
    "size_bytes": 2**40,
    "duration_sec": 60,
    "verified": None,
    "targets": None,
    "destination": None,
    "artifact_location": '{"kind":"local","path":"/b/1.zip"}',
    "cancelled": False,
}
DTYPES = {
    "size_bytes": INTEGER,
    "duration_sec": INTEGER,
    "verified": BOOLEAN,
    "cancelled": BOOLEAN,
    "started_at": TIMESTAMP,
    "finished_at": TIMESTAMP,
}
RESTORE_ROW = {
    "id": RESTORE,
    "backup_id": JOB,
    "requested_at": day(3),
    "finished_at": None,
    "status": "success",
    "note": "please",
}


def batch(values: dict[str, Any]) -> Batch:
    return batch_of({name: [value] for name, value in {**ROW, **values}.items()}, DTYPES)


def job(context: Context = CONTEXT, **values: object) -> Batch:
    return backup_jobs.transform(batch(values), context)


def artifact(**values: object) -> Batch:
    return backup_job_artifacts.transform(batch(values), CONTEXT)


def restore(**values: object) -> Batch:
    columns = {name: [value] for name, value in {**RESTORE_ROW, **values}.items()}
    rows = batch_of(columns, {"requested_at": TIMESTAMP, "finished_at": TIMESTAMP})
    return backup_restores.transform(rows, CONTEXT)


def test_a_job_is_one_of_the_default_policy() -> None:
    """A job keeps its id and figures, and belongs to the default policy; it was made when it started."""
    found = job()
    row = rows_of(found)[0]
    assert (row["id"], row["policy_id"], row["status"], row["cancelled"]) == (JOB, "p1", "completed", False)
    for name in ("started_at", "finished_at", "note", "size_bytes", "duration_sec", "verified", "artifact_location"):
        assert row[name] == ROW[name]
    assert row["created_at"] == day(1)
    assert "error" not in row
    assert archived(found) == []


def test_ids_that_may_not_be_kept_are_derived() -> None:
    """A uuid that the application refuses gives an id derived from it."""
    refused = "ffffffff-ffff-7fff-8fff-ffffffffffff"
    assert rows_of(job(id=refused))[0]["id"] == CONTEXT.derive("backup_jobs", "backup_jobs", refused)
    (row,) = rows_of(restore(id=refused))
    assert row["id"] == CONTEXT.derive("backup_restores", "backup_restores", refused)


def test_without_a_policy_a_job_has_none() -> None:
    """Without a configuration row, or its policy, jobs are carried without policy."""
    assert rows_of(job(Context()))[0]["policy_id"] is None
    lookups = {**CONTEXT.lookups, ("backup_policies", "backups_config"): Lookup.of({})}
    assert rows_of(job(Context(lookups=lookups)))[0]["policy_id"] is None


@pytest.mark.parametrize(
    ("word", "label", "cancelled"),
    [
        ("success", "completed", False),
        ("failed", "failed", False),
        ("cancelled", "cancelled", False),
        ("running", "cancelled", True),
    ],
)
def test_a_running_job_becomes_cancelled(word: str, label: str, cancelled: bool) -> None:
    """A running job becomes cancelled with cancelled set, its legacy status archived; it never runs again."""
    found = job(status=word)
    assert [(row["status"], row["cancelled"]) for row in rows_of(found)] == [(label, cancelled)]
    assert archived(found) == ([(JOB, "status", word, "in_flight")] if cancelled else [])
    assert rows_of(job(status=word, cancelled=True))[0]["cancelled"] is True


def test_no_word_of_an_operator_makes_a_job_runnable() -> None:
    """Also a word that an operator maps to a runnable label becomes cancelled."""
    words = {STATUS.name: {"waiting": "pending"}}
    context = Context(lookups=CONTEXT.lookups, words=words)
    assert [(row["status"], row["cancelled"]) for row in rows_of(job(context, status="waiting"))] == [
        ("cancelled", True)
    ]
    assert outcomes(job(status="waiting")) == {JOB: ("quarantined", "unknown_word")}


def test_targets_and_destination_of_a_job_are_archived() -> None:
    """The target has no place for a job's targets and destination."""
    found = archived(job(targets="[1]", destination='{"kind":"s3"}'))
    assert found == [(JOB, "targets", "[1]", "no_home"), (JOB, "destination", '{"kind":"s3"}', "no_home")]


def test_a_missing_start_is_filled() -> None:
    """A start that is missing is filled from the end, and counted."""
    found = job(started_at=None)
    assert [(row["started_at"], row["created_at"]) for row in rows_of(found)] == [(day(2), day(2))]
    assert dict(found.warnings) == {"started_at_filled": 1}


@pytest.mark.parametrize(
    ("transform", "column"),
    [(backup_job_logs.transform, "log_text"), (backup_job_manifests.transform, "manifest")],
)
def test_the_times_of_a_job_stand_in(transform: Any, column: str) -> None:  # a transform
    """Log and manifest are carried unchanged, with the start and the end of their job as times."""
    times = {"started_at": TIMESTAMP, "finished_at": TIMESTAMP}

    def transformed(started: datetime | None, finished: datetime | None) -> Batch:
        jobs = frame({"id": [JOB], "started_at": [started], "finished_at": [finished]}, times)
        prepared = job_times.decide({"jobs": jobs}, StoredDecisions(), Context()).prepared
        rows = batch_of({"job_id": [uid(7), JOB], column: ["[]", "[1]"]}, key="job_id")
        return transform(rows, Context(lookups=CONTEXT.lookups, prepared=prepared))

    found = transformed(day(1), day(2))
    row = rows_of(found)[0]
    assert (row["job_id"], row[column], row["created_at"], row["updated_at"]) == (JOB, "[1]", day(1), day(2))
    assert outcomes(found) == {uid(7): ("held", "parent_missing")}
    assert [parent for parent, _ in waits(found).values()] == [("backup_jobs", uid(7))]
    assert rows_of(transformed(day(1), None))[0]["updated_at"] == day(1)
    assert rows_of(transformed(None, day(2)))[0]["created_at"] == day(2)


def test_logs_are_log_like() -> None:
    """Nobody edits logs."""
    assert backup_job_logs.SPEC.log_like
    assert not backup_job_manifests.SPEC.log_like


@pytest.mark.parametrize(
    ("location", "kind", "storage"),
    [
        ('{"kind":"local","path":"/b/1.zip"}', "local", "/b/1.zip"),
        ('{"path":"/b/1.zip","bucket":"b","key":"k"}', "unknown", "/b/1.zip"),
        ('{"kind":"s3","bucket":"b","key":"k/1","path":" "}', "s3", "s3://b/k/1"),
        ('{"kind":" ","fileId":"f"}', "unknown", "gdrive:f"),
        ('{"kind":7,"fileId":"f","bucket":"b"}', "unknown", "gdrive:f"),
    ],
)
def test_the_location_of_an_artifact(location: str, kind: str, storage: str) -> None:
    """A location is a path, an object of a bucket or a file of a drive; its kind is the type, else unknown."""
    row = rows_of(artifact(artifact_location=location))[0]
    assert (row["artifact_type"], row["storage_location"]) == (kind, storage)


@pytest.mark.parametrize(
    "location", ["{}", "[]", '"/b"', "null", '{"kind":"s3","bucket":"b"}', '{"key":"k"}', '{"path":7}']
)
def test_a_location_that_names_no_place_makes_no_row(location: str) -> None:
    """Without a place there is no artifact; the job has the location all the same."""
    assert outcomes(artifact(artifact_location=location)) == {JOB: ("filtered", "no_location")}
    assert rows_of(job(artifact_location=location))[0]["artifact_location"] == location


def test_an_artifact_belongs_to_its_job() -> None:
    """An artifact has the size of its job and was made when that finished, else when it started."""
    row = rows_of(artifact())[0]
    assert row["id"] == Context().derive("backup_job_artifacts", "backup_jobs", JOB)
    assert (row["backup_job_id"], row["size_bytes"], row["created_at"]) == (JOB, 2**40, day(2))
    assert rows_of(artifact(finished_at=None))[0]["created_at"] == day(1)
    assert outcomes(artifact(artifact_location=None)) == {JOB: ("filtered", "no_artifact")}
    assert outcomes(artifact(id=uid(8))) == {uid(8): ("held", "parent_missing")}
    assert waits(artifact(id=uid(8))) == {uid(8): (("backup_jobs", uid(8)), ("id",))}
    assert not backup_job_artifacts.SPEC.sources[0].primary


def test_a_restore_of_a_job() -> None:
    """A restore keeps its id and note, and was made when it was requested."""
    found = restore()
    row = rows_of(found)[0]
    assert (row["id"], row["backup_job_id"], row["notes"], row["status"]) == (RESTORE, JOB, "please", "completed")
    assert [row[name] for name in ("requested_at", "created_at", "updated_at")] == [day(3)] * 3
    assert archived(found) == []
    assert outcomes(restore(backup_id=uid(8))) == {RESTORE: ("held", "parent_missing")}
    assert waits(restore(backup_id=uid(8))) == {RESTORE: (("backup_jobs", uid(8)), ("backup_id",))}


def test_the_end_of_a_restore_is_its_last_change() -> None:
    """A restore was last changed when it finished; the end itself is archived."""
    found = restore(finished_at=day(5))
    assert rows_of(found)[0]["updated_at"] == day(5)
    assert archived(found) == [(RESTORE, "finished_at", day(5), "no_home")]
    filled = restore(finished_at=day(5), requested_at=None)
    assert rows_of(filled)[0]["requested_at"] == day(5)
    assert dict(filled.warnings) == {"requested_at_filled": 1}


def test_a_running_restore_becomes_cancelled() -> None:
    """A running restore becomes cancelled, its legacy status archived."""
    found = restore(status="running")
    assert rows_of(found)[0]["status"] == "cancelled"
    assert archived(found) == [(RESTORE, "status", "running", "in_flight")]
    assert rows_of(restore(status="failed"))[0]["status"] == "failed"
