from datetime import UTC, datetime
from typing import Any

from assets.support.ticket_tags import SPEC, decide, transform
from remoteiq_etl.frames.dtypes import TIMESTAMP, frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.table import OWNER
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import batch_of, outcomes, rows_of, uid

T1, DEVICE = uid(1), uid(50)
MADE = datetime(2024, 1, 1, tzinfo=UTC)
HQ, LOOSE = key_text(["acme", "hq"]), key_text(["unassigned", "hq"])
LOOKUPS = {
    ("clients", "derived"): Lookup.of({}, decisions={"acme": {"name": "ACME"}}),
    ("sites", "derived"): Lookup.of({}, decisions={HQ: {"name": "H Q"}, LOOSE: {"name": "Hq"}}),
    ("devices", "device_text"): Lookup.of({"win-1": DEVICE}),
    ("tickets", "tickets"): Lookup.of({T1: T1}, decisions={T1: {"ticket_number": 7, "legacy_number": 7}}),
}
TICKET = {"id": T1, "created_at": MADE, "updated_at": None}
NOWHERE = {"client": Lookup.of({}), "site": Lookup.of({})}
AT_ACME = {"client": Lookup.of({DEVICE: "acme"}), "site": Lookup.of({DEVICE: "hq"})}


def transformed(
    prepared: dict[str, Lookup] = NOWHERE, lookups: dict[Any, Lookup] = LOOKUPS, **values: str | datetime | None
) -> Batch:
    row = {**TICKET, **dict.fromkeys(("client", "site", "customer_id", "device_id")), **values}
    batch = batch_of(
        {name: [value] for name, value in row.items()}, dict.fromkeys(("created_at", "updated_at"), TIMESTAMP)
    )
    return transform(batch, Context(lookups=lookups, prepared=prepared))


def tags(prepared: dict[str, Lookup] = NOWHERE, **values: str) -> list[str]:
    return [row["tag"] for row in rows_of(transformed(prepared, **values))]


def test_client_and_site_become_tags_with_the_recorded_names() -> None:
    """Client and site are tags in the recorded spelling, at the time of the ticket, owned by it."""
    rows = rows_of(transformed(client="acme ", site="hq"))
    assert [(row[KEY], row["tag"]) for row in rows] == [
        (key_text([T1, "client"]), "client:ACME"),
        (key_text([T1, "site"]), "site:H Q"),
    ]
    assert {(row[OWNER], row["ticket_id"], row["created_at"]) for row in rows} == {(T1, T1, MADE)}
    assert SPEC.replaces
    assert not SPEC.sources[0].primary


def test_customer_id_stands_in_for_a_blank_client() -> None:
    """The client tag takes customer_id where the client is blank; a site without client is unassigned."""
    assert tags(customer_id="Acme") == ["client:ACME"]
    assert tags(customer_id=uid(3)) == []
    assert tags(site="hq") == ["site:Hq"]


def test_a_name_that_nobody_recorded_is_carried_tidy() -> None:
    """A client or site without a recorded name is tagged as written, without accidental white space."""
    assert tags(client=" New  Co", site=" Annex ") == ["client:New Co", "site:Annex"]


def test_what_the_device_says_already_is_no_tag() -> None:
    """A client or site that the ticket's device has as well is not repeated."""
    assert tags(AT_ACME, client="Acme", site="HQ", device_id="win-1") == []
    assert tags(AT_ACME, client="Acme", site="Annex", device_id="win-1") == ["site:Annex"]
    assert tags(AT_ACME, client="Beta", site="HQ", device_id="win-1") == ["client:Beta", "site:HQ"]
    assert tags(AT_ACME, site="HQ", device_id="win-1") == []
    assert tags(AT_ACME, client="Acme", site="HQ") == ["client:ACME", "site:H Q"]


def test_a_ticket_with_another_number_is_tagged_with_its_legacy_number() -> None:
    """A ticket that could not keep its number has the tag legacy-number:<n>."""
    decisions = {T1: {"ticket_number": 107, "legacy_number": 7}}
    lookups = {**LOOKUPS, ("tickets", "tickets"): Lookup.of({T1: T1}, decisions=decisions)}
    rows = rows_of(transformed(lookups=lookups))
    assert [(row[KEY], row["tag"]) for row in rows] == [(key_text([T1, "legacy-number"]), "legacy-number:7")]


def test_every_ticket_is_known_as_owner() -> None:
    """A ticket without tags is still named as owner, so that the tags it had can go."""
    batch = transformed()
    assert outcomes(batch) == {
        key_text([T1, kind]): ("filtered", "no_tag") for kind in ("client", "site", "legacy-number")
    }
    assert batch.columns[OWNER].to_list() == [T1, T1, T1]


def test_tags_wait_for_their_ticket() -> None:
    """Tags of a ticket that is not there yet are held."""
    lookups = {**LOOKUPS, ("tickets", "tickets"): Lookup.of({})}
    batch = transformed(lookups=lookups, client="Acme")
    assert outcomes(batch)[key_text([T1, "client"])] == ("held", "parent_missing")
    assert {held.parent for held in batch.disposals.values() if held.rule == "parent_missing"} == {("tickets", T1)}


def test_a_missing_time_is_taken_from_the_update() -> None:
    """Tags date from the ticket's created_at, without one from its last update."""
    later = datetime(2024, 3, 1, tzinfo=UTC)
    assert rows_of(transformed(client="Acme", updated_at=later))[0]["created_at"] == MADE
    assert rows_of(transformed(client="Acme", created_at=None, updated_at=later))[0]["created_at"] == later


def test_a_device_says_what_itself_or_else_its_agent_says() -> None:
    """A device is where the survey of devices and agents finds it; one that is not in the target says nothing."""
    blank = dict.fromkeys(("device_id", "hostname", "os", "arch", "logged_in_user", "agent_uuid", "seen"))
    devices = [
        {"id": uid(1), "hostname": "a", "client": "Acme", "site": None, "agent_uuid": uid(31), "seen": None},
        {"id": uid(2), "hostname": "b", "client": None, "site": None, "agent_uuid": None, "seen": None},
        {"id": uid(3), "hostname": "c", "client": "Lost", "site": "HQ", "agent_uuid": None, "seen": None},
    ]
    agents = [
        {**blank, "id": "1", "client": None, "site": " HQ", "agent_uuid": uid(31), "device_id": "x", "hostname": "a"},
        {**blank, "id": "2", "client": "Beta", "site": None, "agent_uuid": uid(32), "device_id": "y", "hostname": "z"},
    ]
    inputs = {
        name: frame({column: [row[column] for row in rows] for column in rows[0]}, {"seen": TIMESTAMP})
        for name, rows in (("devices", devices), ("agents", agents))
    }
    lookups = {
        ("devices", "devices"): Lookup.of({uid(1): "D1", uid(2): "D2"}),
        ("devices", "agents"): Lookup.of({"1": "D1", "2": "D3"}),
    }
    found = decide(inputs, StoredDecisions(), Context(lookups=lookups)).prepared
    clients = dict(zip(found["client"].keys.to_pylist(), found["client"].new_keys.to_pylist(), strict=True))
    sites = dict(zip(found["site"].keys.to_pylist(), found["site"].new_keys.to_pylist(), strict=True))
    assert clients == {"D1": "acme", "D3": "beta"}
    assert sites == {"D1": "hq", "D3": "default"}
