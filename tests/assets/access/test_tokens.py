"""Trusted devices, personal access tokens and login challenges."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from assets.access import login_challenges, personal_access_tokens, trusted_devices
from assets.access.rules import owners
from remoteiq_etl.frames.dtypes import TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import batch_of, micros, outcomes, rows_of, uid, waits

T1, T2, T3 = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))
A, USER = uid(1), uid(51)
ODD = "00000000-0000-0000-8000-000000000001"
TIMES = dict.fromkeys(("created_at", "expires_at", "last_used_at", "revoked_at"), TIMESTAMP)
DEVICE = {"id": A, "user_id": USER, "device_fingerprint": "print", "created_at": T1, "expires_at": T3}
TOKEN = {
    "id": A,
    "user_id": USER,
    "name": "CI",
    "token_hash": "hash",
    "created_at": T1,
    "last_used_at": T2,
    "revoked_at": T3,
}
CHALLENGE = {"id": A, "user_id": USER, "created_at": T1}


def context(adopted: bool = False, **prepared: object) -> Context:
    users = Lookup.of({USER: uid(91)}, adopted=frozenset({USER} if adopted else ()))
    return Context(lookups={("users", "users"): users}, prepared={"owner_created_at": {}, **prepared})


def one(row: dict[str, Any]) -> Batch:
    return batch_of({name: [value] for name, value in row.items()}, TIMES)


def test_trusted_device() -> None:
    """Trust ends when it ended in legacy: last seen 2160 hours before, whatever the clocks did."""
    assert rows_of(trusted_devices.transform(one(DEVICE), context())) == [
        {
            KEY: A,
            "id": A,
            "user_id": uid(91),
            "device_fingerprint": "print",
            "last_seen_at": T3 - timedelta(hours=2160),
            "created_at": T1,
        }
    ]


def test_trusted_device_of_an_adopted_user() -> None:
    """An adopted user gets no trusted device from us."""
    found = trusted_devices.transform(one(DEVICE), context(adopted=True))
    assert outcomes(found) == {A: ("filtered", "adopted_user")}


def test_login_challenge_of_an_adopted_user() -> None:
    """An adopted user gets no login challenge from us, not even one that is over."""
    found = login_challenges.transform(one(CHALLENGE), context(adopted=True))
    assert outcomes(found) == {A: ("filtered", "adopted_user")}


def test_trust_without_an_end() -> None:
    """A device whose expiry no calendar holds is quarantined: a default would trust it anew."""
    found = trusted_devices.transform(one({**DEVICE, "expires_at": None}), context())
    assert outcomes(found) == {A: ("quarantined", "expiry_unknown")}
    assert waits(found) == {A: (None, ("expires_at",))}


def test_personal_access_token() -> None:
    """The name becomes the description; everything else is carried as it is."""
    assert rows_of(personal_access_tokens.transform(one(TOKEN), context(owner_created_at={}))) == [
        {
            KEY: A,
            "id": A,
            "user_id": uid(91),
            "description": "CI",
            "token_hash": "hash",
            "last_used_at": T2,
            "revoked_at": T3,
            "created_at": T1,
        }
    ]


def test_token_of_an_adopted_user() -> None:
    """An adopted user gets no token from us."""
    found = personal_access_tokens.transform(one(TOKEN), context(adopted=True, owner_created_at={}))
    assert outcomes(found) == {A: ("filtered", "adopted_user")}


def test_token_without_created_at() -> None:
    """A missing created_at becomes the token's earliest other time, else the time its user was created."""
    owners = {"owner_created_at": {A: T1}}
    used = {**TOKEN, "created_at": None}
    found = personal_access_tokens.transform(one(used), context(**owners))
    assert rows_of(found)[0]["created_at"] == T2
    assert found.warnings == {"created_at_filled": 1}
    found = personal_access_tokens.transform(one({**used, "last_used_at": None}), context(**owners))
    assert rows_of(found)[0]["created_at"] == T3
    unused = {**used, "last_used_at": None, "revoked_at": None}
    assert rows_of(personal_access_tokens.transform(one(unused), context(**owners)))[0]["created_at"] == T1


def test_token_owners() -> None:
    """The decide step knows when the users of tokens without a time were created."""
    inputs: dict[str, pd.DataFrame] = {
        "owners": frame({"id": [A], "owner_created_at": [T1]}, {"owner_created_at": TIMESTAMP})
    }
    decided = owners.decide(inputs, StoredDecisions(), Context())
    assert decided.prepared == {"owner_created_at": {A: micros(T1)}}


def test_login_challenge() -> None:
    """A challenge expires ten minutes after it was made and cannot be answered."""
    assert rows_of(login_challenges.transform(one(CHALLENGE), context())) == [
        {
            KEY: A,
            "id": A,
            "user_id": uid(91),
            "challenge": "!",
            "expires_at": T1 + timedelta(minutes=10),
            "created_at": T1,
        }
    ]


def test_challenge_without_created_at() -> None:
    """It dates from when its user was created, so that it is over as well."""
    found = login_challenges.transform(one({**CHALLENGE, "created_at": None}), context(owner_created_at={A: T2}))
    (challenge,) = rows_of(found)
    assert (challenge["created_at"], challenge["expires_at"]) == (T2, T2 + timedelta(minutes=10))
    assert found.warnings == {"created_at_filled": 1}


def test_trusted_device_without_created_at() -> None:
    """The only other time of it stands in."""
    found = trusted_devices.transform(one({**DEVICE, "created_at": None}), context())
    assert rows_of(found)[0]["created_at"] == T3


def test_rejected_uuids_are_derived() -> None:
    """A uuid that the application rejects is derived, from its own legacy table."""
    (device,) = rows_of(trusted_devices.transform(one({**DEVICE, "id": ODD}), context()))
    (token,) = rows_of(personal_access_tokens.transform(one({**TOKEN, "id": ODD}), context(owner_created_at={})))
    (challenge,) = rows_of(login_challenges.transform(one({**CHALLENGE, "id": ODD}), context()))
    derive = Context().derive
    assert device["id"] == derive("trusted_devices", "trusted_devices", ODD)
    assert token["id"] == derive("personal_access_tokens", "personal_tokens", ODD)
    assert challenge["id"] == derive("login_challenges", "login_challenges", ODD)


def test_parents_hold() -> None:
    """Each of the three waits for its user."""
    nobody = Context(prepared={"owner_created_at": {}})
    for module, row in ((trusted_devices, DEVICE), (personal_access_tokens, TOKEN), (login_challenges, CHALLENGE)):
        found = module.transform(one(row), nobody)
        assert outcomes(found) == {A: ("held", "parent_missing")}
        assert waits(found) == {A: (("users", USER), ("user_id",))}


def test_declarations() -> None:
    """None of them is adopted; the last use of a token stands outside the comparison."""
    assert personal_access_tokens.SPEC.activity == ("last_used_at",)
    for module in (trusted_devices, personal_access_tokens, login_challenges):
        assert module.SPEC.adopt is None
        assert module.SPEC.lookups == (("users", "users"),)
