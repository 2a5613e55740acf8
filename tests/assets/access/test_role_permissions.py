from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from assets.access.role_permissions import SPEC, decide, transform, transform_words
from assets.access.rules import grants
from remoteiq_etl.frames.dtypes import TEXT_LIST, TIMESTAMP, frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.table import OWNER
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import batch_of, micros, outcomes, plain, rows_of, uid

T1, T2, T3 = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))
TECH, TECH2, ADMIN, NAMELESS = uid(1), uid(2), uid(3), uid(4)
READ, READ2, WRITE, BLANK = uid(11), uid(12), uid(13), uid(14)


def inputs(rows: list[tuple[str, str]], words: Mapping[str, list[str] | None]) -> dict[str, pd.DataFrame]:
    """Two roles of one name (the first is older), one more and a nameless one; two permissions of one key."""
    return {
        "roles": frame(
            {
                "id": [TECH2, ADMIN, TECH, NAMELESS],
                "name": ["TECH", "Admin", "Tech", " "],
                "created_at": [T2, T2, T1, T1],
            },
            {"created_at": TIMESTAMP},
        ),
        "permissions": frame(
            {"id": [READ, READ2, WRITE, BLANK], "key": ["users.read", "Users.Read", "users.write", " "]}
        ),
        "role_permissions": frame({"role_id": [role for role, _ in rows], "permission_id": [key for _, key in rows]}),
        "role_meta": frame(
            {"role_name": list(words), "permissions": list(words.values()), "updated_at": [T3] * len(words)},
            {"permissions": TEXT_LIST, "updated_at": TIMESTAMP},
        ),
    }


def decided(
    rows: list[tuple[str, str]],
    words: Mapping[str, list[str] | None] | None = None,
    recorded: StoredDecisions | None = None,
    **context: object,
) -> Decided:
    return decide(inputs(rows, words or {}), recorded or StoredDecisions(), Context(**context))  # type: ignore[arg-type]


def pair(role: str, permission: str) -> str:
    return key_text([role, permission])


def test_grants_of_merged_roles_and_permissions_are_given_once() -> None:
    """Of rows that become one grant the oldest role's wins, then the lowest key; the others are merged into it."""
    found = decided([(TECH2, READ), (TECH, READ2), (TECH, READ), (ADMIN, READ)])
    assert found.prepared["losers"] == {
        pair(TECH2, READ): pair(TECH, READ),
        pair(TECH, READ2): pair(TECH, READ),
    }
    (decision,) = found.decisions
    assert (decision.legacy_table, decision.rule) == ("role_permissions.grant", "oldest")
    assert decision.legacy_key == key_text(["tech", "users.read"])


def test_recorded_winner_of_equal_grants_sticks() -> None:
    """The row that won before stays the winner."""
    group = key_text(["tech", "users.read"])
    known = Decision("role_permissions.grant", group, "oldest", {"winner": pair(TECH2, READ)})
    found = decided([(TECH2, READ), (TECH, READ)], recorded=StoredDecisions({(known.legacy_table, group): known}))
    assert found.prepared["losers"] == {pair(TECH, READ): pair(TECH2, READ)}
    assert found.warned["decided_otherwise_today"] == 1


def test_union() -> None:
    """A grant that only role_meta holds becomes a row; one that both hold, or a blank, does not."""
    found = decided([(TECH, READ)], {"Tech": ["users.read", "Users.Write ", "", "users.write"], "Admin": None})
    assert plain(found.rows["derived"]) == [
        {KEY: key_text(["tech", "users.write"]), "role_id": TECH, "permission_key": "users.write"}
    ]


def test_union_of_merged_roles() -> None:
    """Words of a merged role count for the role it is merged into, also beside rows of that one."""
    found = decided([(TECH, READ)], {"TECH": ["users.read", "odd"], "Tech": ["odd"], " ": ["x"]})
    assert plain(found.rows["derived"]) == [{KEY: key_text(["tech", "odd"]), "role_id": TECH, "permission_key": "odd"}]


def test_a_row_of_a_merged_role_holds_the_grant_too() -> None:
    """A word of the older role makes no second row beside a row of the younger role of that name."""
    found = decided([(TECH2, READ)], {"Tech": ["users.read"]})
    assert len(found.rows["derived"]) == 0


def test_roles_are_asked_by_age() -> None:
    """The oldest role comes first, of equally old ones the lowest id."""
    given = inputs([], {})
    ids = frame({"id": [uid(2), uid(1), uid(3), uid(4)]})["id"]
    assert grants.roles_by_age({**given, "roles": given["roles"].assign(id=ids)})["role_id"].to_list() == [
        uid(3),
        uid(1),
        uid(2),
    ]


def test_one_grant_for_each_word() -> None:
    """A word that a list repeats is one grant."""
    given = inputs([], {"Tech": ["odd", "ODD "]})
    assert len(grants.held(given, grants.roles_by_age(given))) == 1


def test_grants_to_look_at() -> None:
    """A grant that one of the two tables alone holds, or only a merged role, is listed by role and key, and counted."""
    found = decided(
        [(TECH, READ), (TECH, WRITE), (TECH2, READ), (ADMIN, READ)],
        {"Tech": ["users.read", "odd"], "TECH": ["merged.word"]},
    )
    assert plain(found.prepared["one_sided"]) == [
        {"role": "admin", "permission_key": "users.read", "held_by": "role_permissions"},
        {"role": "tech", "permission_key": "merged.word", "held_by": "merged_role"},
        {"role": "tech", "permission_key": "odd", "held_by": "role_meta"},
        {"role": "tech", "permission_key": "users.write", "held_by": "role_permissions"},
    ]
    assert found.warned == {
        "grant_only_in_role_permissions": 2,
        "grant_only_in_role_meta": 1,
        "grant_only_in_merged_role": 1,
    }


def test_role_meta_first() -> None:
    """Under role_meta_first a role with words has those grants alone; a role without keeps its rows."""
    rows = [(TECH, READ), (TECH, WRITE), (ADMIN, READ)]
    words = {"Tech": ["users.read", "odd"], "Admin": [" "]}
    assert decided(rows, words).prepared["outvoted"] == frozenset()
    found = decided(rows, words, options={"role_grants": "role_meta_first"})
    assert found.prepared["outvoted"] == {pair(TECH, WRITE)}
    assert found.rows["derived"]["permission_key"].tolist() == ["odd"]
    assert len(found.prepared["one_sided"]) == 3


def test_role_meta_first_frees_the_winner() -> None:
    """A row that is outvoted is no winner: the grant of the other role, which counts, stands for itself."""
    found = decided(
        [(TECH, WRITE), (TECH2, WRITE)], {"Tech": ["users.read"]}, options={"role_grants": "role_meta_first"}
    )
    assert found.prepared["losers"] == {}
    assert found.prepared["outvoted"] == {pair(TECH, WRITE)}


def test_times_and_owners() -> None:
    """A grant dates from role_meta of the role that holds it, else from that role; merged roles have one owner."""
    prepared = decided([], {"TECH": []}).prepared
    assert prepared["granted_at"] == {TECH: micros(T1), TECH2: micros(T3), ADMIN: micros(T2)}
    assert prepared["owner_of"] == {TECH: TECH, TECH2: TECH, ADMIN: ADMIN}
    assert prepared["blank"] == {BLANK}


def test_owner_of_merged_roles() -> None:
    """The owner is the role that won before, as long as it is there."""
    for winner, owner in ((TECH2, TECH2), (uid(9), TECH)):
        recorded = Lookup.of({}, decisions={"tech": {"winner": winner}})
        prepared = decided([], {}, lookups={("roles", "roles.name"): recorded}).prepared
        assert prepared["owner_of"] == {TECH: owner, TECH2: owner, ADMIN: ADMIN}


PREPARED: dict[str, Any] = {
    "losers": {},
    "outvoted": frozenset(),
    "blank": frozenset({BLANK}),
    "granted_at": {TECH: T1, TECH2: T3, ADMIN: T2},
    "owner_of": {TECH: TECH, TECH2: TECH, ADMIN: ADMIN},
}
ROLES = Lookup.of({TECH: uid(101), TECH2: uid(101), ADMIN: uid(103)}, adopted=frozenset({ADMIN}))
PERMISSIONS = Lookup.of({READ: "users.read", READ2: "users.read", WRITE: "users.write"})


def run(rows: list[tuple[str, str]], lookups: dict[tuple[str, str], Lookup] | None = None, **prepared: object) -> Batch:
    context = Context(
        prepared={**PREPARED, **prepared},
        lookups={("roles", "roles"): ROLES, ("permissions", "permissions"): PERMISSIONS, **(lookups or {})},
    )
    keys = [pair(role, key) for role, key in rows]
    columns = {KEY: keys, "role_id": [role for role, _ in rows], "permission_id": [key for _, key in rows]}
    return transform(batch_of(columns), context)


def test_target_rows() -> None:
    """Role and permission are looked up; the owner is the legacy role that stands for the name."""
    assert rows_of(run([(TECH2, WRITE)])) == [
        {
            KEY: pair(TECH2, WRITE),
            "permission_key": "users.write",
            "role_id": uid(101),
            "granted_at": T3,
            OWNER: TECH,
        }
    ]


def test_rows_that_are_left_out() -> None:
    """Equal grants are merged; blank keys and outvoted grants are filtered; an adopted role keeps its own grants."""
    rows = [(TECH, READ), (TECH, READ2), (TECH, BLANK), (TECH, WRITE), (ADMIN, READ)]
    batch = run(rows, losers={pair(TECH, READ2): pair(TECH, READ)}, outvoted=frozenset({pair(TECH, WRITE)}))
    assert outcomes(batch) == {
        pair(TECH, READ2): ("merged", "equal_grant"),
        pair(TECH, BLANK): ("filtered", "blank_key"),
        pair(TECH, WRITE): ("filtered", "role_meta_first"),
        pair(ADMIN, READ): ("filtered", "adopted_role"),
    }
    assert batch.disposals[1].into == pair(TECH, READ)


def test_missing_parents_hold() -> None:
    """A grant waits for its role and its permission."""
    batch = run([(uid(9), READ), (TECH, uid(19))])
    assert [(d.outcome.value, d.parent) for d in batch.disposals.values()] == [
        ("held", ("permissions", uid(19))),
        ("held", ("roles", uid(9))),
    ]


@pytest.mark.parametrize("source", ["roles", "users.role"])
def test_words_become_grants_of_our_roles(source: str) -> None:
    """A grant that only role_meta holds becomes a row, but not for a role that the target had."""
    ours = {TECH: uid(101), ADMIN: uid(103)}
    lookups = {("roles", "roles"): Lookup.of(ours)}
    lookups[("roles", source)] = Lookup.of({**ours, "k": uid(103)}, adopted=frozenset({"k"}))
    batch = batch_of({KEY: ["a", "b"], "role_id": [TECH, ADMIN], "permission_key": ["odd", "odd"]})
    transform_words(batch, Context(prepared=PREPARED, lookups=lookups))
    assert rows_of(batch) == [{KEY: "a", "permission_key": "odd", "role_id": uid(101), "granted_at": T1, OWNER: TECH}]
    assert outcomes(batch) == {"b": ("filtered", "adopted_role")}


def test_declaration() -> None:
    """The grants of a role are replaced as a whole; what the decide step reads is declared."""
    assert SPEC.replaces
    assert {table.name for table in SPEC.legacy_reads} == {"roles", "role_meta", "permissions"}
    assert set(grants.READS) == {"roles", "role_meta", "permissions", "role_permissions"}
    assert "granted_by" not in SPEC.lineage
