from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from assets.access.users import SPEC, decide, split_names, transform
from remoteiq_etl.frames.dtypes import BOOLEAN, TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.table import CHANGED_AT
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy
from tests.assets.builders import archived, batch_of, outcomes, rows_of, uid, waits

T1, T2, T3, T4 = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4))
Words = Mapping[str, Mapping[str, str]]
NO_WORDS: Words = {}
A, B, C = uid(1), uid(2), uid(3)
TIMES = dict.fromkeys(("created_at", "updated_at", "last_seen", "password_updated_at"), TIMESTAMP)
DTYPES = {**TIMES, "suspended": BOOLEAN, "two_factor_enabled": BOOLEAN}
ACCOUNT = {
    "email": "ann@example.com",
    "status": "active",
    "suspended": False,
    "password_hash": "$2b$10$invented",
    "last_seen": None,
    "created_at": T1,
}


def decided(
    *accounts: dict[str, Any],
    sessions: dict[str, datetime] | None = None,
    recorded: StoredDecisions | None = None,
    words: dict[str, dict[str, str]] | None = None,
) -> Decided:
    """Accounts with ids A, B, C in turn, unless they say otherwise."""
    rows = [{"id": uid(number + 1), **ACCOUNT, **account} for number, account in enumerate(accounts)]
    columns = ["id", *ACCOUNT]
    inputs: dict[str, pd.DataFrame] = {
        "users": frame({column: [row[column] for row in rows] for column in columns}, DTYPES),
        "sessions": frame(
            {"user_id": list(sessions or {}), "last_seen_at": list((sessions or {}).values())},
            {"last_seen_at": TIMESTAMP},
        ),
    }
    return decide(inputs, recorded or StoredDecisions(), Context(words=words or {}))


def losers(*accounts: dict[str, Any], **more: object) -> frozenset[str]:
    return decided(*accounts, **more).prepared["losers"]  # type: ignore[arg-type]


def test_addresses_equal_after_trimming_and_lower_casing() -> None:
    """Accounts whose addresses are equal trimmed and lower-cased are one; others and blank ones are none."""
    (decision,) = decided({"email": "Ann@Example.com "}, {"email": "ann@example.com"}).decisions
    assert decision.rule == "best_account"
    assert losers({"email": "Ann@Example.com "}, {"email": "ann@example.com"}) == {B}
    assert losers({"email": "ann@example.com"}, {"email": "bob@example.com"}) == frozenset()
    assert losers({"email": " "}, {"email": ""}) == frozenset()


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ({"status": "invited"}, {"status": "active", "password_hash": None}),
        ({"status": "invited"}, {"status": "active", "suspended": None, "password_hash": None}),
        ({"status": "suspended", "last_seen": T3}, {"status": "invited", "password_hash": None}),
        ({"status": "active", "suspended": True}, {"status": "invited", "password_hash": None}),
        ({"status": "unheard of"}, {"status": "suspended", "password_hash": None}),
        ({"status": "unheard of", "suspended": True}, {"status": "suspended", "password_hash": None}),
        ({"password_hash": None, "last_seen": T3}, {}),
        *[({"password_hash": blank, "last_seen": T3}, {}) for blank in ("", "\n", " \t\r\n", "\u00a0\u3000")],
        ({"last_seen": T2, "created_at": T1}, {"last_seen": T3, "created_at": T2}),
        ({"last_seen": None, "created_at": T1}, {"last_seen": T3, "created_at": T2}),
        ({"created_at": T2}, {"created_at": T1}),
        ({"id": C}, {"id": A}),
    ],
)
def test_winner(worse: dict[str, Any], better: dict[str, Any]) -> None:
    """Active before invited before suspended, then with a password, last seen, the oldest, the lowest id."""
    worse, better = {"id": A, **worse}, {"id": B, **better}
    assert losers(worse, better) == {worse["id"]}
    assert losers(better, worse) == {worse["id"]}


def test_sessions_count_as_seen() -> None:
    """The latest of last_seen and the sessions' times decides."""
    assert losers({"last_seen": T2}, {"last_seen": T1}, sessions={B: T3}) == {A}
    assert losers({"last_seen": T4}, {"last_seen": T1}, sessions={B: T3}) == {B}
    assert losers({}, {}, sessions={B: T3}) == {A}


def test_operators_words_rank() -> None:
    """A word that an operator maps ranks as its label."""
    words = {"users.status": {"enabled": "active"}}
    assert losers({"status": "invited"}, {"status": "enabled"}, words=words) == {A}
    assert losers({"status": "invited"}, {"status": "enabled"}) == {B}


def test_winner_sticks() -> None:
    """A recorded winner keeps the address although a better account has come."""
    known = Decision("users.email", "ann@example.com", "best_account", {"winner": A})
    recorded = StoredDecisions({("users.email", "ann@example.com"): known})
    found = decided({"status": "suspended"}, {}, recorded=recorded)
    assert found.prepared["losers"] == {B}
    assert found.decisions == [known]
    assert found.warned == {"decided_otherwise_today": 1}


# --- rows ---------------------------------------------------------------------------------------------------------


def batch(*users: dict[str, Any]) -> Batch:
    base = {
        "name": "Ann Lee",
        "email": "ann@example.com",
        "role": "Tech",
        "status": "active",
        "suspended": False,
        "two_factor_enabled": False,
        "password_hash": "$2b$10$invented",
        "created_at": T1,
        "updated_at": T3,
        "last_seen": T2,
        "password_updated_at": T2,
    }
    rows = [{**base, "id": uid(number + 1), **user} for number, user in enumerate(users)]
    names = [column.name for column in legacy.users.columns if column.name != "two_factor_recovery_codes"]
    return batch_of({name: [row.get(name) for row in rows] for name in names}, DTYPES)


def run(
    *users: dict[str, Any], optional: tuple[str, ...] = (), losers: tuple[str, ...] = (), words: Words = NO_WORDS
) -> Batch:
    context = Context(prepared={"losers": frozenset(losers)}, optional=frozenset(optional), words=words)
    return transform(batch(*users), context)


def test_target_row() -> None:
    """The id, the hash and the times are carried as they are."""
    assert rows_of(run({})) == [
        {
            KEY: A,
            "id": A,
            "organization_id": Context().organization_id,
            "email": "ann@example.com",
            "password_hash": "$2b$10$invented",
            CHANGED_AT: T2,
            "first_name": "Ann",
            "last_name": "Lee",
            "status": "active",
            "last_seen_at": T2,
            "created_at": T1,
            "updated_at": T3,
        }
    ]


def test_email() -> None:
    """The address is trimmed and lower-cased, the original archived where it differs."""
    found = run({"email": " Ann@Example.COM"}, {"email": "bob@example.com"})
    assert [row["email"] for row in rows_of(found)] == ["ann@example.com", "bob@example.com"]
    assert [kept for kept in archived(found) if kept[1] == "email"] == [(A, "email", " Ann@Example.COM", "normalised")]


def test_accounts_that_lost_are_quarantined() -> None:
    """An account that lost its address, or has none, is quarantined."""
    found = run({}, {}, {"email": " "}, losers=(B,))
    assert outcomes(found) == {
        B: ("quarantined", "duplicate_email"),
        C: ("quarantined", "blank_email"),
    }
    assert waits(found) == {B: (None, ("email",)), C: (None, ("email",))}
    assert found.disposals[1].detail == "another account has this address and keeps it"


@pytest.mark.parametrize(
    ("status", "suspended", "expected", "kept"),
    [
        ("active", False, "active", []),
        (" Invited ", False, "invited", []),
        ("suspended", False, "disabled", []),
        ("suspended", True, "disabled", []),
        ("active", True, "disabled", ["active"]),
        ("invited", True, "disabled", ["invited"]),
        ("active", None, "active", []),
    ],
)
def test_status(status: str, suspended: bool | None, expected: str, kept: list[str]) -> None:
    """The flag or the status `suspended` disables; a status that the flag hides is archived."""
    found = run({"status": status, "suspended": suspended})
    assert rows_of(found)[0]["status"] == expected
    assert [entry for entry in archived(found) if entry[1] == "status"] == [
        (A, "status", value, "suspended_flag") for value in kept
    ]
    unset = [entry for entry in archived(found) if entry[1] == "suspended"]
    assert bool(unset) is (status.strip().lower() == "suspended" and suspended is False), unset


def test_unknown_status() -> None:
    """A status that the map does not know is quarantined, unless an operator has mapped it."""
    assert outcomes(run({"status": "limbo"})) == {A: ("quarantined", "unknown_word")}
    assert rows_of(run({"status": "limbo"}, words={"users.status": {"limbo": "disabled"}}))[0]["status"] == "disabled"


def test_missing_passwords() -> None:
    """A null or blank hash becomes `!`, which no password matches."""
    found = rows_of(run({"password_hash": None}, {"password_hash": ""}, {"password_hash": " "}))
    assert [row["password_hash"] for row in found] == ["!", "!", "!"]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Ann Lee", "Ann", "Lee"),
        (" Mary  Jane Watson\t", "Mary  Jane", "Watson"),
        ("Cher", "Cher", None),
        ("  ", None, None),
        (None, None, None),
    ],
)
def test_names(name: str | None, first: str | None, last: str | None) -> None:
    """The last word is the last name, the rest the first name; a single word is a first name."""
    firsts, lasts = split_names(frame({"name": [name]})["name"])
    assert [None if pd.isna(value) else value for value in (firsts[0], lasts[0])] == [first, last]


OPTIONAL = (
    "name",
    "phone",
    "address1",
    "address2",
    "city",
    "state",
    "postal",
    "country",
    "timezone",
    "locale",
    "avatar_url",
    "avatar_thumb_url",
)


def test_optional_columns() -> None:
    """Each of the twelve optional columns is filled where the target has it, else archived."""
    values = {name: f"some {name}" for name in OPTIONAL}
    found = run(values)
    assert sorted(archived(found)) == sorted((A, name, f"some {name}", "no_optional_column") for name in OPTIONAL)
    found = run(values, optional=OPTIONAL)
    assert archived(found) == []
    assert {name: rows_of(found)[0][name] for name in OPTIONAL} == values


def test_missing_times() -> None:
    """A missing created_at becomes the earliest, a missing updated_at the latest other time; both are counted."""
    found = run({"created_at": None, "updated_at": None, "last_seen": T2, "password_updated_at": T3})
    assert [(row["created_at"], row["updated_at"]) for row in rows_of(found)] == [(T2, T3)]
    assert found.warnings == {"created_at_filled": 1, "updated_at_filled": 1}


def test_ids_that_the_application_rejects() -> None:
    """A uuid of no known version is derived."""
    odd = "00000000-0000-0000-8000-000000000001"
    assert rows_of(run({"id": odd}))[0]["id"] == Context().derive("users", "users", odd)


def test_declaration() -> None:
    """A user is recognised by the address; password and status of an adopted user are never filled."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("organization_id", "email")
    assert SPEC.adopt.never_filled == ("password_hash", "status")
    assert SPEC.activity == ("last_seen_at",)
    assert [value_map.name for value_map in SPEC.value_maps] == ["users.status"]
    assert {table.name for table in SPEC.legacy_reads} == {"sessions"}
