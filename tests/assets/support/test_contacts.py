import json
from datetime import UTC, datetime
from typing import Any

import pytest

from assets.support.contacts import decide, transform
from assets.support.rules.requesters import address, contact_keys
from remoteiq_etl.frames.dtypes import TIMESTAMP, frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import plain, rows_of

COLUMNS = ("id", "requester_name", "requester_email", "client", "site", "customer_id", "created_at", "updated_at")
BOB = key_text(["email", "bob@example.com"])


def day(number: int) -> datetime:
    return datetime(2024, 1, number, tzinfo=UTC)


def ticket(number: int, **values: object) -> dict[str, Any]:
    return {**dict.fromkeys(COLUMNS), "id": f"t{number}", "created_at": day(number), **values}


def decided(*tickets: dict[str, Any], recorded: StoredDecisions | None = None) -> Decided:
    rows = frame(
        {name: [row[name] for row in tickets] for name in COLUMNS},
        {"created_at": TIMESTAMP, "updated_at": TIMESTAMP},
    )
    return decide({"tickets": rows}, recorded or StoredDecisions(), Context())


def contacts(*tickets: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row[KEY]: row for row in plain(decided(*tickets).rows["derived"])}


def choices(found: Decided) -> dict[str, tuple[str, str]]:
    return {choice.legacy_key: (choice.rule, choice.values["name"]) for choice in found.decisions}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bob@example.com", "bob@example.com"),
        ("  Bob@Example.COM ", "bob@example.com"),
        ("Bob <Bob@Example.com>", "bob@example.com"),
        ('"bob@home" < bob@example.com >', "bob@example.com"),
        ("<mailto> bob <bob@example.com>", "bob@example.com"),
        ("mailto:Bob@example.com", "bob@example.com"),
        ("MailTo: bob@example.com?subject=Help&cc=jo@example.com", "bob@example.com"),
        ("Bob <mailto:bob@example.com>", "bob@example.com"),
        ("bob@example.com>", "bob@example.com"),
        ("bob@example.com > >\n", "bob@example.com"),
        ("mailto:bob@example.com >", "bob@example.com"),
        ("what?@example.com", "what?@example.com"),
        ("mailto:", None),
        ("mailto:?to=bob@example.com", None),
        (">", None),
        ("bob", None),
        ("bob@a@b", None),
        ("@example.com", None),
        ("bob@", None),
        ("", None),
    ],
)
def test_the_address_is_the_one_in_brackets_trimmed_and_lower_cased(text: str, expected: str | None) -> None:
    """An e-mail is the address inside `Name <a@b>`; a text without exactly one @ is none."""
    assert address(text) == expected


def test_a_contact_goes_by_address_else_by_name() -> None:
    """One contact per e-mail, else one per normalised name; a blank requester is none."""
    tickets = frame(
        {
            "requester_email": ["Bob@example.com", "no address", " ", None],
            "requester_name": ["B", " Jo  DOE ", " ", None],
        }
    )
    assert plain(frame({"key": contact_keys(tickets)})) == [
        {"key": BOB},
        {"key": key_text(["name", "jo doe"])},
        {"key": None},
        {"key": None},
    ]


def test_the_name_used_most_often_wins() -> None:
    """The name of a contact is the one most used, of equals the first alphabetically; white space does not count."""
    email = "bob@example.com"
    often = [ticket(1, requester_email=email, requester_name="Bob"), ticket(2, requester_email=email)]
    often += [ticket(n, requester_email=email, requester_name=name) for n, name in ((3, "Robert"), (4, " Robert "))]
    found = decided(*often)
    assert choices(found) == {BOB: ("most_used_name", "Robert")}
    assert [choice.legacy_table for choice in found.decisions] == ["derived"]
    assert contacts(*often)[BOB]["name"] == "Robert"
    assert choices(decided(*often[:3])) == {BOB: ("most_used_name", "Bob")}


def test_without_a_name_the_local_part_stands_in() -> None:
    """A contact whose requesters never gave a name is called by the local part of the address."""
    assert choices(decided(ticket(1, requester_email="Bob@example.com"))) == {BOB: ("most_used_name", "bob")}


def test_a_recorded_name_stands() -> None:
    """A name once recorded is kept while somebody uses it, or nobody gives any; changes are counted."""
    known = {BOB: "Bobby", key_text(["name", "jo"]): "JO", key_text(["name", "gone"]): "Gone"}
    decisions = {
        ("derived", key): Decision("derived", key, "most_used_name", {"name": name}) for key, name in known.items()
    }
    email = {"requester_email": "bob@example.com"}
    tickets = [ticket(number, requester_name="Robert", **email) for number in (1, 2)]
    tickets += [ticket(3, requester_name="Bobby", **email), ticket(4, requester_name="Jo")]
    found = decided(*tickets, recorded=StoredDecisions(decisions))
    assert choices(found) == {
        BOB: ("most_used_name", "Bobby"),
        key_text(["name", "jo"]): ("most_used_name", "Jo"),
        key_text(["name", "gone"]): ("most_used_name", "Gone"),
    }
    assert found.warned == {"spelling_would_change": 1}
    nameless = decided(ticket(1, **email), recorded=StoredDecisions(decisions))
    assert choices(nameless)[BOB] == ("most_used_name", "Bobby")
    assert [row["name"] for row in plain(nameless.rows["derived"])] == ["Bobby"]
    assert nameless.warnings == []


def test_times_and_place_are_those_of_its_tickets() -> None:
    """created_at and updated_at are the first and last created_at; the place is that of the latest (created_at, id)."""
    email = "bob@example.com"
    row = contacts(
        ticket(5, id="b", requester_email=email, client=" Acme", site="HQ", created_at=day(5)),
        ticket(5, id="a", requester_email=email, client="Other", created_at=day(5)),
        ticket(2, id="c", requester_email=email, client="First", created_at=day(2)),
        ticket(9, id="d", requester_email=email, client="Timeless", created_at=None),
    )[BOB]
    assert (row["created_at"], row["updated_at"]) == (day(2), day(5))
    assert (row["client"], row["site"]) == ("acme", key_text(["acme", "hq"]))


def test_a_ticket_without_a_creation_counts_from_its_change() -> None:
    """A contact does not date from the load, and the latest ticket is told by the time that the ticket gets, too."""
    email = "bob@example.com"
    rows = contacts(
        ticket(1, requester_email=email, client="Acme"),
        ticket(2, requester_email=email, client="Beta", created_at=None, updated_at=day(7)),
    )
    assert (rows[BOB]["created_at"], rows[BOB]["updated_at"], rows[BOB]["client"]) == (day(1), day(7), "beta")


def test_customer_id_stands_in_for_a_blank_client() -> None:
    """customer_id is the client where client is blank and it is not a uuid; a site without client is unassigned."""
    rows = contacts(
        ticket(1, requester_name="One", client=" ", customer_id="Acme"),
        ticket(2, requester_name="Two", customer_id="00000000-0000-4000-8000-00000000000A", site="HQ"),
        ticket(3, requester_name="Three", client="Beta", customer_id="Acme"),
    )
    assert [row["client"] for row in rows.values()] == ["acme", None, "beta"]
    assert [row["site"] for row in rows.values()] == [None, key_text(["unassigned", "hq"]), None]


def test_a_contact_becomes_a_row_of_the_organization() -> None:
    """The id comes from the kind and the address or name; a contact by name has no e-mail."""
    context = Context(
        lookups={
            ("clients", "derived"): Lookup.of({"acme": "client-1"}),
            ("sites", "derived"): Lookup.of({key_text(["acme", "hq"]): "site-1"}),
            ("organizations", "derived"): Lookup.of({"default": "org-1"}),
        }
    )
    jo = key_text(["name", "jo"])
    found = decided(
        ticket(1, requester_email="bob@example.com", client="Acme", site="HQ"),
        ticket(2, requester_name="Jo", client="?"),
    )
    rows = rows_of(transform(Batch(found.rows["derived"]), context))
    assert [row["id"] for row in rows] == [
        context.derive("contacts", "derived", "email", "bob@example.com"),
        context.derive("contacts", "derived", "name", "jo"),
    ]
    assert [row[KEY] for row in rows] == [BOB, jo]
    assert [(row["organization_id"], row["name"], row["email"]) for row in rows] == [
        ("org-1", "bob", "bob@example.com"),
        ("org-1", "Jo", None),
    ]
    assert [json.loads(row["metadata"]) for row in rows] == [{"clientId": "client-1", "siteId": "site-1"}, {}]
    assert [(row["created_at"], row["updated_at"]) for row in rows] == [(day(1), day(1)), (day(2), day(2))]


def test_no_tickets_no_contacts() -> None:
    """Without tickets there are no contacts."""
    found = decided()
    assert found.decisions == []
    assert rows_of(transform(Batch(found.rows["derived"]), Context())) == []
