from datetime import UTC, datetime, timedelta
from typing import Any

from assets.monitoring.check_assignments import SPEC, decide, transform, transform_global, transform_unattributed
from assets.monitoring.rules import dedupe_keys
from remoteiq_etl.frames.dtypes import BOOLEAN, TEXT_LIST, TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.table import Derived
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, micros, outcomes, plain, rows_of, uid, waits

START = datetime(2024, 1, 1, tzinfo=UTC)
NEXT = START + timedelta(days=1)
LATER = START + timedelta(days=2)
DEVICE, OTHER = uid(301), uid(302)
LOOKUPS = {
    ("organizations", "derived"): Lookup.of({"default": uid(5)}),
    ("devices", "devices"): Lookup.of({DEVICE: DEVICE}),
    ("devices", "device_text"): Lookup.of(
        {DEVICE: DEVICE, "pc": DEVICE, "lone": OTHER},
        decisions={text: {"way": "hostname"} for text in (DEVICE, "pc", "lone", "absent")},
    ),
    ("checks", "checks"): Lookup.of({uid(11): uid(11)}),
    ("checks", "derived"): Lookup.of({'["","unattributed"]': uid(13)}),
    ("checks", "assignment"): Lookup.of(
        {'["cpu","load"]': uid(11), '["","agent check"]': uid(12)}, decisions={'["cpu","load"]': {"check": uid(11)}}
    ),
}
CONTEXT = Context(lookups=LOOKUPS)


def decided(
    checks: list[tuple[str, str, bool]] | None = None,
    orphans: list[str] | None = None,
    recorded: list[Decision] | None = None,
    context: Context = CONTEXT,
    assigned: str = uid(401),
) -> Decided:
    rows = checks or []
    columns = {
        "id": [uid(11 + number) for number in range(len(rows))],
        "type": [check_type for check_type, _, _ in rows],
        "scope": [scope for _, scope, _ in rows],
        "enabled": [enabled for _, _, enabled in rows],
        "created_at": [START, *[None] * len(rows)][: len(rows)],
        "updated_at": [NEXT] * len(rows),
    }
    inputs = {
        "checks": frame(columns, {"enabled": BOOLEAN, "created_at": TIMESTAMP, "updated_at": TIMESTAMP}),
        "orphans": frame({"device_id": orphans or []}),
        "deduped": frame({name: [] for name in dedupe_keys.COLUMNS}, {"created_at": TIMESTAMP}),
        "assigned": frame({"device_id": ["pc"], "ids": [[assigned]]}, {"ids": TEXT_LIST}),
    }
    earlier = {(one.legacy_table, one.legacy_key): one for one in recorded or []}
    return decide(inputs, StoredDecisions(earlier), context)


def reports(found: Decided) -> dict[str, int]:
    return dict(found.warned)


def unattributed(device: str) -> str:
    return CONTEXT.derive("check_assignments", "derived", "unattributed", device)


# --- decisions ------------------------------------------------------------------------------------------------------


def test_global_checks() -> None:
    """Enabled checks of scope GLOBAL that are no scripts are assigned to the organization; scripts are reported."""
    found = decided(
        [
            ("CPU", "GLOBAL", True),
            ("CPU", "GLOBAL", False),
            ("SCRIPT", "GLOBAL", True),
            ("CPU", "SITE", True),
            ("CPU", "CLIENT", True),
            ("SCRIPT", "DEVICE", True),
        ]
    )
    assert plain(found.rows["checks"]) == [{KEY: uid(11)}]
    assert reports(found) == {"global_script_not_assigned": 1}


def test_stand_ins_are_recorded_by_device() -> None:
    """For runs without assignment each device's only assignment is recorded, else one that is made for it."""
    found = decided(orphans=["pc", "lone"])
    key = f'["unattributed","{OTHER}"]'
    assert {one.legacy_key: (one.legacy_table, one.rule, one.values, one.new_key) for one in found.decisions} == {
        DEVICE: (
            "device",
            "only_assignment",
            {"assignment": uid(401), "same_as": ["check_assignments", uid(401)]},
            uid(401),
        ),
        OTHER: ("device", "unattributed", {"same_as": ["derived", key]}, unattributed(OTHER)),
    }
    assert plain(found.rows["derived"]) == [{KEY: key, "device": OTHER}]
    assert reports(found) == {"assignment_unattributed_made": 1}


def test_only_assignment_has_the_id_of_the_map() -> None:
    """An assignment that was given its id before stands in under that."""
    known = LOOKUPS | {("check_assignments", "check_assignments"): Lookup.of({uid(401): uid(402)})}
    assert [one.new_key for one in decided(orphans=["pc"], context=Context(lookups=known)).decisions] == [uid(402)]


def test_recorded_stand_ins_stay() -> None:
    """A recorded stand-in stays, also of a device that has no such runs any more."""
    recorded = decided(orphans=["lone"]).decisions
    assert decided(orphans=["lone"], recorded=recorded).decisions == recorded
    assert decided(recorded=recorded).decisions == recorded
    assert plain(decided(recorded=recorded).rows["derived"]) == []


def test_a_device_that_gained_an_only_assignment_keeps_what_was_made_for_it() -> None:
    """Once runs of a device are unattributed they stay so, also when it has an only assignment later."""
    key = f'["unattributed","{DEVICE}"]'
    made = Decision("device", DEVICE, "unattributed", {"same_as": ["derived", key]}, unattributed(DEVICE))
    assert decided(orphans=["pc"], recorded=[made]).decisions == [made]


def test_only_assignment_with_a_refused_uuid() -> None:
    """The only assignment stands in under the id that it will get, where its uuid cannot be kept."""
    odd = "ffffffff-ffff-7fff-8fff-ffffffffffff"
    found = decided(orphans=["pc"], assigned=odd)
    assert [one.new_key for one in found.decisions] == [CONTEXT.derive("check_assignments", "check_assignments", odd)]


def test_assignments_without_times_get_those_of_their_checks() -> None:
    """When each check was created is prepared by its legacy id; one without that time was there when it was changed."""
    checks = [("CPU", "DEVICE", True), ("DISK", "DEVICE", True)]
    assert decided(checks).prepared["check_created_at"] == {uid(11): micros(START), uid(12): micros(NEXT)}


# --- rows -----------------------------------------------------------------------------------------------------------


def transformed(optional: frozenset[str] = frozenset(), **values: object) -> Batch:
    row: dict[str, Any] = {
        "id": uid(401),
        "device_id": DEVICE,
        "dedupe_key": None,
        "check_type": "CPU",
        "check_name": "Load",
        "created_at": START,
        "updated_at": NEXT,
    } | values
    prepared = {"check_created_at": {uid(11): LATER}, "losers": {}, "kept": frozenset[str]()}
    context = Context(lookups=LOOKUPS, optional=optional, prepared=prepared)
    dtypes = {"created_at": TIMESTAMP, "updated_at": TIMESTAMP}
    return transform(batch_of({name: [value] for name, value in row.items()}, dtypes), context)


def test_target_row() -> None:
    """One legacy assignment becomes one assignment of its check to its device."""
    batch = transformed()
    assert rows_of(batch) == [
        {
            KEY: uid(401),
            "id": uid(401),
            "target_type": "device",
            "target_id": DEVICE,
            "check_id": uid(11),
            "created_at": START,
            "updated_at": NEXT,
        }
    ]


def test_id_is_kept_or_derived() -> None:
    """A legacy uuid that the application refuses is derived."""
    odd = "ffffffff-ffff-7fff-8fff-ffffffffffff"
    derived = CONTEXT.derive("check_assignments", "check_assignments", odd)
    assert rows_of(transformed(id=odd))[0]["id"] == derived


def test_other_texts_are_archived() -> None:
    """The device text is archived when it is not the device's own id."""
    assert (uid(401), "device_id", "pc", "device_text") in archived(transformed(device_id="pc"))
    assert rows_of(transformed(device_id="pc"))[0]["target_id"] == DEVICE
    assert "device_id" not in [column for _, column, _, _ in archived(transformed())]


def test_device_that_is_not_there() -> None:
    """A text that means no device quarantines the assignment; a device that is not there yet holds it."""
    assert outcomes(transformed(device_id="nobody")) == {uid(401): ("quarantined", "unresolvable_device")}
    assert outcomes(transformed(device_id="absent")) == {uid(401): ("held", "parent_missing")}


def test_check_that_is_not_there() -> None:
    """An assignment waits for its check."""
    batch = transformed(check_name="Other")
    assert outcomes(batch) == {uid(401): ("held", "parent_missing")}
    assert waits(batch) == {uid(401): (("checks", '["cpu","other"]'), ("check_name",))}


def test_nameless_assignment() -> None:
    """An assignment without type and name is one of "Agent Check"."""
    assert rows_of(transformed(check_type=None, check_name=None))[0]["check_id"] == uid(12)


def test_missing_times() -> None:
    """A missing time is the other one, else that of the check; what is filled is counted."""
    row = rows_of(transformed(created_at=None))[0]
    assert (row["created_at"], row["updated_at"]) == (NEXT, NEXT)
    row = rows_of(transformed(updated_at=None))[0]
    assert (row["created_at"], row["updated_at"]) == (START, START)
    batch = transformed(created_at=None, updated_at=None)
    assert (rows_of(batch)[0]["created_at"], rows_of(batch)[0]["updated_at"]) == (LATER, LATER)
    assert batch.warnings == {"created_at_filled": 1, "updated_at_filled": 1}


def test_optional_columns() -> None:
    """dedupe_key, check_type and check_name go to the optional columns, and to the archive where there are none."""
    names = frozenset({"dedupe_key", "check_type", "check_name"})
    row = rows_of(transformed(names, dedupe_key="k"))[0]
    assert (row["dedupe_key"], row["check_type"], row["check_name"]) == ("k", "CPU", "Load")
    assert archived(transformed(names, dedupe_key="k")) == []
    kept = archived(transformed(dedupe_key="k"))
    assert [(column, value) for _, column, value, _ in kept] == [
        ("dedupe_key", "k"),
        ("check_type", "CPU"),
        ("check_name", "Load"),
    ]


def test_global_rows() -> None:
    """A global check is assigned to the organization; it waits for its check."""
    found = decided([("CPU", "GLOBAL", True), ("PING", " global", True)])
    batch = transform_global(Batch(found.rows["checks"]), CONTEXT)
    assert rows_of(batch) == [
        {
            KEY: uid(11),
            "id": CONTEXT.derive("check_assignments", "checks", uid(11)),
            "check_id": uid(11),
            "target_type": "organization",
            "target_id": uid(5),
        }
    ]
    assert outcomes(batch) == {uid(12): ("held", "parent_missing")}
    assert waits(batch)[uid(12)][0] == ("checks", uid(12))


def test_unattributed_rows() -> None:
    """A device with unattributed runs gets an assignment of the check Unattributed."""
    batch = transform_unattributed(Batch(decided(orphans=["lone"]).rows["derived"]), CONTEXT)
    assert rows_of(batch) == [
        {
            KEY: f'["unattributed","{OTHER}"]',
            "id": unattributed(OTHER),
            "check_id": uid(13),
            "target_type": "device",
            "target_id": OTHER,
        }
    ]
    lookups = LOOKUPS | {("checks", "derived"): Lookup.of({})}
    batch = transform_unattributed(Batch(decided(orphans=["lone"]).rows["derived"]), Context(lookups=lookups))
    assert list(waits(batch).values()) == [(("checks", '["","unattributed"]'), ("device",))]


def test_assignments_of_disabled_checks_are_removed() -> None:
    """The assignment of a global check goes when the check is disabled; that of a device's runs does not."""
    assert {source.name: source.removes for source in SPEC.sources if isinstance(source, Derived)} == {
        "checks": True,
        "derived": False,
    }
