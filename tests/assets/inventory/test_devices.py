from datetime import datetime
from typing import Any

import pytest

from assets.inventory.devices import SPEC, decide, transform, transform_synthesized
from remoteiq_etl.frames.dtypes import TIMESTAMP
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, outcomes, plain, rows_of, uid
from tests.assets.inventory.rows import agent, day, device, inputs

PLACES = {
    ("clients", "derived"): Lookup.of({"acme": uid(501)}, decisions={"acme": {"name": "Acme"}}),
    ("sites", "derived"): Lookup.of({'["acme","hq"]': uid(601)}, decisions={'["acme","hq"]': {"name": "HQ"}}),
}
ODD = "ffffffff-ffff-7fff-8fff-ffffffffffff"  # no version that the application accepts


def decided(*rows: list[Any], recorded: list[Decision] | None = None, **known: dict[str, str]) -> Decided:
    """`known`: what the map holds, by legacy table."""
    lookups = {("devices", table): Lookup.of(entries) for table, entries in known.items()}
    earlier = {(one.legacy_table, one.legacy_key): one for one in recorded or []}
    return decide(inputs(*rows), StoredDecisions(earlier), Context(lookups=lookups))


def decisions(found: Decided) -> dict[tuple[str, str], tuple[str, dict[str, Any], str | None]]:
    return {(one.legacy_table, one.legacy_key): (one.rule, dict(one.values), one.new_key) for one in found.decisions}


def reports(found: Decided) -> dict[str, int]:
    return dict(found.warned)


def synthesized(number: int) -> str:
    return Context().derive("devices", "agents", str(number))


# --- decisions ------------------------------------------------------------------------------------------------------


def test_pair_is_recorded_with_the_device() -> None:
    """A pair names the device's row, whatever id that gets in the end."""
    found = decided([device(1, agent_uuid=uid(9007))], [agent(7)])
    assert decisions(found) == {("agents", "7"): ("pair_agent_uuid", {"same_as": ["devices", uid(1)]}, uid(1))}
    assert plain(found.rows["agents"]) == []
    assert reports(found) == {}


def test_ids_that_are_expected() -> None:
    """A legacy uuid is kept where it may be, else derived; one that was given before is read from the map."""
    found = decided([device(1), device(0, id=ODD), device(3)], [], devices={uid(3): uid(33)})
    rows = {row[KEY]: row["id"] for row in plain(found.prepared["devices"].rows)}
    assert rows == {uid(1): uid(1), ODD: Context().derive("devices", "devices", ODD), uid(3): uid(33)}


def test_synthesized_device() -> None:
    """An agent without a device gets a derived row; its id is left open, for it may be adopted."""
    values = {"client": "Acme", "site": "HQ", "logged_in_user": "kim", "seen": day(3), "arch": "x86"}
    found = decided([], [agent(7, **values)])
    assert decisions(found) == {("agents", "7"): ("synthesized", {}, None)}
    assert plain(found.rows["agents"]) == [
        {
            KEY: "7",
            "hostname": "host7",
            "os": "linux",
            "arch": "x86",
            "logged_in_user": "kim",
            "seen": day(3),
            "id": synthesized(7),
            "client_key": "acme",
            "site_key": '["acme","hq"]',
            "new_hostname": None,
            "uuid_of_agent": uid(9007),
        }
    ]
    assert reports(found) == {"device_synthesized": 1}


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (f"win-{uid(5)}", True),
        (f" Linux-{uid(5).upper()}", True),
        (f"mac-{uid(5)}", True),
        (uid(5), False),
        (f"bsd-{uid(5)}", False),
        (f"win-{uid(5)}0", False),
        (f"win-{ODD}", False),
        ("win-box", False),
    ],
)
def test_a_synthesized_device_has_the_uuid_of_its_machine(text: str, own: bool) -> None:
    """The machine's own enrolment looks for it."""
    [row] = plain(decided([], [agent(7, device_id=text)]).rows["agents"])
    assert row["id"] == (uid(5) if own else synthesized(7))


def test_the_uuid_of_a_machine_is_taken_only_where_it_is_free() -> None:
    """Not from a legacy device, from a row of the target or of an earlier run, nor by two agents: the one seen later has it."""
    text = f"win-{uid(5)}"

    def made(*agents: dict[str, Any], **more: Any) -> list[str]:
        found = decide(
            inputs(more.get("devices"), [*agents], present=more.get("present")), StoredDecisions({}), Context()
        )
        return [row["id"] for row in plain(found.rows["agents"])]

    rival = agent(8, device_id=uid(5), seen=day(3))
    assert made(agent(7, device_id=text), rival, devices=[device(5)]) == [synthesized(7)]
    row = {"id": uid(5), "site_id": None, "hostname": "other"}
    assert made(agent(7, device_id=text), present=[row]) == [synthesized(7)]
    assert made(agent(7, device_id=text), agent(8, device_id=text, seen=day(3))) == [synthesized(7), uid(5)]
    assert made(agent(7, device_id=text), agent(8, device_id=text)) == [uid(5), synthesized(8)]


def test_an_id_that_an_earlier_run_gave_stays_whatever_the_machine_says() -> None:
    recorded = [Decision("agents", "7", "synthesized", {}, synthesized(7))]
    found = decided([], [agent(7, device_id=f"win-{uid(5)}")], recorded=recorded, agents={"7": synthesized(7)})
    assert [row["id"] for row in plain(found.rows["agents"])] == [synthesized(7)]


def test_a_late_legacy_device_with_the_uuid_of_a_synthesized_one_is_the_same_or_gets_another_id() -> None:
    """It is the same when it pairs with that agent; when another agent claims it, it has a derived id."""
    recorded = [Decision("agents", "7", "synthesized", {}, uid(5))]
    late = agent(7, device_id=f"win-{uid(5)}")
    same = decided([device(5)], [late], recorded=recorded, agents={"7": uid(5)})
    assert decisions(same)["devices", uid(5)][0] == "takes_over"
    assert [row["id"] for row in plain(same.prepared["devices"].rows)] == [uid(5)]
    other = decided([device(5, agent_uuid=uid(9008))], [late, agent(8)], recorded=recorded, agents={"7": uid(5)})
    [row] = plain(other.prepared["devices"].rows)
    assert row["id"] == Context().derive("devices", "devices", uid(5))


def test_recorded_decisions_stay() -> None:
    """Recorded pairs, also of agents that are gone, are returned as they are."""
    recorded = [
        Decision("agents", "7", "pair_hostname", {"same_as": ["devices", uid(1)]}, uid(11)),
        Decision("agents", "8", "synthesized", {}, uid(88)),
        Decision("agents", "9", "synthesized", {}, uid(99)),
    ]
    found = decided(
        [device(1)], [agent(7), agent(8)], recorded=recorded, devices={uid(1): uid(11)}, agents={"8": uid(88)}
    )
    assert decisions(found) == {
        ("agents", "7"): ("pair_hostname", {"same_as": ["devices", uid(1)]}, uid(11)),
        ("agents", "8"): ("synthesized", {}, uid(88)),
        ("agents", "9"): ("synthesized", {}, uid(99)),
    }
    assert [row["id"] for row in plain(found.rows["agents"])] == [uid(88)]


def test_agent_whose_device_is_gone() -> None:
    """An agent whose device is gone gets a device of its own, not the row of the one that is gone."""
    recorded = [Decision("agents", "7", "pair_hostname", {"same_as": ["devices", uid(1)]}, uid(1))]
    found = decided([device(2)], [agent(7)], recorded=recorded, devices={uid(1): uid(1)}, agents={"7": uid(1)})
    assert decisions(found) == {("agents", "7"): ("synthesized", {}, synthesized(7))}
    assert [row["id"] for row in plain(found.rows["agents"])] == [synthesized(7)]


def test_pair_is_kept_when_all_devices_are_gone() -> None:
    """When a table is empty nothing is decided about it: the pair stays, with the id that was recorded."""
    recorded = [Decision("agents", "7", "pair_hostname", {"same_as": ["devices", uid(1)]}, uid(11))]
    assert decisions(decided([], [agent(7)], recorded=recorded))["agents", "7"][2] == uid(11)


def test_late_device_takes_over() -> None:
    """A new device that pairs with an agent on a synthesized one takes it over: both keys lead to the existing id."""
    recorded = [Decision("agents", "7", "synthesized", {}, uid(77))]
    rows = ([device(1, agent_uuid=uid(9007))], [agent(7, client="Acme", site="HQ")])
    found = decided(*rows, recorded=recorded, agents={"7": uid(77)})
    assert decisions(found) == {
        ("agents", "7"): ("synthesized", {}, uid(77)),
        ("devices", uid(1)): ("takes_over", {"agent": "7", "inherits": ["agents", "7"]}, uid(77)),
    }
    assert plain(found.rows["agents"]) == []
    row = plain(found.prepared["devices"].rows)[0]
    assert (row["id"], row["site_key"], row["uuid_of_agent"]) == (uid(77), '["acme","hq"]', uid(9007))
    assert reports(found) == {"device_taken_over": 1}
    again = decided(*rows, recorded=found.decisions, agents={"7": uid(77)}, devices={uid(1): uid(77)})
    assert decisions(again) == decisions(found)
    assert reports(again) == {"device_taken_over": 1}


def test_device_that_took_over_is_gone() -> None:
    """When the legacy device that took over is gone, the agent has the row back; when it returns, it has it again."""
    known = {"agents": {"7": uid(77)}, "devices": {uid(1): uid(77)}}
    taken = [
        Decision("agents", "7", "synthesized", {}, uid(77)),
        Decision("devices", uid(1), "takes_over", {"agent": "7", "inherits": ["agents", "7"]}, uid(77)),
    ]
    gone = decided([device(2)], [agent(7)], recorded=taken, **known)
    assert [row["id"] for row in plain(gone.rows["agents"])] == [uid(77)]
    assert decisions(gone) == {
        ("agents", "7"): ("synthesized", {"inherits": ["devices", uid(1)]}, uid(77)),
        ("devices", uid(1)): ("lapsed", {"agent": "7"}, uid(77)),
    }
    assert decisions(decided([device(2)], [agent(7)], recorded=gone.decisions, **known)) == decisions(gone)
    back = decided([device(1)], [agent(7)], recorded=gone.decisions, **known)
    assert plain(back.rows["agents"]) == []
    assert sorted(back.decisions, key=str) == sorted(taken, key=str)


def test_device_with_a_row_of_its_own_does_not_take_over() -> None:
    """A device that was migrated before keeps its row; that it would be paired today is reported."""
    recorded = [Decision("agents", "7", "synthesized", {}, uid(77))]
    known = {"agents": {"7": uid(77)}, "devices": {uid(1): uid(1)}}
    found = decided([device(1, agent_uuid=uid(9007))], [agent(7)], recorded=recorded, **known)
    assert set(decisions(found)) == {("agents", "7")}
    assert reports(found) == {"device_synthesized": 1, "pairing_would_change": 1}


@pytest.mark.parametrize(
    ("present", "is_taken"),
    [
        ({"id": uid(1), "site_id": uid(601), "hostname": "pc"}, True),
        ({"id": uid(1), "site_id": uid(601), "hostname": "PC"}, False),
        ({"id": uid(1), "site_id": uid(602), "hostname": "pc"}, False),
        ({"id": uid(2), "site_id": uid(601), "hostname": "pc"}, False),
    ],
    ids=["same", "another name", "another site", "of nobody"],
)
def test_the_hostname_of_a_device_that_legacy_lost_is_taken_while_its_row_is_there(
    present: dict[str, Any], is_taken: bool
) -> None:
    place = {"hostname": "pc", "client": "Acme", "site": "HQ"}
    lookups = PLACES | {("devices", "devices"): Lookup.of({uid(1): uid(1)})}
    found = decide(inputs([], [agent(7, **place)], present=[present]), StoredDecisions({}), Context(lookups=lookups))
    renamed = {"hostname": f"pc~{synthesized(7)[:8]}", "keeper": ["devices", uid(1)]}
    assert decisions(found)["agents", "7"][1] == (renamed if is_taken else {})


def test_hostname_is_recorded() -> None:
    """The loser of a hostname is recorded with its new name and the keeper, of legacy and synthesized devices alike."""
    place = {"hostname": "pc", "client": "Acme", "site": "HQ"}
    devices = [device(1, **place, seen=day(5)), device(2, **place), device(3, **place, seen=day(1))]
    found = decided(devices, [agent(7, **place)])
    keeper = ["devices", uid(1)]
    name = f"pc~{synthesized(7)[:8]}"
    assert decisions(found) == {
        ("agents", "7"): ("synthesized", {"hostname": name, "keeper": keeper}, None),
        ("devices", uid(2)): ("hostname", {"hostname": "pc~00000000", "keeper": keeper}, None),
        ("devices", uid(3)): ("hostname", {"hostname": "pc~00000000", "keeper": keeper}, None),
    }
    assert [row["new_hostname"] for row in plain(found.prepared["devices"].rows)] == [
        None,
        "pc~00000000",
        "pc~00000000",
    ]
    assert [row["new_hostname"] for row in plain(found.rows["agents"])] == [name]
    assert reports(found) == {"device_synthesized": 1, "hostname_renamed": 3}


def test_a_device_written_before_keeps_its_hostname() -> None:
    """A new device of an equal hostname is renamed, also when it was seen more recently."""
    place = {"hostname": "pc", "client": "Acme", "site": "HQ"}
    rows = [device(1, **place), device(2, seen=day(5), **place)]
    found = decided(rows, devices={uid(1): uid(1)})
    assert [key for (_, key), (rule, _, _) in decisions(found).items() if rule == "hostname"] == [uid(2)]


def test_recorded_hostname_lapses() -> None:
    """A recorded hostname lapses when nobody else wants it any more; while the keeper is there it stays."""
    values = {"hostname": "pc~00000000", "keeper": ["devices", uid(1)]}
    recorded = [Decision("devices", uid(2), "hostname", values)]
    place = {"hostname": "pc", "client": "Acme", "site": "HQ"}
    alone = decided([device(2, **place)], recorded=recorded)
    assert decisions(alone) == {("devices", uid(2)): ("lapsed", {}, None)}
    assert [row["new_hostname"] for row in plain(alone.prepared["devices"].rows)] == [None]
    assert decisions(decided([device(2, **place)], recorded=alone.decisions)) == decisions(alone)
    both = [device(1, **place), device(2, **place, seen=day(9))]
    assert decisions(decided(both, recorded=recorded)) == {("devices", uid(2)): ("hostname", values, None)}


def test_texts() -> None:
    """Each text that means a device is recorded with the way; others are not."""
    found = decided([device(1, agent_uuid=uid(9007))], [agent(7), agent(8)], [], ["7", "8", "nobody", uid(1)])
    texts = {key: value for (table, key), value in decisions(found).items() if table == "device_text"}
    assert texts == {
        "7": ("agent_id", {"way": "agent_id", "same_as": ["devices", uid(1)]}, uid(1)),
        "8": ("agent_id", {"way": "agent_id", "same_as": ["agents", "8"]}, synthesized(8)),
        uid(1): ("device_id", {"way": "device_id", "same_as": ["devices", uid(1)]}, uid(1)),
    }


def test_recorded_texts() -> None:
    """A recorded text stays while its device is there, or while nothing else is found; else it is resolved again."""
    there = Decision("device_text", "pc1", "hostname", {"way": "hostname", "same_as": ["devices", uid(2)]}, uid(2))
    gone = Decision("device_text", "pc1", "hostname", {"way": "hostname", "same_as": ["devices", uid(3)]}, uid(3))

    def text(devices: list[dict[str, Any]], recorded: Decision) -> str | None:
        return decisions(decided(devices, [], [], ["pc1"], recorded=[recorded]))["device_text", "pc1"][2]

    assert text([device(1), device(2)], there) == uid(2)
    assert text([device(1), device(2)], gone) == uid(1)
    assert text([device(2)], gone) == uid(3)
    other = Decision("device_text", "pc1", "agent_id", {"way": "agent_id", "same_as": ["devices", uid(3)]}, uid(3))
    for earlier in (gone, other):
        found = decided([device(1), device(2)], [], [], ["pc1"], recorded=[earlier])
        assert [one.new_key for one in found.decisions] == [uid(1)]


# --- rows -----------------------------------------------------------------------------------------------------------


def legacy_row(**values: object) -> dict[str, Any]:
    defaults = {"id": uid(1), "hostname": "pc1", "os": "windows", "arch": "x64", "status": "online", "user": None}
    return defaults | {"client": "Acme", "site": "HQ", "agent_uuid": None, "last_seen": day(1)} | values


def transformed(optional: frozenset[str] = frozenset(), rows: dict[str, Any] | None = None, **values: object) -> Batch:
    row = legacy_row(**values)
    found = decided([device(1, **{name: row[name] for name in ("hostname", "client", "site")})], **(rows or {}))
    context = Context(lookups=PLACES, prepared=found.prepared, optional=optional)
    return transform(batch_of({name: [value] for name, value in row.items()}, {"last_seen": TIMESTAMP}), context)


def test_target_row() -> None:
    """One legacy device becomes one device; user is primary_user, os operating_system; there is no client_id."""
    batch = transformed(user="kim")
    assert rows_of(batch) == [
        {
            KEY: uid(1),
            "id": uid(1),
            "site_id": uid(601),
            "hostname": "pc1",
            "operating_system": "windows",
            "architecture": "x64",
            "status": "online",
            "primary_user": "kim",
            "last_seen_at": day(1),
        }
    ]
    assert archived(batch) == []
    assert batch.warnings == {}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        *[(word, "x64") for word in ("x86_64", "amd64", "AMD64 ")],
        ("aarch64", "arm64"),
        *[(word, "x86") for word in ("i386", "i686")],
        *[(word, word) for word in ("x64", "arm64", "x86", "riscv", "")],
        (None, None),
    ],
)
def test_architecture(word: str | None, expected: str | None) -> None:
    """Known words become the application's, others stay; the original is archived where it changed."""
    batch = transformed(arch=word)
    assert rows_of(batch)[0]["architecture"] == expected
    assert archived(batch) == ([(uid(1), "arch", word, "architecture")] if word != expected else [])


def test_renamed_device_keeps_its_original_in_the_archive() -> None:
    """The original of a hostname that changed is archived; the status stays."""
    found = decided(
        [device(1, client="Acme", site="HQ"), device(2, hostname="pc1", client="Acme", site="HQ", seen=day(1))]
    )
    row = {name: [value] for name, value in legacy_row().items()}
    context = Context(lookups=PLACES, prepared=found.prepared)
    batch = transform(batch_of(row, {"last_seen": TIMESTAMP}), context)
    assert rows_of(batch)[0]["hostname"] == "pc1~00000000"
    assert rows_of(batch)[0]["status"] == "online"
    assert archived(batch) == [(uid(1), "hostname", "pc1", "hostname")]


def test_other_spellings_are_archived() -> None:
    """A client or site in another spelling than the recorded one is archived."""
    batch = transformed(client="ACME", site=" HQ")
    assert rows_of(batch)[0]["site_id"] == uid(601)
    assert archived(batch) == [(uid(1), "client", "ACME", "spelling"), (uid(1), "site", " HQ", "spelling")]


def test_place_that_is_not_there() -> None:
    """A device whose site is not there has none, which is counted; it waits for nobody."""
    batch = transformed(client="Beta")
    assert rows_of(batch)[0]["site_id"] is None
    assert batch.warnings == {"site_missing": 1}
    assert outcomes(batch) == {}
    assert transformed(client=None, site=None).warnings == {}


def test_client_id_where_the_target_has_it() -> None:
    """The optional column client_id is filled."""
    assert rows_of(transformed(frozenset({"client_id"})))[0]["client_id"] == uid(501)


@pytest.mark.parametrize("paired", [True, False])
def test_agent_uuid_of_another_agent_is_archived(paired: bool) -> None:
    """devices.agent_uuid has a home only where it is that of the agent on the device."""
    found = decided([device(1, agent_uuid=uid(9007))], [agent(7 if paired else 8)])
    row = {name: [value] for name, value in legacy_row(client=None, site=None, agent_uuid=uid(9007)).items()}
    batch = transform(batch_of(row, {"last_seen": TIMESTAMP}), Context(prepared=found.prepared))
    assert archived(batch) == ([] if paired else [(uid(1), "agent_uuid", uid(9007), "not_its_agent")])


def test_unknown_status_is_quarantined() -> None:
    """A status that the table of words does not know is quarantined; case and white space do not matter."""
    assert outcomes(transformed(status="asleep")) == {uid(1): ("quarantined", "unknown_word")}
    assert rows_of(transformed(status=" OFFLINE"))[0]["status"] == "offline"


def test_synthesized_row() -> None:
    """A synthesized device takes what the agent knows, and is offline."""
    values = {"client": "Acme", "site": "HQ", "logged_in_user": "kim", "seen": day(3), "arch": "amd64"}
    found = decided([], [agent(7, **values)])
    batch = transform_synthesized(
        Batch(found.rows["agents"]), Context(lookups=PLACES, optional=frozenset({"client_id"}))
    )
    assert rows_of(batch) == [
        {
            KEY: "7",
            "id": synthesized(7),
            "site_id": uid(601),
            "client_id": uid(501),
            "hostname": "host7",
            "operating_system": "linux",
            "architecture": "x64",
            "status": "offline",
            "primary_user": "kim",
            "last_seen_at": day(3),
        }
    ]


def test_synthesized_row_that_lost_its_hostname() -> None:
    """A synthesized device competes for its hostname like any other."""
    place = {"hostname": "pc", "client": "Acme", "site": "HQ"}
    found = decided([device(1, **place, seen=day(1)), device(2, **place)], [agent(7, **place)])
    batch = transform_synthesized(Batch(found.rows["agents"]), Context(lookups=PLACES))
    assert rows_of(batch)[0]["hostname"] == f"pc~{synthesized(7)[:8]}"


def test_synthesized_rows_have_the_columns_of_legacy_ones() -> None:
    """A device that takes a synthesized one over is compared with it, so both set the same columns."""
    made = transform_synthesized(Batch(decided([], [agent(7)]).rows["agents"]), Context())
    assert set(made.columns) == set(transformed().columns)


def test_declaration() -> None:
    """Adopted by site and hostname; the time, status and user of the last sign of life go together."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("site_id", "hostname")
    assert SPEC.activity == ("last_seen_at", "status", "primary_user")


@pytest.mark.parametrize(
    ("check_in", "status"), [("2024-05-01T09:55:00", "online"), ("2024-05-01T09:54:59", "offline"), (None, "offline")]
)
def test_nobody_is_online_at_the_cut_over_who_was_not_heard_of(check_in: str | None, status: str) -> None:
    """Its agent had checked in within five minutes before the fence; without an agent nobody would ever take it back."""
    seen = None if check_in is None else datetime.fromisoformat(f"{check_in}+00:00")
    found = decided([device(1, agent_uuid=uid(9007)), device(2)], [agent(7, seen=seen)])
    rows = [legacy_row(id=uid(number), client=None, site=None) for number in (1, 2)]
    batch = {name: [row[name] for row in rows] for name in rows[0]}

    def statuses(**options: str) -> list[str]:
        made = transform(batch_of(batch, {"last_seen": TIMESTAMP}), Context(prepared=found.prepared, options=options))
        return [row["status"] for row in rows_of(made)]

    assert statuses() == ["online", "online"]
    assert statuses(cut_over="2024-05-01T10:00:00+00:00") == [status, "offline"]
