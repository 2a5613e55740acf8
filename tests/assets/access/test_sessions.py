from datetime import UTC, datetime
from typing import Any

import pytest

from assets.access.sessions import SPEC, decide, standing, transform, uuids
from assets.shared.winners import Winners
from remoteiq_etl.frames.dtypes import BOOLEAN, TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import TAKES_ROW_OF, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, micros, outcomes, rows_of, uid, waits

T1, T2, T3 = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))
A, B, USER = uid(1), uid(2), uid(51)
JTI = "aaaaaaaa-aaaa-0aaa-1aaa-aaaaaaaaaaaa"  # no version that the application makes: exempt, kept all the same
DTYPES = {
    **dict.fromkeys(("created_at", "last_seen", "last_seen_at", "revoked_at"), TIMESTAMP),
    "revoked": BOOLEAN,
    "trusted": BOOLEAN,
}
BASE = {
    "user_id": USER,
    "jti": JTI,
    "user_agent": "Browser",
    "ip": "192.0.2.1",
    "created_at": T1,
    "last_seen": T3,
    "last_seen_at": T3,
    "revoked_at": None,
    "trusted": True,
}


def run(
    *sessions: dict[str, Any],
    users: Lookup | None = None,
    losers: dict[str, str] | None = None,
    owners: dict[str, datetime] | None = None,
) -> Batch:
    rows = [{**BASE, "id": uid(number + 1), **session} for number, session in enumerate(sessions)]
    context = Context(
        prepared={"losers": losers or {}, "owner_created_at": owners or {}},
        lookups={("users", "users"): users or Lookup.of({USER: uid(91)})},
    )
    return transform(batch_of({name: [row[name] for row in rows] for name in ("id", *BASE)}, DTYPES), context)


def test_target_row() -> None:
    """The id is the jti, which is the refresh token too; everything else is carried as it is."""
    found = run({})
    assert rows_of(found) == [
        {
            KEY: A,
            "id": JTI,
            "user_id": uid(91),
            "refresh_token": JTI,
            "user_agent": "Browser",
            "ip_address": "192.0.2.1",
            "trusted": True,
            "created_at": T1,
            "last_seen_at": T3,
            "revoked_at": None,
        }
    ]
    assert archived(found) == []


@pytest.mark.parametrize(
    ("jti", "expected"),
    [
        (JTI, JTI),
        (JTI.upper(), JTI),
        (JTI.replace("-", ""), JTI),
        ("opaque-token", None),
        (JTI + "0", None),
        (JTI[:-1] + "g", None),
        ("", None),
    ],
)
def test_jtis(jti: str, expected: str | None) -> None:
    """A jti is a uuid where PostgreSQL reads it as one."""
    found = uuids(frame({"jti": [jti]})["jti"])
    assert found.dropna().tolist() == ([] if expected is None else [expected])


def test_other_jtis_are_derived() -> None:
    """The id of a session whose jti is no uuid is derived from the session's key; the token stays what it was."""
    (row,) = rows_of(run({"jti": "opaque-token"}))
    assert row["id"] == Context().derive("sessions", "sessions", A)
    assert row["refresh_token"] == "opaque-token"


def test_last_seen_is_superseded() -> None:
    """The stale duplicate of last_seen_at is archived where it differs."""
    found = run({"last_seen": T2}, {"last_seen": None})
    assert [row["last_seen_at"] for row in rows_of(found)] == [T3, T3]
    assert archived(found) == [(A, "last_seen", T2, "superseded")]


def test_missing_times() -> None:
    """A missing created_at becomes the earliest other time, a missing last_seen_at the latest."""
    found = run(
        {"created_at": None, "last_seen": T2, "last_seen_at": T3, "revoked_at": T1},
        {"last_seen_at": None, "last_seen": T2, "revoked_at": T3},
    )
    assert [(row["created_at"], row["last_seen_at"]) for row in rows_of(found)] == [(T1, T3), (T1, T3)]
    assert found.warnings == {"created_at_filled": 1, "last_seen_at_filled": 1}


def test_a_session_without_any_time_dates_from_its_user() -> None:
    """A default of now would make it look used today."""
    nothing = dict.fromkeys(("created_at", "last_seen", "last_seen_at", "revoked_at"))
    found = run(nothing, owners={A: T2})
    assert [(row["created_at"], row["last_seen_at"]) for row in rows_of(found)] == [(T2, T2)]


def test_adopted_users() -> None:
    """Of an adopted user's sessions only the revoked ones are carried."""
    users = Lookup.of({USER: uid(91)}, adopted=frozenset({USER}))
    found = run({}, {"revoked_at": T2}, users=users)
    assert outcomes(found) == {A: ("filtered", "adopted_user")}
    assert [(row[KEY], row["revoked_at"]) for row in rows_of(found)] == [(B, T2)]


def test_parents() -> None:
    """A session waits for its user, and is quarantined with it."""
    assert outcomes(run({}, users=Lookup.of({}))) == {A: ("held", "parent_missing")}
    assert waits(run({}, users=Lookup.of({}))) == {A: (("users", USER), ("user_id",))}
    quarantined = Lookup.of({}, quarantined=frozenset({USER}))
    assert outcomes(run({}, users=quarantined)) == {A: ("quarantined", "parent_quarantined")}


def losers(*sessions: tuple[str, str, datetime | None, datetime]) -> dict[str, str]:
    ids, jtis, revoked, created = zip(*sessions, strict=True)
    inputs = {
        "sessions": frame(
            {
                "id": list(ids),
                "jti": list(jtis),
                "revoked": [time is not None for time in revoked],
                "created_at": list(created),
            },
            DTYPES,
        ),
        "owners": frame({"id": [A], "owner_created_at": [T1]}, {"owner_created_at": TIMESTAMP}),
    }
    decided = decide(inputs, StoredDecisions(), Context())
    assert decided.prepared["owner_created_at"] == {A: micros(T1)}
    assert JTI not in repr(decided.decisions)  # a secret: it must not be recorded
    return dict(decided.prepared["losers"])


def test_of_two_equal_but_for_case_the_revoked_one_wins() -> None:
    """Of sessions with one uuid the revoked one wins, then the oldest, then the lowest id."""
    assert losers((A, JTI, None, T1), (B, JTI.upper(), T3, T2)) == {A: B}
    assert losers((A, JTI, None, T2), (B, JTI.upper(), None, T1)) == {A: B}
    assert losers((B, JTI, None, T1), (A, JTI.upper(), None, T1)) == {B: A}
    assert losers((A, "token", None, T1), (B, "TOKEN", None, T1)) == {}


def test_a_session_that_stands_now_has_the_row_of_the_one_that_did() -> None:
    """Recorded by the sessions' own keys, so that a later run knows whose row it is; nothing new is decided without need."""
    first = standing(Winners({JTI: A}, {B: A}, [], {}), StoredDecisions())
    known = StoredDecisions({(one.legacy_table, one.legacy_key): one for one in first})
    assert standing(Winners({JTI: A}, {B: A}, [], {}), known) == first
    second = standing(Winners({JTI: B}, {A: B}, [], {}), known)
    assert second[0] == Decision("sessions", B, "revoked_wins", {TAKES_ROW_OF: ["sessions", A]})
    assert second[1] == Decision("sessions", A, "equal_jti", {"to": B})


def test_the_other_is_merged() -> None:
    """The session that lost is merged into the winner, also where its user is adopted."""
    users = Lookup.of({USER: uid(91)}, adopted=frozenset({USER}))
    found = run({}, {"jti": JTI.upper(), "revoked_at": T2}, losers={A: B}, users=users)
    assert outcomes(found) == {A: ("merged", "equal_jti")}
    assert found.disposals[0].into == B
    assert [row["id"] for row in rows_of(found)] == [JTI]


def test_declaration() -> None:
    """The time of the last visit stands outside the comparison; only jtis that occur more than once are read."""
    assert SPEC.activity == ("last_seen_at",)
    assert SPEC.adopt is None
    assert SPEC.decide is not None
    assert "HAVING count" in str(SPEC.decide.reads["sessions"])
