import json
from typing import Any

import pytest

from assets.inventory.agents import SPEC, decide, transform
from remoteiq_etl.frames.dtypes import INTEGER, TIMESTAMP
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, outcomes, rows_of, uid, waits
from tests.assets.inventory.rows import agent, day, device, inputs

LOOKUPS = {
    ("devices", "agents"): Lookup.of({"7": uid(1)}, decisions={"7": {"same_as": ["devices", uid(1)]}}),
    ("clients", "derived"): Lookup.of(
        {"acme": uid(501), "beta": uid(502)}, decisions={"acme": {"name": "Acme"}, "beta": {"name": "Beta"}}
    ),
    ("sites", "derived"): Lookup.of(
        {'["acme","hq"]': uid(601), '["beta","lab"]': uid(602)},
        decisions={'["acme","hq"]': {"name": "HQ"}, '["beta","lab"]': {"name": "Lab"}},
    ),
}


def transformed(optional: frozenset[str] = frozenset(), **values: object) -> Batch:
    defaults: dict[str, Any] = {
        "id": 7,
        "device_id": "win-1",
        "hostname": "pc1",
        "os": "windows",
        "arch": "x64",
        "version": "2.1",
        "last_seen_at": day(3),
        "created_at": day(1),
        "updated_at": day(2),
        "token_hash": None,
        "client": "Acme",
        "site": "HQ",
        "primary_ip": None,
        "logged_in_user": None,
        "facts": "{}",
        "agent_uuid": uid(9007),
    }
    row = defaults | values
    place = {"client": row["client"], "site": row["site"]}
    rows = inputs([device(1, client="Acme", site="HQ")], [agent(row["id"], **place)])
    context = Context(lookups=LOOKUPS, optional=optional)
    prepared = decide(rows, StoredDecisions(), context).prepared
    dtypes = {"id": INTEGER, **dict.fromkeys(("last_seen_at", "created_at", "updated_at"), TIMESTAMP)}
    batch = batch_of({name: [value] for name, value in row.items()}, dtypes)
    return transform(batch, Context(lookups=LOOKUPS, optional=optional, prepared=prepared))


def facts(**values: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rows_of(transformed(**values))[0]["facts"])
    return found


def kept(batch: Batch) -> list[tuple[str, str, Any, str]]:
    """What is archived besides the hostname, for which a target without the optional column has no place."""
    return [entry for entry in archived(batch) if entry[1] != "hostname"]


def test_target_row() -> None:
    """One legacy agent becomes one agent with a derived id on its device; last_check_in_at is last_seen_at."""
    batch = transformed()
    row = rows_of(batch)[0]
    row.pop("facts")
    assert row == {
        KEY: "7",
        "id": Context().derive("agents", "agents", "7"),
        "device_id": uid(1),
        "agent_uuid": uid(9007),
        "version": "2.1",
        "last_check_in_at": day(3),
        "created_at": day(1),
        "updated_at": day(2),
    }
    assert kept(batch) == []
    assert batch.warnings == {}


def test_agent_whose_device_is_not_there() -> None:
    """An agent waits for its device."""
    batch = transformed(id=8)
    assert outcomes(batch) == {"8": ("held", "parent_missing")}
    assert [parent for parent, _ in waits(batch).values()] == [("devices", "8")]


def test_facts() -> None:
    """The facts gain what the application reads there; user and logged_in_user are both the logged in user."""
    assert facts(facts='{"cpu":"8"}', primary_ip="192.0.2.7", logged_in_user="kim") == {
        "cpu": "8",
        "os": "windows",
        "arch": "x64",
        "primary_ip": "192.0.2.7",
        "user": "kim",
        "logged_in_user": "kim",
        "hostname": "pc1",
        "deviceKey": "win-1",
    }


def test_columns_win_over_facts() -> None:
    """A column wins over a fact of that name, which moves to legacyValues; a null column leaves it."""
    found = facts(facts='{"os":"bsd","arch":"x64","user":"lee"}')
    assert (found["os"], found["user"], found["legacyValues"]) == ("windows", "lee", {"os": "bsd"})
    assert "primary_ip" not in found
    assert "logged_in_user" not in found


def test_facts_that_are_no_object() -> None:
    """Facts that are no object become one."""
    assert facts(facts="[1]")["value"] == [1]


@pytest.mark.parametrize("optional", [True, False])
def test_token_hash(optional: bool) -> None:
    """A token goes to the optional column; without it it is archived, and the agent must enrol again: reported."""
    batch = transformed(frozenset({"token_hash"} if optional else ()), token_hash="t0ken")
    assert rows_of(batch)[0].get("token_hash") == ("t0ken" if optional else None)
    assert kept(batch) == ([] if optional else [("7", "token_hash", "t0ken", "must_enrol_again")])
    assert batch.warnings == ({} if optional else {"agent_must_enrol_again": 1})


def test_hostname_where_the_target_has_it() -> None:
    """The optional column hostname is filled; without it the hostname is archived."""
    assert rows_of(transformed(frozenset({"hostname"})))[0]["hostname"] == "pc1"
    assert ("7", "hostname", "pc1", "no_optional_column") not in archived(transformed(frozenset({"hostname"})))
    assert "hostname" not in rows_of(transformed())[0]
    assert ("7", "hostname", "pc1", "no_optional_column") in archived(transformed())


def test_other_place_than_the_device() -> None:
    """Client and site that differ from the device's are archived, also by spelling alone; blanks are not."""
    assert kept(transformed(client="Beta", site="Lab")) == [
        ("7", "client", "Beta", "differs_from_device"),
        ("7", "site", "Lab", "differs_from_device"),
    ]
    assert kept(transformed(client="ACME")) == [("7", "client", "ACME", "differs_from_device")]
    assert kept(transformed(client=" ", site=None)) == []


def test_place_where_the_target_has_columns_for_it() -> None:
    """The optional columns hold the agent's own client and site."""
    optional = frozenset({"client_id", "site_id"})
    batch = transformed(optional, client="Beta", site="Lab")
    assert (rows_of(batch)[0]["client_id"], rows_of(batch)[0]["site_id"]) == (uid(502), uid(602))
    assert kept(batch) == []
    row = rows_of(transformed(optional, client=None, site=None))[0]
    assert (row["client_id"], row["site_id"]) == (None, None)


def test_a_missing_time_is_the_earliest_or_latest_other_one() -> None:
    """An infinite time is none, so a column that legacy requires may miss."""
    batch = transformed(created_at=None, updated_at=day(4), last_seen_at=day(3))
    assert rows_of(batch)[0]["created_at"] == day(3)
    assert batch.warnings["created_at_filled"] == 1
    batch = transformed(created_at=day(2), updated_at=None, last_seen_at=day(3))
    assert rows_of(batch)[0]["updated_at"] == day(3)
    assert batch.warnings["updated_at_filled"] == 1


def test_declaration() -> None:
    """Adopted by agent_uuid; version and facts go with the last check in."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("agent_uuid",)
    assert SPEC.activity == ("last_check_in_at", "version", "facts")
