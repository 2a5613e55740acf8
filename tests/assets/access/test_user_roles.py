from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from assets.access.rules.adopted_roles import exceeding
from assets.access.user_roles import SPEC, decide, transform
from remoteiq_etl.frames.dtypes import TEXT_LIST, TIMESTAMP, frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.table import OWNER
from remoteiq_etl.spec.transform_context import Context
from tests.assets.builders import archived, batch_of, outcomes, rows_of, uid, waits

T1, T2 = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
USER, OTHER, TECH = uid(1), uid(2), uid(51)
TIMES = dict.fromkeys(("created_at", "updated_at", "last_seen", "password_updated_at"), TIMESTAMP)


def run(
    roles: list[str | None],
    users: Lookup | None = None,
    words: Lookup | None = None,
    links: Lookup | None = None,
    exceeds: frozenset[str] = frozenset(),
) -> Batch:
    ids = [uid(number + 1) for number in range(len(roles))]
    columns: dict[str, list[Any]] = {"id": ids, "role": roles}
    columns |= {name: [T1 if name == "created_at" else T2] * len(roles) for name in TIMES}
    context = Context(
        prepared={"exceeding": exceeds},
        lookups={
            ("users", "users"): users or Lookup.of({key: key for key in ids}),
            ("roles", "users.role"): words or Lookup.of({"tech": TECH}),
            ("user_roles", "users"): links or Lookup.of({}),
        },
    )
    return transform(batch_of(columns, TIMES), context)


def test_target_row() -> None:
    """The word is matched normalised; the link dates from the user's creation and belongs to the user."""
    assert rows_of(run([" TECH "])) == [{KEY: USER, OWNER: USER, "user_id": USER, "role_id": TECH, "assigned_at": T1}]


def test_blank_words() -> None:
    """A blank word gives no link; one of white space is archived."""
    batch = run([" ", None])
    assert outcomes(batch) == {
        USER: ("filtered", "blank_role"),
        OTHER: ("filtered", "blank_role"),
    }
    assert archived(batch) == [(USER, "role", " ", "blank_role")]


def test_links_wait_for_user_and_role() -> None:
    """A link waits for its user, then for its role."""
    assert waits(run(["Tech"], Lookup.of({}))) == {USER: (("users", USER), ("id",))}
    assert waits(run(["Owner"])) == {USER: (("roles", "owner"), ("role",))}


def test_adopted_users_get_no_role() -> None:
    """An adopted user gets no role from us."""
    users = Lookup.of({USER: uid(91)}, adopted=frozenset({USER}))
    assert outcomes(run(["Tech"], users)) == {USER: ("filtered", "adopted_user")}


def test_dependants_of_quarantined_users() -> None:
    """The link of a quarantined user is quarantined with it."""
    users = Lookup.of({}, quarantined=frozenset({USER}))
    assert outcomes(run(["Tech"], users)) == {USER: ("quarantined", "parent_quarantined")}


def test_only_roles_of_legacy_or_made_by_the_rule() -> None:
    """A word is looked up in the roles that came from legacy or were made from words, and waits for them else."""
    batch = run(["Owner"])
    assert outcomes(batch) == {USER: ("held", "parent_missing")}
    assert batch.disposals[0].parent == ("roles", "owner")


def test_adopted_role_that_exceeds() -> None:
    """No legacy user is linked to an adopted role that holds more; a link that was written before stays."""
    batch = run(["Tech", "Tech"], exceeds=frozenset({"tech"}), links=Lookup.of({OTHER: key_text([OTHER, TECH])}))
    assert outcomes(batch) == {USER: ("filtered", "adopted_role_exceeds_legacy")}
    assert [row["user_id"] for row in rows_of(batch)] == [OTHER]
    batch = run(["Tech"], exceeds=frozenset({"tech"}), links=Lookup.of({USER: key_text([USER, uid(52)])}))
    assert outcomes(batch) == {USER: ("filtered", "adopted_role_exceeds_legacy")}


# --- which adopted roles exceed -----------------------------------------------------------------------------------


def inputs(held: list[tuple[str, str, str]], slug: str = "default") -> dict[str, pd.DataFrame]:
    """Role Tech may users.read (by row) and users.write (by word); `held`: (role id, name, key) in the target."""
    return {
        "roles": frame({"id": [uid(1)], "name": ["Tech"], "created_at": [T1]}, {"created_at": TIMESTAMP}),
        "permissions": frame({"id": [uid(11), uid(12)], "key": ["Users.Read", "users.delete"]}),
        "role_permissions": frame({"role_id": [uid(1)], "permission_id": [uid(11)]}),
        "role_meta": frame(
            {"role_name": ["Tech"], "permissions": [["users.write"]], "updated_at": [T1]},
            {"permissions": TEXT_LIST, "updated_at": TIMESTAMP},
        ),
        "target_grants": frame(
            {
                "id": [role for role, _, _ in held],
                "name": [name for _, name, _ in held],
                "permission_key": [key for _, _, key in held],
                "slug": [slug] * len(held),
            }
        ),
    }


MORE = [(uid(71), "TECH", "users.read"), (uid(71), "TECH", "users.delete")]


def test_a_role_that_holds_more_exceeds() -> None:
    """A role of the organization that is not ours exceeds when it holds a key that the legacy role does not hold."""
    assert exceeding(inputs(MORE), Context()) == {"tech"}
    assert (
        exceeding(inputs([(uid(71), "Tech", "users.read"), (uid(71), "Tech", "users.write")]), Context()) == frozenset()
    )
    assert exceeding(inputs([(uid(71), "Desk", "users.read")]), Context()) == {"desk"}
    assert decide(inputs(MORE), StoredDecisions(), Context()).prepared == {"exceeding": {"tech"}}


def test_role_meta_first_counts_for_the_comparison() -> None:
    """Under role_meta_first only the words count as the legacy role's grants."""
    held = inputs([(uid(71), "Tech", "users.read")])
    assert exceeding(held, Context()) == frozenset()
    assert exceeding(held, Context(options={"role_grants": "role_meta_first"})) == {"tech"}


def test_roles_of_another_organization_do_not_count() -> None:
    """Only roles of our organization are looked at."""
    assert exceeding(inputs(MORE, slug="other"), Context()) == frozenset()


@pytest.mark.parametrize("source", ["roles", "users.role"])
def test_our_own_roles_do_not_count(source: str) -> None:
    """A role that we wrote may have been given more in the new system since; an adopted one is looked at each time."""
    ours = Lookup.of({"k": uid(71)})
    assert exceeding(inputs(MORE), Context(lookups={("roles", source): ours})) == frozenset()
    adopted = Lookup.of({"k": uid(71), "merged": uid(71)}, adopted=frozenset({"k"}))
    assert exceeding(inputs(MORE), Context(lookups={("roles", source): adopted})) == {"tech"}


@pytest.mark.parametrize("name", ["Owner", "ADMIN"])
def test_owner_and_admin_are_excepted(name: str) -> None:
    """The application gives Owner and Admin every key at each boot: they never count as exceeding."""
    assert exceeding(inputs([(uid(71), name, "users.delete")]), Context()) == frozenset()


def test_the_operator_accepts() -> None:
    """A role that the operator accepts by name does not count."""
    options = {"accept_adopted_roles": ["tech ", "Desk"]}
    assert exceeding(inputs(MORE), Context(options=options)) == frozenset()
    assert exceeding(inputs(MORE), Context(options={"accept_adopted_roles": ["Desk"]})) == {"tech"}


def test_declaration() -> None:
    """A user's links are replaced as a whole; users are counted elsewhere."""
    assert SPEC.replaces
    assert [(source.name, getattr(source, "primary", None)) for source in SPEC.sources] == [("users", False)]
    assert SPEC.decide is not None
    assert set(SPEC.decide.target_reads) == {"target_grants"}
