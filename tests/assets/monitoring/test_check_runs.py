import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assets.monitoring.check_runs import transform
from assets.monitoring.rules.attribution import decide
from remoteiq_etl.frames.dtypes import TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, outcomes, plain, rows_of, uid, waits

START = datetime(2024, 1, 1, tzinfo=UTC)
ASSIGNED, HELD, DELETED, ONLY, GONE, UNKNOWN = (uid(400 + number) for number in range(6))
DEVICE, LONE, BARE, LOST = (uid(300 + number) for number in range(4))


def day(number: int) -> datetime:
    return START + timedelta(days=number)


TEXTS = {
    "pc": DEVICE,
    "desk": DEVICE,
    DEVICE: DEVICE,
    "lone": LONE,
    LONE: LONE,
    "only": uid(305),
    "bare": BARE,
    "lost": LOST,
}
TIMES = dict.fromkeys(("created_at", "updated_at"), TIMESTAMP)
LOOKUPS = {
    ("devices", "device_text"): Lookup.of(TEXTS, decisions={text: {"way": "hostname"} for text in (*TEXTS, "absent")}),
    ("checks", "assignment"): Lookup.of(
        {}, decisions={'["cpu","load"]': {"check": uid(11)}, '["ping","ping"]': {"check": uid(12)}}
    ),
    ("check_assignments", "check_assignments"): Lookup.of(
        {ASSIGNED: uid(500), ONLY: uid(503), GONE: uid(504)}, deleted=frozenset({DELETED})
    ),
    ("check_assignments", "device"): Lookup.of(
        {LONE: uid(510), uid(305): uid(503)},
        decisions={LONE: {}, uid(305): {"assignment": ONLY}},
        deleted=frozenset({LOST}),
    ),
}
ASSIGNMENTS = [
    (ASSIGNED, "pc", "CPU", "Load", day(1), day(9)),
    (HELD, "nobody", "X", "x", None, day(2)),
    (DELETED, "pc", None, None, None, None),
    (ONLY, "only", "PING", None, None, None),
]
CHECKS = {
    "id": [uid(11), uid(12)],
    "severity_default": ["CRIT", "WARN"],
    "created_at": [day(3), None],
    "updated_at": [day(5), day(4)],
}


def context(optional: frozenset[str] = frozenset(), lookups: dict[Any, Lookup] | None = None) -> Context:
    columns = zip(*ASSIGNMENTS, strict=True)
    names = ("id", "device_id", "check_type", "check_name", *TIMES)
    inputs = {
        "assignments": frame({name: list(values) for name, values in zip(names, columns, strict=True)}, TIMES),
        "checks": frame(CHECKS, TIMES),
    }
    prepared = decide(inputs, StoredDecisions(), Context(lookups=LOOKUPS if lookups is None else lookups)).prepared
    return Context(lookups=LOOKUPS, prepared=prepared, optional=optional)


def runs(*rows: dict[str, object], given: Context | None = None) -> Batch:
    defaults = {
        "assignment_id": ASSIGNED,
        "device_id": "pc",
        "status": "OK",
        "severity": None,
        "metrics": None,
        "output": None,
        "started_at": day(10),
        "finished_at": day(11),
        "created_at": day(12),
    }
    filled = [{"id": uid(number + 1)} | defaults | row for number, row in enumerate(rows)]
    columns = {name: [row[name] for row in filled] for name in filled[0]}
    batch = batch_of(columns, dict.fromkeys(("started_at", "finished_at", "created_at"), TIMESTAMP))
    return transform(batch, given or context())


def run(**values: object) -> dict[str, Any]:
    return rows_of(runs(values))[0]


def metrics(**values: object) -> dict[str, Any] | None:
    text = run(**values)["metrics"]
    return None if text is None else json.loads(text)


def test_target_row() -> None:
    """One legacy run becomes one run of its assignment; output and metrics as they are."""
    batch = runs({"output": " ok ", "metrics": '{"ms":  1.50}', "severity": "WARN"})
    assert rows_of(batch) == [
        {
            KEY: uid(1),
            "id": uid(1),
            "assignment_id": uid(500),
            "status": "passed",
            "severity": "medium",
            "started_at": day(10),
            "created_at": day(12),
            "finished_at": day(11),
            "output": " ok ",
            "metrics": '{"ms":  1.50}',
        }
    ]
    assert batch.warnings == {}


def test_id_is_kept_or_derived() -> None:
    """A legacy uuid that the application refuses is derived."""
    odd = "ffffffff-ffff-7fff-8fff-ffffffffffff"
    assert run(id=odd)["id"] == Context().derive("check_runs", "check_runs", odd)


@pytest.mark.parametrize(
    ("words", "label", "lossy"),
    [
        ("OK PASS PASSING ok", "passed", False),
        ("WARN WARNING", "warning", False),
        ("UNKNOWN", "warning", True),
        ("FAIL FAILING", "failed", False),
        ("CRIT ERROR TIMEOUT timeout", "failed", True),
        ("MUTED", "muted", False),
    ],
)
def test_status(words: str, label: str, lossy: bool) -> None:
    """Each legacy status has one new status; a word that says more is kept in metrics.legacy."""
    for word in words.split():
        assert run(status=word)["status"] == label
        assert metrics(status=word) == ({"legacy": {"status": word}} if lossy else None)


def test_unknown_words_are_quarantined() -> None:
    """A status or severity that the tables of words do not know is quarantined."""
    batch = runs({"status": "FINE"}, {"severity": "HUGE"}, {"status": ""}, {})
    assert outcomes(batch) == {uid(number): ("quarantined", "unknown_word") for number in (1, 2, 3)}


@pytest.mark.parametrize(
    ("values", "severity"),
    [
        ({"severity": "CRIT", "status": "OK"}, "critical"),
        ({"severity": "warn", "status": "FAIL"}, "medium"),
        ({"status": "OK"}, "info"),
        ({"status": "FAIL"}, "critical"),
        ({"status": "WARN", "severity": ""}, "critical"),
        ({"status": "FAIL", "assignment_id": GONE}, "high"),
        ({"status": "WARN", "assignment_id": GONE}, "medium"),
        ({"status": "MUTED", "assignment_id": GONE}, "medium"),
        ({"status": "OK", "assignment_id": GONE}, "info"),
        ({"status": "FAIL", "assignment_id": None, "device_id": "only"}, "medium"),
        ({"status": "FAIL", "assignment_id": None, "device_id": "lone"}, "high"),
    ],
)
def test_severity(values: dict[str, object], severity: str) -> None:
    """The severity is its own word, else info when passed, else the check's default, else medium or high by status."""
    assert run(**values)["severity"] == severity


def test_times() -> None:
    """started_at: started, created, finished, the assignment's created_at. created_at: the earliest other time."""
    times = ("started_at", "created_at", "finished_at")

    def started(*numbers: int | None) -> tuple[datetime, datetime]:
        row = run(
            **{name: None if number is None else day(number) for name, number in zip(times, numbers, strict=True)}
        )
        return row["started_at"], row["created_at"]

    assert started(5, 7, 6) == (day(5), day(7))
    assert started(None, 7, 6) == (day(7), day(7))
    assert started(None, None, 6) == (day(6), day(6))
    assert started(8, None, 6) == (day(8), day(6))
    assert started(None, None, None) == (day(1), day(1))
    batch = runs({"started_at": None, "created_at": None}, {"started_at": None})
    assert batch.warnings == {"started_at_filled": 2, "created_at_filled": 1}


def test_no_times_and_no_assignment() -> None:
    """A run of a stand-in inherits its created_at too."""
    row = run(assignment_id=None, device_id="only", started_at=None, created_at=None, finished_at=None)
    assert row["started_at"] == day(4)


def test_runs_without_assignment() -> None:
    """Null and unknown assignments count as none: the run goes to the one that stands in on its device."""
    batch = runs(
        {"assignment_id": None, "device_id": "only"},
        {"assignment_id": None, "device_id": "lone"},
        {"assignment_id": UNKNOWN, "device_id": "lone"},
        {},
    )
    assert [row["assignment_id"] for row in rows_of(batch)] == [uid(503), uid(510), uid(510), uid(500)]


def test_assignment_that_only_the_map_knows() -> None:
    """An assignment that was migrated and is gone from legacy is still the run's."""
    assert run(assignment_id=GONE)["assignment_id"] == uid(504)


def test_assignment_that_was_not_there_when_the_run_was_prepared() -> None:
    """Assignments that came into the map after the decisions are found all the same."""
    given = context(lookups={})
    assert rows_of(runs({}, given=given))[0]["assignment_id"] == uid(500)


def test_runs_that_cannot_be_carried() -> None:
    """Held for an assignment that is not migrated; filtered for one deleted; quarantined when no device can be told."""
    batch = runs(
        {"assignment_id": HELD},
        {"assignment_id": DELETED},
        {"assignment_id": None, "device_id": "nobody"},
        {"assignment_id": UNKNOWN, "device_id": "nobody"},
        {"assignment_id": None, "device_id": "absent"},
        {"assignment_id": None, "device_id": "bare"},
        {"assignment_id": None, "device_id": "lost"},
    )
    assert outcomes(batch) == {
        uid(1): ("held", "parent_missing"),
        uid(2): ("filtered", "parent_deleted_in_target"),
        uid(3): ("quarantined", "unresolvable_device"),
        uid(4): ("quarantined", "unresolvable_device"),
        uid(5): ("held", "parent_missing"),
        uid(6): ("held", "parent_missing"),
        uid(7): ("filtered", "parent_deleted_in_target"),
    }
    assert {key: waiting for key, waiting in waits(batch).items() if waiting[0]} == {
        uid(1): (("check_assignments", HELD), ("assignment_id",)),
        uid(5): (("devices", "absent"), ("device_id",)),
        uid(6): (("check_assignments", BARE), ("device_id",)),
    }


def test_deleted_assignment_that_legacy_no_longer_has() -> None:
    """A run of an assignment deleted in the target is filtered, also when legacy no longer has it."""
    lookups = LOOKUPS | {("check_assignments", "check_assignments"): Lookup.of({}, deleted=frozenset({UNKNOWN}))}
    given = Context(lookups=lookups, prepared=context(lookups=lookups).prepared)
    batch = runs({"assignment_id": UNKNOWN, "device_id": "lone"}, given=given)
    assert outcomes(batch) == {uid(1): ("filtered", "parent_deleted_in_target")}


def test_text_of_another_device() -> None:
    """A device text that is not the assignment's device is kept in metrics.legacy."""
    for text in ("lone", "nobody"):
        assert metrics(device_id=text) == {"legacy": {"deviceId": text}}
        assert archived(runs({"device_id": text})) == []
    assert metrics() is None
    assert metrics(device_id=DEVICE) is None


def test_another_text_of_the_same_device() -> None:
    """Another text for the assignment's device is archived, unless it is the device's own id."""
    assert metrics(device_id="desk") is None
    assert archived(runs({"device_id": "desk"})) == [(uid(1), "device_id", "desk", "device_text")]
    assert archived(runs({}, {"device_id": DEVICE})) == []
    orphans = runs({"device_id": "lone", "assignment_id": None}, {"device_id": "only", "assignment_id": None})
    assert archived(orphans) == [(uid(1), "device_id", "lone", "device_text")]
    assert archived(runs({"device_id": LONE, "assignment_id": None})) == []
    assert archived(runs({"assignment_id": GONE})) == [(uid(1), "device_id", "pc", "device_text")]


def test_unknown_assignment() -> None:
    """The id of an assignment that nobody knows is archived; of known ones there is no need."""
    batch = runs({"assignment_id": UNKNOWN, "device_id": "only"}, {}, {"assignment_id": None, "device_id": "only"})
    assert archived(batch) == [(uid(1), "assignment_id", UNKNOWN, "unknown_assignment")]


def test_metrics_that_are_no_object() -> None:
    """Metrics that are no object stay as they are, unless something is added to them."""
    assert run(metrics="[1]")["metrics"] == "[1]"
    assert metrics(metrics="[1]", status="TIMEOUT") == {"value": [1], "legacy": {"status": "TIMEOUT"}}


def test_device_where_the_target_has_it() -> None:
    """The optional column device_id holds the device of the run, else that of its assignment."""
    batch = runs({"device_id": "lone"}, {"device_id": "nobody"}, given=context(frozenset({"device_id"})))
    assert [row["device_id"] for row in rows_of(batch)] == [LONE, DEVICE]
    assert "device_id" not in run()


def test_prepared() -> None:
    """What a run inherits is worked out once per assignment: device, severity of the check, time."""
    facts = plain(context().prepared["assignments"].rows)
    assert [(row["assignment"], row["device"], row["severity"]) for row in facts] == [
        (uid(500), DEVICE, "critical"),
        (None, None, None),
        (None, DEVICE, None),
        (uid(503), uid(305), "medium"),
    ]


def test_an_assignment_without_times_is_as_old_as_its_check() -> None:
    """The first of its created_at, its updated_at, and the same of its check."""
    facts = plain(context().prepared["assignments"].rows)
    assert [row["created_at"] for row in facts] == [day(1), day(2), None, day(4)]
