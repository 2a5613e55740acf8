from datetime import UTC, datetime
from typing import Any

import pandas as pd

from assets.access.roles import SPEC, decide, transform, transform_made, transform_meta
from remoteiq_etl.frames.dtypes import INTEGER, TEXT_LIST, TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import SAME_AS, TAKES_ROW_OF, Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, micros, outcomes, plain, rows_of, uid, waits

T1, T2, T3 = (datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3))
ROLES = [(uid(1), "Tech", T2), (uid(2), " TECH ", T1), (uid(3), "Admin", T1)]


def inputs(roles: list[tuple[str, str, datetime]], users: dict[str, int]) -> dict[str, pd.DataFrame]:
    ids, names, times = zip(*roles, strict=True) if roles else ((), (), ())
    return {
        "roles": frame({"id": list(ids), "name": list(names), "created_at": list(times)}, {"created_at": TIMESTAMP}),
        "role_meta": frame(
            {"role_name": ["Admin"], "description": ["All"], "updated_at": [T3]}, {"updated_at": TIMESTAMP}
        ),
        "users": frame({"role": list(users), "users": list(users.values())}, {"users": INTEGER}),
    }


def decided(
    roles: list[tuple[str, str, datetime]],
    users: dict[str, int],
    recorded: list[Decision] | None = None,
    context: Context | None = None,
) -> Decided:
    known = StoredDecisions({(decision.legacy_table, decision.legacy_key): decision for decision in recorded or []})
    return decide(inputs(roles, users), known, context or Context())


def named(found: Decided, table: str) -> dict[str, Decision]:
    return {decision.legacy_key: decision for decision in found.decisions if decision.legacy_table == table}


def test_equal_names_are_merged_into_the_oldest() -> None:
    """Names equal after normalisation are merged into the oldest; ties go to the lowest id."""
    found = decided(ROLES, {})
    assert found.prepared["losers"] == {uid(1): uid(2)}
    assert named(found, "roles.name")["tech"].values == {"winner": uid(2)}
    assert named(found, "roles.name")["tech"].rule == "oldest"
    assert decided([(uid(5), "A", T1), (uid(4), "a", T1)], {}).prepared["losers"] == {uid(5): uid(4)}


def test_a_recorded_winner_that_is_no_longer_the_oldest_is_counted() -> None:
    """A recorded winner stays; that another would win today is reported."""
    known = Decision("roles.name", "tech", "oldest", {"winner": uid(1)})
    found = decided(ROLES, {}, [known])
    assert found.prepared["losers"] == {uid(2): uid(1)}
    assert found.warned == {"decided_otherwise_today": 1}


def test_a_winner_that_is_chosen_anew_has_the_row_of_the_former_one() -> None:
    """Where an operator asks for it, the oldest role of a name stands again, in the row that is there."""
    known = Decision("roles.name", "tech", "oldest", {"winner": uid(1)})
    former = StoredDecisions({("roles.name", "tech"): known}).redecided(["roles.name"])
    found = decide(inputs(ROLES, {}), former, Context())
    assert named(found, "roles")[uid(2)].values == {TAKES_ROW_OF: ["roles", uid(1)]}


def test_words_match_legacy_roles() -> None:
    """A word of users.role stands for the legacy role of that normalised name, the one that won."""
    found = decided(ROLES, {"tech": 2, "TECH": 1, "admin": 1, " ": 4})
    words = named(found, "users.role")
    assert {word: (d.rule, d.values[SAME_AS]) for word, d in words.items()} == {
        "tech": ("matched_role", ["roles", uid(2)]),
        "admin": ("matched_role", ["roles", uid(3)]),
    }
    assert len(found.rows["users.role"]) == 0
    assert "made_from_users_role" not in found.warned


def test_words_without_a_role_make_one() -> None:
    """A word that names no role makes one, named as most users spell it, of equals the first; it is reported."""
    found = decided(ROLES, {"help  desk": 1, "Help Desk": 1, "HELP DESK": 1, "b": 2, "B": 1})
    assert plain(found.rows["users.role"]) == [
        {KEY: "help desk", "name": "HELP DESK"},
        {KEY: "b", "name": "b"},
    ]
    assert found.warned == {"made_from_users_role": 2}
    assert named(found, "users.role")["b"].rule == "made_from_users_role"
    assert named(found, "users.role")["b"].values == {"name": "b"}


def test_recorded_spelling_sticks() -> None:
    """The spelling of a role that was made is not chosen again."""
    made = Decision("users.role", "b", "made_from_users_role", {"name": "B"})
    found = decided([], {"b": 9}, [made])
    assert plain(found.rows["users.role"]) == [{KEY: "b", "name": "B"}]
    assert named(found, "users.role")["b"] is made


def test_recorded_match_sticks_while_the_role_is_there() -> None:
    """A match with a role stays while that role has this name, also as a merged one; else it is taken again."""
    known = Decision("users.role", "tech", "matched_role", {SAME_AS: ["roles", uid(1)]})
    assert named(decided(ROLES, {"Tech": 1}, [known]), "users.role")["tech"] is known
    for other in (uid(3), uid(9)):
        known = Decision("users.role", "tech", "matched_role", {SAME_AS: ["roles", other]})
        found = named(decided(ROLES, {"Tech": 1}, [known]), "users.role")["tech"]
        assert found.values == {SAME_AS: ["roles", uid(2)]}
    known = Decision("users.role", "gone", "matched_role", {SAME_AS: ["roles", uid(9)]})
    assert named(decided(ROLES, {"Gone": 1}, [known]), "users.role")["gone"].rule == "made_from_users_role"


def test_a_legacy_role_that_arrives_later_takes_the_made_one_over() -> None:
    """A legacy role named as one that was made joins it under its id; the made row is not made again."""
    made = Decision("users.role", "admin", "made_from_users_role", {"name": "admin"})
    context = Context(lookups={("roles", "users.role"): Lookup.of({"admin": uid(77)})})
    found = decided(ROLES, {"admin": 1}, [made], context)
    assert named(found, "users.role")["admin"] == made
    assert found.prepared["joined"] == {uid(3): uid(77)}
    joined = named(found, "roles")[uid(3)]
    assert (joined.rule, joined.new_key, joined.values) == (
        "joins_made_role",
        uid(77),
        {"word": "admin", TAKES_ROW_OF: ["users.role", "admin"]},
    )
    assert len(found.rows["users.role"]) == 0
    again = decided(ROLES, {"admin": 1}, [made, joined], context)
    assert named(again, "roles") == {uid(3): joined}
    assert decided([], {"admin": 1}, [made, joined], context).rows["users.role"][KEY].tolist() == ["admin"]


def test_a_role_that_took_a_made_one_over_and_was_renamed() -> None:
    """A made role goes with the legacy role that took it over, also under a new name: the next of the word is alone."""
    made = Decision("users.role", "tech", "made_from_users_role", {"name": "tech"})
    joined = Decision("roles", uid(1), "joins_made_role", {"word": "tech"}, new_key=uid(77))
    context = Context(lookups={("roles", "users.role"): Lookup.of({"tech": uid(77)})})
    found = decided([(uid(1), "Desk", T1), (uid(2), "Tech", T2)], {"tech": 1}, [made, joined], context)
    assert named(found, "roles") == {uid(1): joined}
    assert named(found, "users.role")["tech"].values == {SAME_AS: ["roles", uid(2)]}
    assert named(decided([(uid(2), "Tech", T2)], {"tech": 1}, [made, joined], context), "roles") != {uid(1): joined}
    merged = decided([(uid(1), "Tech", T2), (uid(2), "TECH", T1)], {"tech": 1}, [made, joined], context)
    assert named(merged, "roles") == {uid(1): joined}


def test_a_word_whose_role_was_taken_over_and_renamed_makes_another() -> None:
    """Nobody is linked to the role under its new name; once there is a role of the word again, that one is meant."""
    made = Decision("users.role", "tech", "made_from_users_role", {"name": "tech"})
    joined = Decision("roles", uid(1), "joins_made_role", {"word": "tech"}, new_key=uid(77))
    context = Context(lookups={("roles", "users.role"): Lookup.of({"tech": uid(77)})})
    found = decided([(uid(1), "Desk", T1)], {"tech": 1}, [made, joined], context)
    words = named(found, "users.role")
    assert words["tech"].rule == "made_anew"
    assert words["tech"].values == {SAME_AS: ["users.role", "  tech"]}
    assert found.rows["users.role"][KEY].tolist() == ["  tech"]
    later = decided([(uid(1), "Tech", T1)], {"tech": 1}, [*words.values(), joined], context)
    assert named(later, "users.role")["tech"].values == {SAME_AS: ["roles", uid(1)]}


def test_a_role_that_took_a_made_one_over_and_is_gone_gives_it_back() -> None:
    """The word has its row back; the next role of the word takes it over from where it is."""
    made = Decision("users.role", "tech", "made_from_users_role", {"name": "tech"})
    joined = Decision("roles", uid(1), "joins_made_role", {"word": "tech"}, new_key=uid(77))
    context = Context(lookups={("roles", "users.role"): Lookup.of({"tech": uid(77)})})
    found = decided([], {"tech": 1}, [made, joined], context)
    assert named(found, "users.role")["tech"].values == {"name": "tech", TAKES_ROW_OF: ["roles", uid(1)]}
    assert (named(found, "roles")[uid(1)].rule, named(found, "roles")[uid(1)].values) == ("lapsed", {"word": "tech"})
    successor = decided([(uid(2), "Tech", T2)], {"tech": 1}, [made, joined], context)
    assert named(successor, "roles")[uid(2)].values == {"word": "tech", TAKES_ROW_OF: ["roles", uid(1)]}


def test_a_made_role_that_was_never_written_is_matched_anew() -> None:
    """A recorded word whose role was never written is matched with the legacy role that has come since."""
    made = Decision("users.role", "admin", "made_from_users_role", {"name": "admin"})
    found = decided(ROLES, {"admin": 1}, [made])
    assert named(found, "users.role")["admin"].rule == "matched_role"
    assert named(found, "roles") == {}


COLUMNS: dict[str, list[Any]] = {
    "id": [uid(1), uid(2), uid(3)],
    "name": ["Tech", " TECH ", "Admin"],
    "created_at": [T2, T1, T1],
    "description": ["one", "two", "three"],
}


def context(**prepared: object) -> Context:
    base: dict[str, object] = {"losers": {}, "joined": {}, "descriptions": {}, "updated": {}, "roles": {}}
    return Context(prepared={**base, **prepared})


def test_target_rows() -> None:
    """The row is of scope organization; description and updated_at are role_meta's, else the role's own."""
    batch = transform(
        batch_of(COLUMNS, {"created_at": TIMESTAMP}),
        context(losers={uid(1): uid(2)}, descriptions={"Admin": "All"}, updated={"Admin": T3}),
    )
    shared = {"organization_id": Context().organization_id, "scope": "organization", "created_at": T1}
    assert rows_of(batch) == [
        {KEY: uid(2), "id": uid(2), "name": " TECH ", "description": "two", "updated_at": T1, **shared},
        {KEY: uid(3), "id": uid(3), "name": "Admin", "description": "All", "updated_at": T3, **shared},
    ]
    assert outcomes(batch) == {uid(1): ("merged", "equal_name")}
    assert batch.disposals[0].into == uid(2)
    assert sorted(archived(batch), key=str) == sorted(
        [
            (uid(1), "name", "Tech", "merged"),
            (uid(1), "description", "one", "merged"),
            (uid(1), "created_at", T2, "merged"),
            (uid(3), "description", "three", "superseded"),
        ],
        key=str,
    )


def test_blank_description_of_role_meta() -> None:
    """A blank description of role_meta gives way to the role's own; where there is no other it stays."""
    columns = {**COLUMNS, "description": ["one", None, "three"]}
    batch = transform(
        batch_of(columns, {"created_at": TIMESTAMP}),
        context(descriptions={"Tech": " ", " TECH ": "", "Admin": "three"}),
    )
    assert [row["description"] for row in rows_of(batch)] == ["one", "", "three"]
    assert archived(batch) == []


def test_blank_names() -> None:
    """A role without a name is quarantined."""
    columns = {**COLUMNS, "name": ["Tech", " ", "Admin"]}
    batch = transform(batch_of(columns, {"created_at": TIMESTAMP}), context())
    assert outcomes(batch) == {uid(2): ("quarantined", "blank_name")}
    assert waits(batch) == {uid(2): (None, ("name",))}


def test_ids_come_from_the_map_first() -> None:
    """A role that joined another has that one's id; a uuid that the application rejects is derived."""
    joined = Context(prepared=context().prepared, lookups={("roles", "roles"): Lookup.of({uid(3): uid(77)})})
    odd = "00000000-0000-0000-8000-000000000001"
    columns = {**COLUMNS, "id": [odd, uid(2), uid(3)]}
    found = rows_of(transform(batch_of(columns, {"created_at": TIMESTAMP}), joined))
    assert [row["id"] for row in found] == [joined.derive("roles", "roles", odd), uid(2), uid(77)]


def test_made_roles() -> None:
    """A role made from a word has no permissions, no description and no times; its id is derived from the word."""
    (row,) = rows_of(transform_made(batch_of({KEY: ["help desk"], "name": ["Help Desk"]}), Context()))
    assert row == {
        KEY: "help desk",
        "id": Context().derive("roles", "derived", "help desk"),
        "organization_id": Context().organization_id,
        "scope": "organization",
        "name": "Help Desk",
        **dict.fromkeys(("description", "created_at", "updated_at")),
    }


META: dict[str, list[Any]] = {
    "role_name": ["Tech", "Admin", "Orphan", " "],
    "description": ["one", "All", "x", "y"],
    "permissions": [["users.read"], ["Users.Read", ""], [], []],
    "updated_at": [T1, T2, T3, T3],
}


def test_role_meta_is_merged_into_its_role() -> None:
    """Each row of role_meta is merged; what its role does not take over is archived."""
    batch = transform_meta(
        batch_of(META, {"permissions": TEXT_LIST, "updated_at": TIMESTAMP}, key="role_name"),
        context(losers={uid(1): uid(2)}, roles={"Tech": uid(1), "Admin": uid(3), " ": uid(4)}),
    )
    assert outcomes(batch) == {
        "Tech": ("merged", "role_meta"),
        "Admin": ("merged", "role_meta"),
        "Orphan": ("held", "parent_missing"),
        " ": ("quarantined", "parent_quarantined"),
    }
    assert waits(batch)["Orphan"] == (("roles", "Orphan"), ("role_name",))
    assert waits(batch)[" "] == (None, ("role_name",))
    assert batch.disposals[3].detail == "its role is quarantined"
    assert [entry for entry in archived(batch) if entry[3] != "order"] == [
        ("Tech", "description", "one", "superseded"),
        ("Tech", "updated_at", T1, "superseded"),
        ("Admin", "permissions", '["Users.Read",""]', "normalised"),
    ]
    assert [entry[:3] for entry in archived(batch) if entry[3] == "order" and entry[0] == "Tech"] == [
        ("Tech", "permissions", '["users.read"]')
    ]


def test_decide_reads_role_meta() -> None:
    """The transform knows description and time of role_meta, and the role of each name."""
    prepared = decided(ROLES, {}).prepared
    assert prepared["descriptions"] == {"Admin": "All"}
    assert prepared["updated"] == {"Admin": micros(T3)}
    assert prepared["roles"] == {"Tech": uid(1), " TECH ": uid(2), "Admin": uid(3)}


def test_adoption() -> None:
    """A role is recognised by its name in the organization, never a system role."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("organization_id", "name")
    assert SPEC.adopt.among == {"scope": "organization"}
    assert [source.name for source in SPEC.sources] == ["roles", "role_meta", "users.role"]
