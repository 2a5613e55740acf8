from datetime import UTC, datetime

import pandas as pd
import pytest

from assets.access.permissions import SPEC, decide, labels, transform, transform_words
from assets.access.rules.permission_catalogue import PERMISSIONS
from assets.access.rules.words import lowered
from remoteiq_etl.frames.dtypes import TEXT_LIST, TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.decisions import Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, outcomes, plain, rows_of, uid

T1, T2 = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)


def decided(
    permissions: list[tuple[str, str, datetime]], words: list[list[str] | None], recorded: StoredDecisions | None = None
) -> Decided:
    ids, keys, times = zip(*permissions, strict=True) if permissions else ((), (), ())
    inputs: dict[str, pd.DataFrame] = {
        "permissions": frame(
            {"id": list(ids), "key": list(keys), "created_at": list(times)}, {"created_at": TIMESTAMP}
        ),
        "role_meta": frame({"permissions": words}, {"permissions": TEXT_LIST}),
    }
    return decide(inputs, recorded or StoredDecisions(), Context())


def test_equal_keys_are_merged_into_the_oldest() -> None:
    """Keys are compared lower-cased and trimmed; of equal ones the oldest wins, then the lowest id."""
    found = decided([(uid(1), "Users.Read", T2), (uid(2), " users.read ", T1), (uid(3), "x", T1)], [])
    assert found.prepared["losers"] == {uid(1): uid(2)}
    assert {(d.legacy_table, d.legacy_key, d.rule, d.values["winner"]) for d in found.decisions} == {
        ("permissions.key", "users.read", "oldest", uid(2)),
        ("permissions.key", "x", "oldest", uid(3)),
    }
    assert decided([(uid(9), "a", T1), (uid(8), "A", T1)], []).prepared["losers"] == {uid(9): uid(8)}


@pytest.mark.parametrize("key", sorted(PERMISSIONS.keys() - {"admin.access", "users.2fa.reset"}))
def test_labels_of_the_catalogue_say_what_is_allowed(key: str) -> None:
    """The label of a seeded permission is what it allows, and the group that it allows it in."""
    group, verb = key.split(".")
    word = {"read": "View", "view": "View", "write": "Edit"}.get(verb, verb.capitalize())
    assert PERMISSIONS[key].label == f"{word} {group}"


def test_labels_of_the_catalogue_that_say_more() -> None:
    """Two labels are not made of the key's words."""
    assert PERMISSIONS["admin.access"].label == "Access administration"
    assert PERMISSIONS["users.2fa.reset"].label == "Reset two-factor authentication"


def test_a_permission_that_arrives_late_takes_its_seed_over() -> None:
    """The winner of a key that was seeded has the seed's row, unless it was written before or has a row of its own."""
    inputs: dict[str, pd.DataFrame] = {
        "permissions": frame({"id": [uid(1)], "key": ["users.read"], "created_at": [T1]}, {"created_at": TIMESTAMP}),
        "role_meta": frame({"permissions": []}, {"permissions": TEXT_LIST}),
    }

    def taken(seeds: dict[str, str], written: dict[str, str]) -> list[Decision]:
        lookups = {("permissions", "seed"): Lookup.of(seeds), ("permissions", "permissions"): Lookup.of(written)}
        found = decide(inputs, StoredDecisions(), Context(lookups=lookups))
        return [one for one in found.decisions if one.legacy_table == "permissions"]

    expected = Decision("permissions", uid(1), "takes_over_seed", {"inherits": ["seed", "users.read"]}, "users.read")
    assert taken({"users.read": "users.read"}, {}) == [expected]
    assert taken({}, {}) == []
    assert taken({"users.read": "users.read"}, {uid(1): "users.read"}) == []


def test_merge_decision_sticks() -> None:
    """A recorded winner stays although an older permission of that key has arrived."""
    recorded = StoredDecisions(
        {("permissions.key", "a"): Decision("permissions.key", "a", "oldest", {"winner": uid(2)})}
    )
    found = decided([(uid(1), "a", T1), (uid(2), "A", T2)], [], recorded)
    assert found.prepared["losers"] == {uid(1): uid(2)}
    assert found.warned == {"decided_otherwise_today": 1}


def test_words_of_role_meta() -> None:
    """A key known only from role_meta makes a row; known and catalogue keys and blanks do not."""
    found = decided(
        [(uid(1), "legacy.key", T1)], [["Odd.Word ", "legacy.key", " ", "users.read"], None, ["odd.word", "b"]]
    )
    assert plain(found.rows["derived"]) == [{KEY: "b"}, {KEY: "odd.word"}]
    assert found.warned == {"permission_only_in_role_meta": 2}
    assert decided([], []).warnings == []


COLUMNS = {
    "id": [uid(1), uid(2), uid(3)],
    "key": [" Users.Read", "reports.view", "users.READ"],
    "label": ["USERS.read", "See reports", "Read all"],
    "group_key": ["users", "reports", "g"],
    "group_label": ["Users", "Reports", "G"],
    "created_at": [T1, T2, T2],
}


def test_target_rows() -> None:
    """One row per key; a label that only repeats its key takes the catalogue's; the original spelling is archived."""
    context = Context(prepared={"losers": {uid(3): uid(1)}})
    batch = transform(batch_of(COLUMNS, {"created_at": TIMESTAMP}), context)
    assert rows_of(batch) == [
        {
            KEY: uid(1),
            "permission_key": "users.read",
            "label": "View users",
            "group_key": "users",
            "group_label": "Users",
            "created_at": T1,
        },
        {
            KEY: uid(2),
            "permission_key": "reports.view",
            "label": "See reports",
            "group_key": "reports",
            "group_label": "Reports",
            "created_at": T2,
        },
    ]
    assert outcomes(batch) == {uid(3): ("merged", "equal_key")}
    assert batch.disposals[2].into == uid(1)
    assert sorted(archived(batch), key=str) == sorted(
        [
            (uid(1), "key", " Users.Read", "normalised"),
            (uid(3), "key", "users.READ", "merged"),
            (uid(3), "label", "Read all", "merged"),
            (uid(3), "group_key", "g", "merged"),
            (uid(3), "group_label", "G", "merged"),
            (uid(3), "created_at", T2, "merged"),
        ],
        key=str,
    )


def test_blank_keys() -> None:
    """A permission without a key has no row in the target; it is archived."""
    columns = {name: [values[0]] for name, values in COLUMNS.items()} | {"key": [" "]}
    batch = transform(batch_of(columns, {"created_at": TIMESTAMP}), Context(prepared={"losers": {}}))
    assert outcomes(batch) == {uid(1): ("archived", "blank_key")}


def test_labels() -> None:
    """A label equal to its key stays where the catalogue has none; other labels stay always."""
    found = labels(
        frame({"l": ["odd.word", "users.read", "x"]})["l"], frame({"k": ["odd.word", "users.read", "users.read"]})["k"]
    )
    assert found.tolist() == ["odd.word", "View users", "x"]


@pytest.mark.parametrize(
    ("key", "group", "label"),
    [("reports.view.all", "reports", "Reports"), ("superuser", "other", "Other"), (".hidden", "other", "Other")],
)
def test_rows_of_words(key: str, group: str, label: str) -> None:
    """The group is the text before the first dot, else `other`; the description says where the key came from."""
    (row,) = rows_of(transform_words(batch_of({KEY: [key]}), Context()))
    assert row == {
        KEY: key,
        "permission_key": key,
        "label": key,
        "group_key": group,
        "group_label": label,
        "description": "Made of a word in role_meta.permissions of the legacy database.",
        "created_at": None,
    }


def test_lowered() -> None:
    """Trimmed and lower-cased; blank is null."""
    assert lowered(frame({"k": [" A.B\t"]})["k"]).tolist() == ["a.b"]
    assert lowered(frame({"k": [None, "", "  "]})["k"]).isna().all()


def test_catalogue() -> None:
    """The catalogue has the application's 33 keys in its 12 groups; each key has a label of its own."""
    expected = {
        "administration": {"admin.access"},
        "users": {"users.read", "users.write", "users.delete", "users.2fa.reset", "users.manage"},
        "roles": {"roles.read", "roles.write", "roles.delete"},
        "teams": {"teams.read", "teams.write", "teams.delete"},
        "billing": {"billing.read", "billing.write"},
        "settings": {"settings.read", "settings.write"},
        "backups": {
            "backups.read",
            "backups.run",
            "backups.prune",
            "backups.manage",
            "backups.restore",
            "backups.download",
        },
        "agents": {"agents.view", "agents.manage"},
        "checks": {"checks.view", "checks.run", "checks.manage"},
        "tickets": {"tickets.read", "tickets.write"},
        "customers": {"customers.read", "customers.write"},
        "devices": {"devices.read", "devices.write"},
    }
    found: dict[str, set[str]] = {}
    for key, seed in PERMISSIONS.items():
        found.setdefault(seed.group_key, set()).add(key)
        assert seed.key == key
        assert seed.group_label == seed.group_key.capitalize()
        assert seed.label not in {"", key}
    assert found == expected
    assert len({seed.label for seed in PERMISSIONS.values()}) == len(PERMISSIONS)


def test_adoption() -> None:
    """A permission that the target had is recognised by its key."""
    assert SPEC.adopt is not None
    assert SPEC.adopt.columns == ("permission_key",)
