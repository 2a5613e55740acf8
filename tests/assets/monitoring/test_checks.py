import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assets.monitoring.checks import SPEC, decide, transform, transform_synthesized
from remoteiq_etl.frames.dtypes import BOOLEAN, INTEGER, TEXT_LIST, TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, plain, rows_of, uid

START = datetime(2024, 1, 1, tzinfo=UTC)
Check = tuple[int, str, str]
Pair = tuple[str | None, str | None, int]


def inputs(checks: list[Check], pairs: list[Pair], orphans: list[str] | None = None) -> dict[str, Any]:
    """Checks are as old as their numbers are low."""
    return {
        "checks": frame(
            {
                "id": [uid(number) for number, _, _ in checks],
                "type": [check_type for _, check_type, _ in checks],
                "name": [name for _, _, name in checks],
                "created_at": [START + timedelta(days=number // 10) for number, _, _ in checks],
            },
            {"created_at": TIMESTAMP},
        ),
        "pairs": frame(
            dict(
                zip(
                    ("check_type", "check_name", "uses"),
                    zip(*pairs, strict=True) if pairs else ([], [], []),
                    strict=True,
                )
            ),
            {"uses": INTEGER},
        ),
        "orphans": frame({"device_id": orphans or []}),
        "assigned": frame({"device_id": ["pc"], "ids": [["x"]]}, {"ids": TEXT_LIST}),
    }


def decided(
    checks: list[Check],
    pairs: list[Pair],
    recorded: list[Decision] | None = None,
    known: dict[str, str] | None = None,
    orphans: list[str] | None = None,
    lookups: dict[tuple[str, str], Lookup] | None = None,
) -> Decided:
    all_lookups = {
        ("checks", "checks"): Lookup.of(known or {}),
        ("devices", "device_text"): Lookup.of({"pc": "D1", "lone": "D2"}),
        **(lookups or {}),
    }
    earlier = {(one.legacy_table, one.legacy_key): one for one in recorded or []}
    return decide(inputs(checks, pairs, orphans), StoredDecisions(earlier), Context(lookups=all_lookups))


def names(found: Decided) -> dict[str, str]:
    """Key (last digits of a legacy id, or natural key) → name."""
    given = found.prepared["names"]
    defined = {key[-2:]: name for key, name in zip(given.keys.to_pylist(), given.new_keys.to_pylist(), strict=True)}
    return defined | {row[KEY]: row["name"] for row in plain(found.rows["derived"])}


def means(found: Decided) -> dict[str, tuple[str, dict[str, Any], str | None]]:
    return {
        one.legacy_key: (one.rule, dict(one.values), one.new_key)
        for one in found.decisions
        if one.legacy_table == "assignment"
    }


def derived(check_type: str, name: str) -> str:
    return Context().derive("checks", "derived", check_type, name)


def reports(found: Decided) -> dict[str, int]:
    return dict(found.warned)


# --- which check an assignment means --------------------------------------------------------------------------------


def test_matched_by_type_and_name() -> None:
    """An assignment means the check of equal type and name, normalised; without a name the type is its name."""
    found = decided([(11, "CPU", "Load"), (12, "DISK", "disk")], [("cpu", " LOAD", 3), ("DISK", None, 1)])
    assert means(found) == {
        '["cpu","load"]': ("matched", {"same_as": ["checks", uid(11)], "check": uid(11)}, uid(11)),
        '["disk","disk"]': ("matched", {"same_as": ["checks", uid(12)], "check": uid(12)}, uid(12)),
    }
    assert plain(found.rows["derived"]) == []
    assert reports(found) == {}


def test_synthesized_where_none_matches() -> None:
    """Every (type, name) of assignments that no check has becomes a check; a null type matches a null type only."""
    found = decided([(11, "CPU", "Load")], [(None, "Load", 1), ("MEMORY", "Load", 2)])
    assert means(found) == {
        '["","load"]': ("synthesized", {"same_as": ["derived", '["","load"]']}, derived("", "load")),
        '["memory","load"]': ("synthesized", {"same_as": ["derived", '["memory","load"]']}, derived("memory", "load")),
    }
    assert reports(found) == {"check_synthesized": 2, "check_name_taken": 2}


def test_spelling_of_synthesized_checks() -> None:
    """Type and name of a synthesized check are in the spelling used most often."""
    found = decided([], [("cpu", "LOAD", 1), ("Cpu", "load", 5), ("CPU ", "LOAD", 3), (None, None, 1)])
    assert plain(found.rows["derived"]) == [
        {KEY: '["cpu","load"]', "type": "Cpu", "name": "load"},
        {KEY: '["","agent check"]', "type": None, "name": "Agent Check"},
    ]


def test_oldest_of_equal_checks() -> None:
    """Of checks that are equal after normalisation the oldest is meant, then the first by id."""
    assert means(decided([(21, "CPU", "x "), (11, "CPU", "X")], [("CPU", "x", 1)]))['["cpu","x"]'][2] == uid(11)
    assert means(decided([(12, "CPU", "x "), (11, "CPU", "X")], [("CPU", "x", 1)]))['["cpu","x"]'][2] == uid(11)


def test_a_check_without_a_time_counts_as_the_youngest() -> None:
    """An infinite created_at is none: the check is named after all others of its name."""
    rows = inputs([(21, "CPU", "x"), (31, "DISK", "x"), (11, "PING", "x")], [])
    rows["checks"]["created_at"] = rows["checks"]["created_at"].where([True, True, False])
    found = decide(rows, StoredDecisions(), Context(lookups={("checks", "checks"): Lookup.of({})}))
    assert names(found) == {uid(21)[-2:]: "x", uid(31)[-2:]: "x (DISK)", uid(11)[-2:]: "x (PING)"}


def test_recorded_match_stays() -> None:
    """A recorded match stays while its check is there; what would match today is counted."""
    recorded = [Decision("assignment", '["cpu","load"]', "matched", {"same_as": ["checks", uid(11)]}, uid(11))]
    found = decided([(11, "CPU", "renamed"), (12, "CPU", "Load")], [("CPU", "Load", 1)], recorded)
    assert means(found)['["cpu","load"]'][1] == {"same_as": ["checks", uid(11)], "check": uid(11)}
    assert reports(found) == {"check_match_would_change": 1}
    found = decided([(12, "CPU", "Load")], [("CPU", "Load", 1)], recorded)
    assert means(found)['["cpu","load"]'][2] == uid(12)


def test_recorded_matches_stay_when_too_many_checks_are_gone() -> None:
    """When more than 10 of the checks are gone at once nothing is decided again: the recorded ids stay."""

    def first(count: int) -> tuple[str, dict[str, Any], str | None]:
        keys = [f'["cpu","{number}"]' for number in range(count)]
        recorded = [Decision("assignment", key, "matched", {"same_as": ["checks", uid(99)]}, uid(99)) for key in keys]
        return means(decided([], [("CPU", str(number), 1) for number in range(count)], recorded))[keys[0]]

    assert first(10)[0] == "synthesized"
    assert first(11) == ("matched", {"same_as": ["checks", uid(99)], "check": uid(99)}, uid(99))


def test_defined_check_takes_over() -> None:
    """A new check that equals a synthesized one takes its id over, and the runs of both are one check's."""
    key = '["cpu","load"]'
    first = decided([], [("CPU", "Load", 1)])
    found = decided([(11, "CPU", "Load")], [("CPU", "Load", 1)], first.decisions)
    assert means(found)[key] == ("synthesized", {"same_as": ["derived", key], "check": uid(11)}, derived("cpu", "load"))
    assert plain(found.rows["derived"]) == []
    assert found.prepared["ids"].new_keys.to_pylist() == [derived("cpu", "load")]
    assert names(found) == {"11": "Load"}
    assert reports(found) == {"check_taken_over": 1}
    again = decided([(11, "CPU", "Load")], [("CPU", "Load", 1)], found.decisions, {uid(11): derived("cpu", "load")})
    assert {(one.legacy_key, one.rule, one.new_key) for one in again.decisions} == {
        (one.legacy_key, one.rule, one.new_key) for one in found.decisions
    }
    assert reports(again) == {"check_taken_over": 1}


def test_check_that_took_over_is_gone() -> None:
    """When the check that took over is gone, the synthesized one has the row back; when it returns, it has it again."""
    key = '["cpu","load"]'
    checks, pairs, known = [(11, "CPU", "Load")], [("CPU", "Load", 1)], {uid(11): derived("cpu", "load")}
    taken = decided(checks, pairs, decided([], pairs).decisions).decisions

    def of_checks(found: Decided) -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
        return {
            (one.legacy_table, one.legacy_key): (one.rule, dict(one.values))
            for one in found.decisions
            if one.legacy_table != "assignment"
        }

    gone = decided([], pairs, taken, known)
    assert [row[KEY] for row in plain(gone.rows["derived"])] == [key]
    assert of_checks(gone) == {
        ("derived", key): ("synthesized", {"name": "Load", "of": "Load", "inherits": ["checks", uid(11)]}),
        ("checks", uid(11)): ("lapsed", {"taken": key}),
    }
    assert of_checks(decided([], pairs, gone.decisions, known)) == of_checks(gone)
    back = decided(checks, pairs, gone.decisions, known)
    assert plain(back.rows["derived"]) == []
    assert of_checks(back)["checks", uid(11)] == (
        "takes_over",
        {"name": "Load", "of": "Load", "taken": key, "inherits": ["derived", key]},
    )
    assert of_checks(back)["derived", key] == ("synthesized", {"name": "Load", "of": "Load"})


def test_defined_check_takes_over_what_no_assignment_means_any_more() -> None:
    """A new check takes over an equal synthesized one whose assignments are gone."""
    first = decided([], [("CPU", "Load", 1)])
    found = decided([(11, "CPU", "Load")], [], first.decisions)
    assert found.prepared["ids"].new_keys.to_pylist() == [derived("cpu", "load")]
    assert reports(found) == {"check_taken_over": 1}


def test_rules_of_decisions() -> None:
    """A defined check is recorded as having chosen a name, a synthesized one as synthesized."""
    found = decided([(11, "CPU", "Load")], [("DISK", "Full", 1)])
    assert {one.legacy_table: one.rule for one in found.decisions if one.legacy_table != "assignment"} == {
        "checks": "name",
        "derived": "synthesized",
    }


def test_ids_given_before_are_expected_again() -> None:
    """An assignment means the id that its check was given, whatever it would get today; a refused uuid is derived."""
    key = '["cpu","load"]'
    synthesized = {("checks", "derived"): Lookup.of({key: "given"})}
    assert means(decided([], [("CPU", "Load", 1)], lookups=synthesized))[key][2] == "given"
    assert means(decided([(11, "CPU", "Load")], [("CPU", "Load", 1)], known={uid(11): "given"}))[key][2] == "given"
    refused = inputs([(11, "CPU", "Load")], [("CPU", "Load", 1)])
    odd = "ffffffff-ffff-7fff-8fff-ffffffffffff"
    found = decide(
        refused | {"checks": refused["checks"].assign(id=frame({"id": [odd]})["id"])}, StoredDecisions(), Context()
    )
    assert means(found)[key][2] == Context().derive("checks", "checks", odd)


def test_synthesized_checks_choose_names_in_the_order_of_their_keys() -> None:
    """Of synthesized checks of one name the first by natural key takes it."""
    found = decided([], [("PING", "Load", 1), ("CPU", "Load", 1)])
    assert names(found) == {'["cpu","load"]': "Load", '["ping","load"]': "Load (PING)"}


def test_unattributed_stays_wanted() -> None:
    """A device whose runs are recorded as unattributed needs the check, also when it has an only assignment now."""
    assert plain(decided([], [], orphans=["pc"]).rows["derived"]) == []
    lookups = {("check_assignments", "device"): Lookup.of({}, decisions={"D1": {}})}
    assert names(decided([], [], orphans=["pc"], lookups=lookups)) == {'["","unattributed"]': "Unattributed"}


def test_check_with_a_row_of_its_own_does_not_take_over() -> None:
    """A check that was migrated before keeps its row; that it would be matched today is counted."""
    first = decided([(11, "CPU", "Other")], [("CPU", "Load", 1)])
    found = decided([(11, "CPU", "Load")], [("CPU", "Load", 1)], first.decisions, {uid(11): uid(11)})
    assert means(found)['["cpu","load"]'][2] == derived("cpu", "load")
    assert reports(found)["check_match_would_change"] == 1


def test_unattributed_when_needed() -> None:
    """A check Unattributed is made when runs have no assignment and their device not exactly one."""
    assert names(decided([], [], orphans=["pc"])) == {}
    assert names(decided([], [], orphans=["pc", "lone"])) == {'["","unattributed"]': "Unattributed"}
    assert plain(decided([], [], orphans=["lone"]).rows["derived"])[0]["type"] is None


# --- names ----------------------------------------------------------------------------------------------------------


def test_defined_checks_take_names_first() -> None:
    """Defined checks take names first, by age, then synthesized ones; a taken name gets the type behind it."""
    checks = [(31, "PING", "Disk"), (21, "CPU", "Disk"), (22, "DISK", "Disk")]
    found = decided(checks, [("SMART", "Disk", 1), (None, "disk", 1)])
    assert names(found) == {
        "21": "Disk",
        "22": "Disk (DISK)",
        "31": "Disk (PING)",
        '["","disk"]': "disk",
        '["smart","disk"]': "Disk (SMART)",
    }
    assert reports(found) == {"check_synthesized": 2, "check_name_taken": 3}


def test_numbered_names() -> None:
    """When the name with the type is taken too, a number follows."""
    found = decided([(11, "CPU", "Disk"), (21, "CPU", "Disk (DISK)")], [("DISK", "Disk", 1)])
    assert names(found)['["disk","disk"]'] == "Disk (DISK 2)"


def test_recorded_name_stays() -> None:
    """A name once given stays with its check; one that is renamed in legacy chooses again."""
    first = decided([(21, "DISK", "Disk")], [("SMART", "Disk", 1)])
    found = decided([(11, "CPU", "Disk"), (21, "DISK", "Disk")], [("SMART", "Disk", 1)], first.decisions)
    assert names(found) == {"11": "Disk (CPU)", "21": "Disk", '["smart","disk"]': "Disk (SMART)"}
    found = decided([(11, "CPU", "Disk"), (21, "DISK", "Volume")], [("SMART", "Disk", 1)], first.decisions)
    assert names(found) == {"11": "Disk", "21": "Volume", '["smart","disk"]': "Disk (SMART)"}


def test_the_name_of_a_check_that_is_gone_is_taken_while_its_row_is_there() -> None:
    """Its assignments mean a synthesized check now, which needs a name of its own; so does a new check."""
    pairs: list[Pair] = [("CPU", "Disk", 1)]
    first = decided([(11, "CPU", "Disk")], pairs)
    found = decided([(21, "PING", "Disk")], pairs, first.decisions, {uid(11): uid(11)})
    assert names(found) == {"21": "Disk (PING)", '["cpu","disk"]': "Disk (CPU)"}
    assert names(decided([(21, "PING", "Disk")], pairs, first.decisions)) == {
        "21": "Disk",
        '["cpu","disk"]': "Disk (CPU)",
    }


def test_the_name_of_a_synthesized_check_is_taken_while_its_row_is_there() -> None:
    """Also when no assignment means it any more."""
    key = '["cpu","disk"]'
    first = decided([], [("CPU", "Disk", 1)])
    written = {("checks", "derived"): Lookup.of({key: derived("cpu", "disk")})}
    assert names(decided([(21, "PING", "Disk")], [], first.decisions, lookups=written)) == {"21": "Disk (PING)"}


def test_recorded_decisions_are_kept() -> None:
    """Decisions about what is gone are returned as they are."""
    first = decided([(11, "CPU", "Disk")], [("CPU", "x", 1)])
    assert {one.legacy_key for one in decided([], [], first.decisions).decisions} == {
        uid(11),
        '["cpu","x"]',
    }


def test_spelling_of_a_synthesized_check_stays() -> None:
    """The recorded spelling of a synthesized check stays while an assignment uses it."""
    first = decided([], [("CPU", "Load", 1)])
    assert names(decided([], [("CPU", "Load", 1), ("CPU", "LOAD", 9)], first.decisions)) == {'["cpu","load"]': "Load"}
    assert names(decided([], [("CPU", "LOAD", 9)], first.decisions)) == {'["cpu","load"]': "LOAD"}


# --- rows -----------------------------------------------------------------------------------------------------------


def transformed(**values: object) -> Batch:
    row: dict[str, Any] = {
        "id": uid(11),
        "scope": "DEVICE",
        "type": "CPU",
        "name": "Load",
        "description": "d",
        "category": "c",
        "config": None,
        "threshold": None,
        "severity_default": "WARN",
        "interval_sec": 90,
        "timeout_sec": 5,
        "enabled": True,
        "created_by": None,
        "updated_by": None,
        "created_at": START,
        "updated_at": START,
    } | values
    checks = [(11, row["type"], row["name"]), (1, "PING", "Taken")]
    lookups = {
        ("users", "users"): Lookup.of({uid(201): uid(202)}),
        ("organizations", "derived"): Lookup.of({"default": uid(5)}),
    }
    context = Context(lookups=lookups, prepared=decide(inputs(checks, []), StoredDecisions(), Context()).prepared)
    dtypes = {
        "interval_sec": INTEGER,
        "timeout_sec": INTEGER,
        "enabled": BOOLEAN,
        "created_at": TIMESTAMP,
        "updated_at": TIMESTAMP,
    }
    return transform(batch_of({name: [value] for name, value in row.items()}, dtypes), context)


def config(**values: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rows_of(transformed(**values))[0]["config"])
    return found


def test_a_missing_time_is_the_other_one() -> None:
    """An infinite time is none, so a column that legacy requires may miss."""
    row = rows_of(transformed(created_at=None, updated_at=START))[0]
    assert row["created_at"] == START
    row = rows_of(transformed(created_at=START, updated_at=None))[0]
    assert row["updated_at"] == START


def test_target_row() -> None:
    """One legacy check becomes one check of our organization, every interval."""
    batch = transformed()
    row = rows_of(batch)[0]
    row.pop("config")
    assert row == {
        KEY: uid(11),
        "id": uid(11),
        "organization_id": uid(5),
        "name": "Load",
        "type": "metric",
        "category": "c",
        "description": "d",
        "created_at": START,
        "updated_at": START,
        "schedule": "@every 90s",
        "created_by": None,
    }
    assert archived(batch) == []


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("PING PORT", "ping"),
        ("SERVICE RDP SMB FIREWALL", "service"),
        ("PROCESS", "process"),
        ("CPU MEMORY DISK SMART", "metric"),
        ("SCRIPT WINEVENT SOFTWARE SECURITY PATCH CERT other", "script"),
    ],
)
def test_types(words: str, label: str) -> None:
    """Each legacy type has one new type; the rest are scripts."""
    assert {rows_of(transformed(type=word))[0]["type"] for word in words.split()} == {label}


def test_configuration() -> None:
    """The configuration gains what has no column; nulls are left out, displaced values move to legacyValues."""
    assert config() == {
        "severityDefault": "WARN",
        "intervalSec": 90,
        "timeoutSec": 5,
        "enabled": True,
        "scope": "DEVICE",
        "legacyType": "CPU",
    }
    found = config(config='{"enabled":false,"host":"192.0.2.1"}', threshold='{"max":90}', enabled=True)
    assert (found["threshold"], found["host"], found["enabled"]) == ({"max": 90}, "192.0.2.1", True)
    assert found["legacyValues"] == {"enabled": False}
    assert config(config="[1]")["value"] == [1]


def test_people() -> None:
    """created_by is carried only where that user was migrated, else archived; updated_by is archived."""
    batch = transformed(created_by=uid(201), updated_by=uid(201))
    assert rows_of(batch)[0]["created_by"] == uid(202)
    assert archived(batch) == [(uid(11), "updated_by", uid(201), "no_home")]
    batch = transformed(created_by=uid(299))
    assert rows_of(batch)[0]["created_by"] is None
    assert archived(batch) == [(uid(11), "created_by", uid(299), "user_not_migrated")]


def test_original_of_a_taken_name_is_archived() -> None:
    """A check whose name is taken keeps the original in the archive."""
    batch = transformed(name="Taken")
    assert rows_of(batch)[0]["name"] == "Taken (CPU)"
    assert archived(batch) == [(uid(11), "name", "Taken", "name_taken")]


def test_synthesized_rows() -> None:
    """A synthesized check runs every 60 seconds; its legacy type is in the configuration, a null type is a script."""
    found = decided([], [("CPU", "Load", 1), (None, None, 1)])
    context = Context(lookups={("organizations", "derived"): Lookup.of({"default": uid(5)})})
    rows = rows_of(transform_synthesized(Batch(found.rows["derived"]), context))
    assert rows[0] == {
        KEY: '["cpu","load"]',
        "id": derived("cpu", "load"),
        "organization_id": uid(5),
        "name": "Load",
        "type": "metric",
        "schedule": "@every 60s",
        "config": '{"legacyType":"CPU"}',
        **dict.fromkeys(("category", "description", "created_by", "created_at", "updated_at")),
    }
    assert (rows[1]["type"], rows[1]["config"]) == ("script", "{}")


def test_synthesized_rows_have_the_columns_of_defined_ones() -> None:
    """A check that takes a synthesized one over is compared with it, so both set the same columns."""
    made = transform_synthesized(Batch(decided([], [("CPU", "Load", 1)]).rows["derived"]), Context())
    assert set(made.columns) == set(transformed().columns)


def test_adopted_by_name() -> None:
    """A check of the organization with that name is the same check."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("organization_id", "name")
