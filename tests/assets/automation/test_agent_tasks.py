import json
from datetime import UTC, datetime
from typing import Any

import pytest

from assets.automation import agent_task_results, agent_task_runs, agent_tasks
from assets.automation.rules.states import STATUS, TYPE
from remoteiq_etl.frames.dtypes import INTEGER, TIMESTAMP, frame
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decided, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, outcomes, rows_of, uid, waits

JOB, AGENT = uid(1), uid(9)
TIMES = ("created_at", "dispatched_at", "started_at", "finished_at", "updated_at")
LOOKUPS = {
    ("agents", "agents"): Lookup.of({"5": AGENT}),
    ("agent_tasks", "jobs"): Lookup.of({JOB: JOB}),
    ("agent_tasks", "agent_jobs"): Lookup.of({"3": uid(3)}),
    ("agent_task_runs", "jobs"): Lookup.of({JOB: uid(4)}),
}


def day(number: int) -> datetime:
    return datetime(2024, 1, number, tzinfo=UTC)


WHEN = {"created_at": day(1), "dispatched_at": day(2), "started_at": day(3), "finished_at": day(4)}
JOB_ROW = {
    "id": JOB,
    "agent_id": 5,
    "type": "RUN_SCRIPT",
    "payload": '{"a":1}',
    "status": "succeeded",
    **WHEN,
    "agent_uuid": uid(7),
}
OLD_JOB = {
    "id": 3,
    "agent_id": 5,
    "kind": "apply_policy",
    "payload": '{"a":1}',
    "status": "completed",
    "result": '{"ok": true}',
    "created_at": day(1),
    "updated_at": day(6),
}
NO_TIMES = dict.fromkeys(WHEN)


def agents() -> Any:  # a frame
    return frame({"id": ["5"], "agent_uuid": [uid(7)], "created_at": [day(1)]}, {"created_at": TIMESTAMP})


def results(**figures: tuple[int | None, int | None]) -> Any:  # a frame
    columns = {
        "job_id": list(figures),
        "exit_code": [code for code, _ in figures.values()],
        "duration_ms": [duration for _, duration in figures.values()],
    }
    return frame(columns, {"exit_code": INTEGER, "duration_ms": INTEGER})


def batch(row: dict[str, Any], values: dict[str, Any]) -> Batch:
    columns = {name: [value] for name, value in {**row, **values}.items()}
    numbers = {"agent_id": INTEGER} | ({} if isinstance(row["id"], str) else {"id": INTEGER})
    return batch_of(columns, {**numbers, **{name: TIMESTAMP for name in TIMES if name in columns}})


def context(**values: Any) -> Context:  # fields of a context
    found: Decided = agent_tasks.decide({"agents": agents()}, StoredDecisions(), Context())
    return Context(lookups=LOOKUPS, prepared=found.prepared, **values)


def task(**values: object) -> Batch:
    return agent_tasks.transform_jobs(batch(JOB_ROW, values), context())


def old_task(**values: object) -> Batch:
    return agent_tasks.transform_agent_jobs(batch(OLD_JOB, values), context())


def run_context(figures: Any = None) -> Context:  # a frame
    inputs = {"agents": agents(), "results": results() if figures is None else figures}
    return Context(lookups=LOOKUPS, prepared=agent_task_runs.decide(inputs, StoredDecisions(), Context()).prepared)


def run(figures: Any = None, **values: object) -> Batch:  # a frame
    return agent_task_runs.transform_jobs(batch(JOB_ROW, values), run_context(figures))


def old_run(**values: object) -> Batch:
    return agent_task_runs.transform_agent_jobs(batch(OLD_JOB, values), run_context())


def test_a_job_becomes_a_task_of_its_agent() -> None:
    """A job keeps its id; its times have their own columns."""
    row = rows_of(task())[0]
    assert (row["id"], row["agent_id"], row["type"], row["status"]) == (JOB, AGENT, "script", "succeeded")
    assert [row[name] for name in ("queued_at", "started_at", "completed_at", "created_at", "updated_at")] == [
        day(1),
        day(3),
        day(4),
        day(1),
        day(4),
    ]


def test_an_older_job_becomes_a_task_as_well() -> None:
    """An older job gets a derived id, has no start, and was completed when last changed."""
    row = rows_of(old_task())[0]
    assert row["id"] == Context().derive("agent_tasks", "agent_jobs", "3")
    assert (row["agent_id"], row["type"], row["status"]) == (AGENT, "policy", "succeeded")
    assert [row[name] for name in ("queued_at", "completed_at", "created_at", "updated_at")] == [
        day(1),
        day(6),
        day(1),
        day(6),
    ]
    assert "started_at" not in row
    assert json.loads(row["payload"]) == {"a": 1, "legacyType": "apply_policy", "legacyStatus": "completed"}
    assert rows_of(old_task(status="running"))[0]["completed_at"] is None


def test_a_missing_time_of_an_older_job_is_its_other_one_or_that_of_its_agent() -> None:
    """Neither a task nor its run dates from the load; a time that may be missing stays missing."""
    task = rows_of(old_task(created_at=None, updated_at=day(6)))[0]
    assert [task[name] for name in ("queued_at", "created_at", "updated_at")] == [day(6)] * 3
    assert rows_of(old_run(created_at=None, updated_at=day(6)))[0]["started_at"] == day(6)
    task = rows_of(old_task(updated_at=None, created_at=day(2)))[0]
    assert (task["updated_at"], task["completed_at"]) == (day(2), None)
    bare = old_task(updated_at=None, created_at=None)
    assert [rows_of(bare)[0][name] for name in ("queued_at", "created_at", "updated_at")] == [day(1)] * 3
    assert dict(bare.warnings) == {"created_at_filled": 1, "updated_at_filled": 1}


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("RUN_SCRIPT", "script"),
        (" run_script ", "script"),
        ("uninstall_software", "command"),
        ("FILE_OP", "command"),
        ("run_patch_policy", "update"),
        ("UPDATE_AGENT", "update"),
        ("Policy_Update", "update"),
        ("apply_policy", "policy"),
        ("reboot", "command"),
        ("", "command"),
    ],
)
def test_types_are_tested_in_order(word: str, label: str) -> None:
    """Whole words come first, then patch or update, then policy; all else is a command."""
    assert rows_of(task(type=word))[0]["type"] == label
    assert rows_of(old_task(kind=word))[0]["type"] == label


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("succeeded", "succeeded"),
        ("Success", "succeeded"),
        (" completed", "succeeded"),
        ("failed", "failed"),
        ("error", "failed"),
        ("TIMEOUT", "failed"),
        ("cancelled", "cancelled"),
        ("canceled", "cancelled"),
        ("queued", "cancelled"),
        ("pending", "cancelled"),
        ("dispatched", "cancelled"),
        ("running", "cancelled"),
    ],
)
def test_work_in_flight_becomes_cancelled(word: str, label: str) -> None:
    """Each word has its label; what had not finished becomes cancelled, in tasks and runs, the legacy word kept."""
    row = rows_of(task(status=word))[0]
    assert row["status"] == label
    assert json.loads(row["payload"])["legacyStatus"] == word
    assert rows_of(run(status=word))[0]["status"] == label
    assert rows_of(old_run(status=word))[0]["status"] == label


def test_no_word_of_an_operator_makes_work_runnable() -> None:
    """Also a word that an operator maps to a runnable label becomes cancelled."""
    words = {STATUS.name: {"paused": "queued"}, TYPE.name: {"reboot": "policy"}}
    found = agent_tasks.transform_jobs(batch(JOB_ROW, {"status": "paused", "type": "reboot"}), context(words=words))
    assert [(row["status"], row["type"]) for row in rows_of(found)] == [("cancelled", "policy")]
    assert outcomes(task(status="paused")) == {JOB: ("quarantined", "unknown_word")}


def test_the_payload_says_what_the_job_was() -> None:
    """The payload is the legacy payload with its type, state and dispatch; a displaced value is kept."""
    assert json.loads(rows_of(task())[0]["payload"]) == {
        "a": 1,
        "legacyType": "RUN_SCRIPT",
        "legacyStatus": "succeeded",
        "legacyDispatchedAt": "2024-01-02T00:00:00+00:00",
    }
    row = rows_of(task(payload='{"legacyType":"old"}', dispatched_at=None))[0]
    assert json.loads(row["payload"]) == {
        "legacyType": "RUN_SCRIPT",
        "legacyStatus": "succeeded",
        "legacyValues": {"legacyType": "old"},
    }
    assert json.loads(rows_of(task(payload="[1]"))[0]["payload"])["value"] == [1]


def test_missing_times_are_filled() -> None:
    """A missing creation is the earliest other time, else the agent's; a missing start is the dispatch."""
    assert rows_of(task(started_at=None))[0]["started_at"] == day(2)
    found = task(created_at=None, dispatched_at=day(9))
    assert [rows_of(found)[0][name] for name in ("created_at", "queued_at", "updated_at")] == [day(3), day(3), day(9)]
    assert dict(found.warnings) == {"created_at_filled": 1}
    bare = rows_of(task(**NO_TIMES))[0]
    assert [bare[name] for name in ("created_at", "started_at", "completed_at", "updated_at")] == [
        day(1),
        None,
        None,
        day(1),
    ]


def test_the_agent_uuid_of_a_job_is_superseded() -> None:
    """jobs.agent_uuid is archived where it is not that of the job's agent."""
    assert archived(task()) == []
    assert archived(task(agent_uuid=uid(8))) == [(JOB, "agent_uuid", uid(8), "superseded")]


def test_a_task_waits_for_its_agent() -> None:
    """A job whose agent is not there yet is held."""
    assert outcomes(task(agent_id=6)) == {JOB: ("held", "parent_missing")}
    assert outcomes(old_task(agent_id=6)) == {"3": ("held", "parent_missing")}
    assert waits(task(agent_id=6)) == {JOB: (("agents", "6"), ("agent_id",))}


def test_a_run_waits_for_its_task() -> None:
    """A run whose task is not there yet is held."""
    assert waits(run(id=uid(2))) == {uid(2): (("agent_tasks", uid(2)), ("id",))}


def test_an_id_that_may_not_be_kept_is_derived() -> None:
    """A uuid that the application refuses gives an id derived from it."""
    refused = "ffffffff-ffff-7fff-8fff-ffffffffffff"
    assert rows_of(task(id=refused))[0]["id"] == context().derive("agent_tasks", "jobs", refused)


def test_a_run_of_a_job() -> None:
    """A run is the first attempt of its task; it was made when it started, and has the figures of the result."""
    row = rows_of(run(results(**{JOB: (2, 1500)})))[0]
    assert row["id"] == Context().derive("agent_task_runs", "jobs", JOB)
    assert (row["task_id"], row["attempt"], row["status"]) == (JOB, 1, "succeeded")
    assert (row["started_at"], row["finished_at"], row["created_at"]) == (day(3), day(4), day(3))
    assert json.loads(row["output"]) == {"exitCode": 2, "durationMs": 1500, "timedOut": False}
    late = json.loads(rows_of(run(status=" Timeout"))[0]["output"])
    assert late == {"timedOut": True}
    assert rows_of(run())[0]["output"] is None


def test_a_run_starts_at_the_first_time_that_is_known() -> None:
    """A run started when the job did, else when it was dispatched, else when it was made."""
    assert rows_of(run(started_at=None))[0]["started_at"] == day(2)
    assert rows_of(run(started_at=None, dispatched_at=None, created_at=day(8)))[0]["started_at"] == day(8)


@pytest.mark.parametrize("time", ["dispatched_at", "started_at", "finished_at"])
def test_a_job_with_a_trace_has_a_run(time: str) -> None:
    """A job that was dispatched, started or finished has a run, whatever its status says."""
    assert len(rows_of(run(**{**NO_TIMES, time: day(2), "status": "queued"}))) == 1


@pytest.mark.parametrize("word", ["queued", "pending", "cancelled", " Canceled"])
def test_a_job_that_was_never_begun_has_no_run(word: str) -> None:
    """Without a time or a result, work that waited or was cancelled has no run; with a result it has."""
    assert outcomes(run(**NO_TIMES, status=word)) == {JOB: ("filtered", "never_started")}
    assert outcomes(old_run(result=None, status=word)) == {"3": ("filtered", "never_started")}
    assert len(rows_of(run(results(**{JOB: (None, None)}), **NO_TIMES, status=word))) == 1
    assert len(rows_of(old_run(status=word))) == 1


@pytest.mark.parametrize("word", ["dispatched", "running", "failed"])
def test_a_status_may_tell_that_work_was_begun(word: str) -> None:
    """A status of begun work is enough for a run."""
    assert len(rows_of(run(**NO_TIMES, status=word))) == 1
    assert len(rows_of(old_run(result=None, status=word))) == 1


def test_a_run_of_an_older_job() -> None:
    """The run of an older job started when it was made, and has its result as output."""
    row = rows_of(old_run())[0]
    assert row["id"] == Context().derive("agent_task_runs", "agent_jobs", "3")
    assert (row["task_id"], row["attempt"]) == (uid(3), 1)
    assert (row["started_at"], row["finished_at"], row["created_at"]) == (day(1), day(6), day(1))
    assert row["output"] == '{"ok": true}'
    assert rows_of(old_run(status="running"))[0]["finished_at"] is None


def test_runs_and_results_are_log_like() -> None:
    """Nobody edits runs and results, and they account for no job of their own."""
    assert agent_task_runs.SPEC.log_like
    assert agent_task_results.SPEC.log_like
    assert not any(source.primary for source in agent_task_runs.SPEC.sources)


def test_a_result_belongs_to_the_run_of_its_job() -> None:
    """A result carries its output; it was made when the job finished, else was created, else at its earliest other time."""
    jobs = frame(
        {"id": [JOB], "agent_id": ["7"], **{name: [value] for name, value in WHEN.items()}},
        dict.fromkeys(WHEN, TIMESTAMP),
    )
    agents = frame({"id": ["7"], "created_at": [day(9)]}, {"created_at": TIMESTAMP})
    columns = {"job_id": [JOB, uid(2)], "stdout": ["out", None], "stderr": ["", "err"]}

    def transformed(table: Any) -> Batch:  # a frame
        prepared = agent_task_results.decide({"jobs": table, "agents": agents}, StoredDecisions(), Context()).prepared
        rows = batch_of(columns, key="job_id")
        return agent_task_results.transform(rows, Context(lookups=LOOKUPS, prepared=prepared))

    found = transformed(jobs)
    row = rows_of(found)[0]
    assert (row["run_id"], row["stdout"], row["stderr"], row["created_at"]) == (uid(4), "out", "", day(4))
    assert outcomes(found) == {uid(2): ("held", "parent_missing")}
    assert waits(found) == {uid(2): (("agent_task_runs", uid(2)), ("job_id",))}
    for missing, stand_in in (("finished_at", 1), ("created_at", 2), ("dispatched_at", 3), ("started_at", 9)):
        jobs[missing] = jobs[missing].where(jobs[missing].isna(), None)
        assert rows_of(transformed(jobs))[0]["created_at"] == day(stand_in)
    read = {column.name for column in agent_task_results.SPEC.decide.reads["jobs"].selected_columns}
    assert read == {*jobs.columns} == {"id", "agent_id", "created_at", "dispatched_at", "started_at", "finished_at"}
