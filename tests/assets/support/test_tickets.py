from datetime import UTC, datetime
from typing import Any

import pytest

from assets.support.tickets import PRIORITY, STATUS, decide, transform
from remoteiq_etl.frames.dtypes import INTEGER, TIMESTAMP, frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import SAME_AS, Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, outcomes, rows_of, uid

T1, T2, DEVICE = uid(1), uid(2), uid(50)
BOB = key_text(["email", "bob@example.com"])
LOOKUPS = {
    ("organizations", "derived"): Lookup.of({"default": uid(90)}),
    ("users", "users"): Lookup.of({uid(70): uid(70), uid(71): uid(71)}),
    ("clients", "derived"): Lookup.of(
        {"acme": uid(80)}, decisions={"acme": {"name": "Acme", "external_ref": uid(60)}, "beta": {"name": "Beta"}}
    ),
    ("sites", "derived"): Lookup.of(
        {key_text(["acme", "hq"]): uid(81)}, decisions={key_text(["acme", "hq"]): {"name": "HQ"}}
    ),
    ("devices", "devices"): Lookup.of({DEVICE: DEVICE, uid(51): uid(59)}),
    ("devices", "device_text"): Lookup.of({DEVICE: DEVICE, "win-1": DEVICE, uid(51): uid(59)}),
    ("contacts", "derived"): Lookup.of({BOB: uid(40)}, decisions={BOB: {"name": "Bob"}}),
    ("tickets", "tickets"): Lookup.of({}, decisions={T1: {"ticket_number": 107, "legacy_number": 7}}),
}
TIMES = ("created_at", "updated_at")
TICKET = {
    "id": T1,
    "number": 7,
    "title": " Printer ",
    "description": "on\nfire",
    "status": "open",
    "priority": "low",
    "created_at": datetime(2024, 1, 1, tzinfo=UTC),
    "updated_at": datetime(2024, 1, 2, tzinfo=UTC),
    **dict.fromkeys(("requester_name", "requester_email", "assignee_id", "assignee_user_id", "client", "site")),
    **dict.fromkeys(("device_id", "customer_id", "customer_uuid")),
}


def transformed(context: Context | None = None, **values: object) -> Batch:
    row = {name: [value] for name, value in {**TICKET, **values}.items()}
    batch = batch_of(row, {"number": INTEGER, **dict.fromkeys(TIMES, TIMESTAMP)})
    return transform(batch, context or Context(lookups=LOOKUPS, prepared={"closed_at": {}}))


def row_of(**values: object) -> dict[str, Any]:
    return rows_of(transformed(**values))[0]


def kept(**values: object) -> list[tuple[str, Any, str]]:
    return [entry[1:] for entry in archived(transformed(**values))]


def decided(
    tickets: list[tuple[str, int | None, int]],
    existing: list[tuple[str, str, int]] | None = None,
    recorded: list[Decision] | None = None,
    written: dict[str, str] | None = None,
) -> Decided:
    """Tickets as (id, number, day created), tickets of the target as (id, organization, number)."""
    ids, numbers, days = zip(*tickets, strict=True)
    created = [datetime(2024, 1, day, tzinfo=UTC) for day in days]
    rows = frame({"id": ids, "number": numbers, "created_at": created}, {"number": INTEGER, "created_at": TIMESTAMP})
    old = existing or []
    target = frame(
        {
            "id": [row[0] for row in old],
            "organization_id": [row[1] for row in old],
            "ticket_number": [row[2] for row in old],
            "closed_at": [None for _ in old],
        },
        {"ticket_number": INTEGER, "closed_at": TIMESTAMP},
    )
    known = StoredDecisions({(choice.legacy_table, choice.legacy_key): choice for choice in recorded or []})
    context = Context(lookups={**LOOKUPS, ("tickets", "tickets"): Lookup.of(written or {})})
    return decide({"tickets": rows, "target_tickets": target}, known, context)


def numbers(found: Decided) -> dict[str, tuple[str, int, int]]:
    return {
        choice.legacy_key: (choice.rule, choice.values["ticket_number"], choice.values["legacy_number"])
        for choice in found.decisions
        if choice.legacy_table == "tickets"
    }


def meant(found: Decided) -> dict[str, Any]:
    return {choice.legacy_key: choice.values[SAME_AS] for choice in found.decisions if choice.legacy_table == "number"}


def recorded_number(key: str, number: int, legacy_number: int) -> Decision:
    return Decision("tickets", key, "number_kept", {"ticket_number": number, "legacy_number": legacy_number})


def test_a_legacy_number_that_changes_later_is_archived() -> None:
    """A ticket keeps the number that it was given, and loses none."""
    assert row_of(number=8)["ticket_number"] == 107
    assert ("number", 8, "changed_number") in kept(number=8)
    assert kept(number=7) == []


def test_a_free_number_is_kept() -> None:
    """A legacy number that is free in the target organization is kept; another organization's do not matter."""
    found = decided([("a", 5, 1), ("b", 9, 2)], existing=[("x", uid(99), 5), ("y", uid(90), 4)])
    assert numbers(found) == {"a": ("number_kept", 5, 5), "b": ("number_kept", 9, 9)}


def test_the_earliest_of_equal_numbers_keeps_it() -> None:
    """All but the earliest by created_at and id get the next number above the highest."""
    found = decided([("c", 5, 1), ("b", 5, 1), ("a", 5, 2), ("d", 9, 3)])
    assert numbers(found) == {
        "b": ("number_kept", 5, 5),
        "c": ("number_duplicate", 10, 5),
        "a": ("number_duplicate", 11, 5),
        "d": ("number_kept", 9, 9),
    }


def test_above_the_highest_number_of_all_the_lowest_free_ones_are_given() -> None:
    """There is no next number above what a bigint holds."""
    highest = 2**63 - 1
    found = decided([("a", 1, 1), ("b", highest, 2), ("c", 1, 3), ("d", 3, 4), ("e", highest, 5)])
    assert {key: number for key, (_, number, _) in numbers(found).items()} == {
        "a": 1,
        "b": highest,
        "c": 2,
        "d": 3,
        "e": 4,
    }


def test_a_number_taken_in_the_target_is_replaced() -> None:
    """A number that a ticket of the target has is replaced by the next above the highest of both databases."""
    found = decided([("a", 5, 1), ("b", 6, 2)], existing=[("x", uid(90), 5), ("y", uid(90), 20)])
    assert numbers(found) == {"a": ("number_taken", 21, 5), "b": ("number_kept", 6, 6)}


def test_a_recorded_number_stands() -> None:
    """A number is given once: a later twin does not change it, and it is not given again."""
    known = recorded_number("a", 5, 5)
    found = decided([("a", 5, 2), ("b", 5, 1)], existing=[("a", uid(90), 5)], recorded=[known], written={"a": "a"})
    assert numbers(found) == {"a": ("number_kept", 5, 5), "b": ("number_taken", 6, 5)}
    assert found.decisions[0] is known


def test_a_recorded_number_above_all_is_not_given_again() -> None:
    """The next number is also above those that were given and are not written yet."""
    found = decided([("a", 5, 1), ("b", 5, 2)], recorded=[recorded_number("a", 30, 5)])
    assert numbers(found) == {"a": ("number_kept", 30, 5), "b": ("number_duplicate", 31, 5)}


def test_a_number_lost_before_the_ticket_was_written_is_given_anew() -> None:
    """A ticket that was never written gets another number when the target took its own meanwhile."""
    found = decided([("a", 5, 1)], existing=[("x", uid(90), 5)], recorded=[recorded_number("a", 5, 5)])
    assert numbers(found) == {"a": ("number_taken", 6, 5)}


def test_the_number_of_a_ticket_that_is_gone_is_remembered() -> None:
    """The recorded number of a ticket that is gone from legacy stays."""
    found = decided([("a", 1, 1)], recorded=[recorded_number("z", 8, 8)])
    assert numbers(found)["z"] == ("number_kept", 8, 8)


def test_a_number_in_a_subject_means_the_earliest_ticket() -> None:
    """[TICKET:#n] means the earliest ticket numbered n, decided once, and again when that one is gone."""
    tickets = [("b", 5, 2), ("a", 5, 1), ("c", 6, 1)]
    found = decided(tickets)
    assert meant(found) == {"5": ["tickets", "a"], "6": ["tickets", "c"]}
    assert {choice.rule for choice in found.decisions if choice.legacy_table == "number"} == {"legacy_number"}
    known = Decision("number", "5", "legacy_number", {SAME_AS: ["tickets", "b"]})
    assert meant(decided(tickets, recorded=[known]))["5"] == ["tickets", "b"]
    gone = Decision("number", "5", "legacy_number", {SAME_AS: ["tickets", "z"]})
    assert meant(decided(tickets, recorded=[gone]))["5"] == ["tickets", "a"]


def test_a_ticket_without_number_is_not_numbered() -> None:
    """A row that the source contract refuses takes part in no decision."""
    assert numbers(decided([("a", None, 1), ("b", 1, 1)])) == {"b": ("number_kept", 1, 1)}


def test_a_ticket_keeps_its_text_and_times() -> None:
    """The id is kept, the title becomes the subject, text and times are carried as they are."""
    row = row_of()
    assert (row["id"], row["organization_id"], row["ticket_number"]) == (T1, uid(90), 107)
    assert (row["subject"], row["description"]) == (" Printer ", "on\nfire")
    assert (row["created_at"], row["updated_at"]) == (TICKET["created_at"], TICKET["updated_at"])
    assert kept() == []


def test_an_id_that_may_not_be_kept_is_derived() -> None:
    """A uuid that the application refuses (here of version 7) gives an id derived from it."""
    refused = "00000000-0000-7000-8000-000000000001"
    context = Context(lookups=LOOKUPS, prepared={"closed_at": {}})
    assert rows_of(transformed(context, id=refused))[0]["id"] == context.derive("tickets", "tickets", refused)


def test_a_missing_time_is_filled_from_the_other() -> None:
    """A time that is missing is filled from the ticket's other time, and counted."""
    batch = transformed(created_at=None)
    assert rows_of(batch)[0]["created_at"] == TICKET["updated_at"]
    assert dict(batch.warnings) == {"created_at_filled": 1}
    batch = transformed(updated_at=None)
    assert rows_of(batch)[0]["updated_at"] == TICKET["created_at"]
    assert dict(batch.warnings) == {"updated_at_filled": 1}


@pytest.mark.parametrize(
    ("word", "label", "lossy"),
    [
        ("open", "open", False),
        (" New ", "open", True),
        ("in_progress", "pending", True),
        ("PENDING", "pending", False),
        ("waiting", "pending", True),
        ("on_hold", "pending", True),
        ("resolved", "resolved", False),
        ("Closed", "closed", False),
    ],
)
def test_status_words(word: str, label: str, lossy: bool) -> None:
    """Each status word has its label; one that says more than its label is archived."""
    assert row_of(status=word)["status"] == label
    assert kept(status=word) == ([("status", word, "lossy_word")] if lossy else [])


@pytest.mark.parametrize(
    ("word", "label", "lossy"),
    [
        ("low", "low", False),
        ("Medium", "normal", True),
        ("normal", "normal", False),
        ("high", "high", False),
        ("urgent", "urgent", False),
        ("critical", "urgent", True),
    ],
)
def test_priority_words(word: str, label: str, lossy: bool) -> None:
    """Each priority word has its label; one that says more than its label is archived."""
    assert row_of(priority=word)["priority"] == label
    assert kept(priority=word) == ([("priority", word, "lossy_word")] if lossy else [])


def test_an_unknown_word_is_quarantined_and_an_operator_can_teach_it() -> None:
    """A word that the table does not know is quarantined, unless the operator gave it a label."""
    assert outcomes(transformed(status="escalated")) == {T1: ("quarantined", "unknown_word")}
    assert outcomes(transformed(priority="P1")) == {T1: ("quarantined", "unknown_word")}
    words = {STATUS.name: {"escalated": "open"}, PRIORITY.name: {"p1": "urgent"}}
    context = Context(lookups=LOOKUPS, prepared={"closed_at": {}}, words=words)
    row = rows_of(transformed(context, status="escalated", priority="P1"))[0]
    assert (row["status"], row["priority"]) == ("open", "urgent")


def test_closed_at_is_set_once() -> None:
    """closed_at is updated_at when first seen closed, then left, and cleared when the ticket is open again."""
    assert row_of(status="closed")["closed_at"] == TICKET["updated_at"]
    assert row_of(status="resolved")["closed_at"] is None
    before = datetime(2023, 12, 24, tzinfo=UTC)
    lookups = {
        **LOOKUPS,
        ("tickets", "tickets"): Lookup.of({T1: T2}, decisions={T1: {"ticket_number": 7, "legacy_number": 7}}),
    }
    context = Context(lookups=lookups, prepared={"closed_at": {T2: before}})
    assert rows_of(transformed(context, status="closed"))[0]["closed_at"] == before
    assert rows_of(transformed(context, status="open"))[0]["closed_at"] is None


def test_closed_at_of_a_foreign_ticket_does_not_count() -> None:
    """A target ticket that is not mapped to ours says nothing about ours."""
    context = Context(lookups=LOOKUPS, prepared={"closed_at": {T1: TICKET["created_at"]}})
    assert rows_of(transformed(context, status="closed"))[0]["closed_at"] == TICKET["updated_at"]


def test_the_decide_step_tells_when_target_tickets_were_closed() -> None:
    """The times at which the target's tickets were closed are prepared by id; open ones are left out."""
    when = datetime(2024, 2, 1, tzinfo=UTC)
    tickets = frame({"id": [], "number": [], "created_at": []}, {"number": INTEGER, "created_at": TIMESTAMP})
    existing = frame(
        {"id": [T1, T2], "organization_id": [uid(90)] * 2, "ticket_number": [1, 2], "closed_at": [when, None]},
        {"ticket_number": INTEGER, "closed_at": TIMESTAMP},
    )
    found = decide({"tickets": tickets, "target_tickets": existing}, StoredDecisions(), Context(lookups=LOOKUPS))
    assert found.prepared == {"closed_at": {T1: int(when.timestamp()) * 1_000_000}}


def test_no_tickets_no_numbers() -> None:
    """Without any ticket on either side nothing is decided."""
    tickets = frame({"id": [], "number": [], "created_at": []}, {"number": INTEGER, "created_at": TIMESTAMP})
    existing = frame(
        {"id": [], "organization_id": [], "ticket_number": [], "closed_at": []},
        {"ticket_number": INTEGER, "closed_at": TIMESTAMP},
    )
    found = decide({"tickets": tickets, "target_tickets": existing}, StoredDecisions(), Context(lookups=LOOKUPS))
    assert (found.decisions, found.prepared) == ([], {"closed_at": {}})


def test_the_requester_becomes_a_contact() -> None:
    """The contact is found by address; what it does not repeat is archived."""
    values = {"requester_name": "Bob", "requester_email": "bob@example.com"}
    assert row_of(**values)["requester_contact_id"] == uid(40)
    assert kept(**values) == []
    other = {"requester_name": "Robert", "requester_email": "Bob <Bob@Example.com>"}
    assert row_of(**other)["requester_contact_id"] == uid(40)
    assert kept(**other) == [
        ("requester_email", "Bob <Bob@Example.com>", "original_form"),
        ("requester_name", "Robert", "other_name"),
    ]


def test_a_text_that_is_no_address_is_archived() -> None:
    """An e-mail without exactly one @ is archived; a blank requester leaves nothing."""
    assert kept(requester_email="bob at home") == [("requester_email", "bob at home", "not_an_address")]
    assert kept(requester_email="  ", requester_name=" ") == []
    assert row_of(requester_email="  ")["requester_contact_id"] is None


def test_a_contact_that_is_missing_does_not_hold_the_ticket() -> None:
    """Without its contact the ticket is carried; name and e-mail are archived once."""
    assert kept(requester_name="Jo", requester_email="jo@example.com") == [
        ("requester_email", "jo@example.com", "parent_missing"),
        ("requester_name", "Jo", "parent_missing"),
    ]
    assert kept(requester_email="Jo <jo@example.com>") == [("requester_email", "Jo <jo@example.com>", "parent_missing")]


@pytest.mark.parametrize(
    ("user", "other", "expected", "archive"),
    [
        (uid(70), None, uid(70), []),
        (None, uid(71), uid(71), []),
        (uid(70), uid(70), uid(70), []),
        (uid(70), uid(71), uid(70), [("assignee_id", uid(71), "unused_assignee")]),
        (None, uid(79), None, [("assignee_id", uid(79), "unused_assignee")]),
        (
            uid(79),
            uid(71),
            None,
            [("assignee_user_id", uid(79), "parent_missing"), ("assignee_id", uid(71), "unused_assignee")],
        ),
        (None, None, None, []),
    ],
)
def test_assignee(user: str | None, other: str | None, expected: str | None, archive: list[Any]) -> None:
    """assignee_user_id, else assignee_id when that user was migrated; what is not used is archived."""
    assert row_of(assignee_user_id=user, assignee_id=other)["assignee_user_id"] == expected
    assert kept(assignee_user_id=user, assignee_id=other) == archive


def test_the_device_is_found_by_any_of_its_texts() -> None:
    """A device text is archived unless it is the device's own legacy id."""
    assert row_of(device_id="win-1")["device_id"] == DEVICE
    assert kept(device_id="win-1") == [("device_id", "win-1", "device_text")]
    assert row_of(device_id=DEVICE)["device_id"] == DEVICE
    assert kept(device_id=DEVICE) == []
    assert row_of(device_id=uid(51))["device_id"] == uid(59)
    assert kept(device_id=uid(51)) == []


def test_a_device_that_cannot_be_found_is_left_out_and_counted() -> None:
    """An unresolvable device text gives no device; it is archived and warned about. Blank is no text."""
    batch = transformed(device_id="unknown")
    assert rows_of(batch)[0]["device_id"] is None
    assert archived(batch) == [(T1, "device_id", "unknown", "device_unresolved")]
    assert dict(batch.warnings) == {"device_unresolved": 1}
    blank = transformed(device_id="  ")
    assert (archived(blank), dict(blank.warnings)) == ([], {})


@pytest.mark.parametrize(
    ("client", "customer", "archive"),
    [
        ("Acme", "Acme", []),
        ("Acme", "Beta", [("customer_id", "Beta", "other_customer")]),
        ("Acme", uid(60), [("customer_id", uid(60), "other_customer")]),
        (None, uid(60), [("customer_id", uid(60), "other_customer")]),
        (None, "Acme", []),
        ("Acme", "  ", []),
        ("ACME", None, [("client", "ACME", "other_spelling")]),
        ("Unheard", None, [("client", "Unheard", "other_spelling")]),
    ],
)
def test_what_the_client_tag_does_not_repeat_is_archived(client: str, customer: str, archive: list[Any]) -> None:
    """A customer_id that is a uuid or differs from the client is archived; so is a spelling not recorded."""
    assert kept(client=client, customer_id=customer) == archive


def test_another_spelling_of_the_site_is_archived() -> None:
    """A site that is spelled otherwise than the recorded name is archived."""
    assert kept(client="Acme", site="HQ") == []
    assert kept(client="Acme", site=" hq") == [("site", " hq", "other_spelling")]


def test_a_customer_uuid_that_is_not_the_external_ref_is_archived() -> None:
    """customer_uuid is archived unless it is the external_ref of the ticket's client."""
    assert kept(client="Acme", customer_uuid=uid(60)) == []
    assert kept(client="Acme", customer_uuid=uid(61)) == [("customer_uuid", uid(61), "other_customer")]
    assert kept(client="Beta", customer_uuid=uid(60)) == [("customer_uuid", uid(60), "other_customer")]
    assert kept(customer_uuid=uid(60)) == [("customer_uuid", uid(60), "other_customer")]


def test_client_and_site_are_filled_where_the_target_has_the_columns() -> None:
    """The optional columns are filled only where they exist."""
    assert {"client_id", "site_id"}.isdisjoint(row_of(client="Acme", site="HQ"))
    optional = frozenset({"client_id", "site_id"})
    context = Context(lookups=LOOKUPS, prepared={"closed_at": {}}, optional=optional)
    row = rows_of(transformed(context, client="Acme", site="HQ"))[0]
    assert (row["client_id"], row["site_id"]) == (uid(80), uid(81))
