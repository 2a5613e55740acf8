from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from assets.access.rules.totp import Secret, hashed_code, read_secret
from assets.access.user_security import SPEC, transform
from remoteiq_etl.frames.dtypes import BOOLEAN, TEXT_LIST, TIMESTAMP
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, outcomes, rows_of, uid, waits

T1, T2, T3 = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))
A, B = uid(1), uid(2)
DTYPES = {
    **dict.fromkeys(("created_at", "updated_at", "last_seen", "password_updated_at"), TIMESTAMP),
    "two_factor_enabled": BOOLEAN,
    "two_factor_recovery_codes": TEXT_LIST,
}
URI = "otpauth://totp/Example:ann@example.com?secret=jbsw%20y3dp&issuer=Example"


def run(*users: dict[str, Any], known: Lookup | None = None) -> Batch:
    base = {
        "two_factor_enabled": True,
        "two_factor_secret": "JBSWY3DP",
        "totp_secret": "STALE",
        "two_factor_recovery_codes": [],
        "password_updated_at": T2,
        "created_at": T1,
        "updated_at": T3,
        "last_seen": T2,
    }
    rows = [{**base, "id": uid(number + 1), **user} for number, user in enumerate(users)]
    columns = {name: [row[name] for row in rows] for name in ("id", *base)}
    lookup = known or Lookup.of({uid(number + 1): uid(number + 1) for number in range(len(users))})
    return transform(batch_of(columns, DTYPES), Context(lookups={("users", "users"): lookup}))


def test_target_row() -> None:
    """There is one row for every user; the stale second secret is not carried."""
    found = run({"two_factor_recovery_codes": ["Code-1"]})
    assert rows_of(found) == [
        {
            KEY: A,
            "user_id": A,
            "two_factor_enabled": True,
            "totp_secret": "JBSWY3DP",
            "recovery_codes": [sha256(b"code-1").hexdigest()],
            "password_changed_at": T2,
            "created_at": T1,
            "updated_at": T3,
        }
    ]
    assert found.warnings == {}
    assert archived(found) == []


def test_adopted_users_get_nothing() -> None:
    """An adopted user gets no second factor from us: whoever has the address must not take over the account."""
    known = Lookup.of({A: uid(91), B: B}, adopted=frozenset({A}))
    found = run({}, {}, known=known)
    assert outcomes(found) == {A: ("filtered", "adopted_user")}
    assert [row["user_id"] for row in rows_of(found)] == [B]


def test_dependants_of_quarantined_users() -> None:
    """The row of a quarantined user is quarantined with it."""
    assert outcomes(run({}, known=Lookup.of({}, quarantined=frozenset({A})))) == {
        A: ("quarantined", "parent_quarantined")
    }


def test_rows_wait_for_their_user() -> None:
    """A row waits for the user of its id."""
    assert waits(run({}, known=Lookup.of({}))) == {A: (("users", A), ("id",))}


def test_missing_times() -> None:
    """A missing time is the earliest, or the latest, of all times of the user."""
    nothing = dict.fromkeys(("created_at", "updated_at", "last_seen", "password_updated_at"))
    for name in nothing:
        (row,) = rows_of(run({**nothing, name: T2}))
        assert (row["created_at"], row["updated_at"]) == (T2, T2)
    (row,) = rows_of(run({**nothing, "last_seen": T1, "password_updated_at": T3}))
    assert (row["created_at"], row["updated_at"]) == (T1, T3)


def test_secrets() -> None:
    """Unreadable and missing secrets are counted, and 2FA stays on; a URI that asks for other codes is archived too."""
    unusual = URI + "&digits=8"
    found = run(
        {"two_factor_secret": "not a secret!"},
        {"two_factor_secret": " "},
        {"two_factor_secret": None, "two_factor_enabled": False},
        {"two_factor_secret": unusual},
        {"two_factor_secret": URI},
    )
    assert [row["totp_secret"] for row in rows_of(found)] == ["not a secret!", None, None, "JBSWY3DP", "JBSWY3DP"]
    assert [row["two_factor_enabled"] for row in rows_of(found)] == [True, True, False, True, True]
    assert found.warnings == {"totp_unreadable": 1, "totp_missing": 1, "totp_parameters": 1}
    assert archived(found) == [(uid(4), "two_factor_secret", unusual, "totp_parameters")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jbsw y3dp\t", Secret("JBSWY3DP")),
        ("JBSWY3DP====", Secret("JBSWY3DP====")),
        ("JBSW-Y3DP", Secret("JBSW-Y3DP", unreadable=True)),
        ("abc1", Secret("abc1", unreadable=True)),
        (URI, Secret("JBSWY3DP")),
        (" " + URI.upper().replace("%20", ""), Secret("JBSWY3DP")),
        (URI + "&digits=6&period=30&algorithm=sha1", Secret("JBSWY3DP")),
        (URI + "&secret=OTHER", Secret("JBSWY3DP")),
        (URI + "&digits=8", Secret("JBSWY3DP", unusual=True)),
        (URI + "&period=60", Secret("JBSWY3DP", unusual=True)),
        (URI + "&algorithm=SHA256", Secret("JBSWY3DP", unusual=True)),
        (URI.replace("totp", "hotp"), Secret("JBSWY3DP", unusual=True)),
        ("otpauth://totp/x?issuer=y", Secret("otpauth://totp/x?issuer=y", unreadable=True)),
        ("otpauth://[totp/x?secret=A", Secret("otpauth://[totp/x?secret=A", unreadable=True)),
    ],
)
def test_read_secret(text: str, expected: Secret) -> None:
    """Spaces are removed and letters upper-cased; a URI gives its secret; what is no secret is carried as it is."""
    assert read_secret(text) == expected


HASHED = sha256(b"code-1").hexdigest()


@pytest.mark.parametrize(
    ("code", "expected"),
    [(" CODE-1 ", HASHED), (HASHED, HASHED), (HASHED.upper(), HASHED), ("", None), (" \t", None)],
)
def test_hashed_code(code: str, expected: str | None) -> None:
    """A code is stored as SHA-256 of its lower-case form; 64 hex characters stay, lower-cased; a blank is none."""
    assert hashed_code(code) == expected


def test_sixty_five_characters_are_no_hash() -> None:
    """Only exactly 64 hex characters are a hash."""
    assert hashed_code("a" * 65) == sha256(b"a" * 65).hexdigest()
    assert hashed_code("a" * 63) == sha256(b"a" * 63).hexdigest()
    assert hashed_code("g" * 64) == sha256(b"g" * 64).hexdigest()


def test_recovery_codes_of_a_row() -> None:
    """Blanks and nulls are dropped, the order is kept, an empty list stays one."""
    found = rows_of(run({"two_factor_recovery_codes": ["b", None, " ", "a"]}, {}, {"two_factor_recovery_codes": None}))
    assert [row["recovery_codes"] for row in found] == [
        [sha256(b"b").hexdigest(), sha256(b"a").hexdigest()],
        [],
        None,
    ]


def test_declaration() -> None:
    """The row of a user is recognised by its primary key; users are counted elsewhere."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("user_id",)
    assert [(source.name, getattr(source, "primary", None)) for source in SPEC.sources] == [("users", False)]
    assert "users.totp_secret" not in {name for names in SPEC.lineage.values() for name in names}
