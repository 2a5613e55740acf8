"""Grants: one row per role and permission, the union of legacy role_permissions and role_meta.permissions.

Steps: read both tables as one, merge equal grants into that of the oldest role, add those that only role_meta holds. A grant
dates from the legacy role that holds it, also where that role is merged into another. Known faults of the data (of the edge
cases): the two tables disagree (4 grants are in role_meta alone), merged roles and permissions hold a grant twice (2 of 12
rows), grants of or to what is gone (2), and of a blank key (1).
"""

from collections.abc import Iterator, Mapping

import pandas as pd

from assets.access.rules import grants
from assets.access.rules.adopted_roles import adopted_ids
from assets.access.rules.grants import HELD_BY, IN_META, IN_ROWS, PAIR
from assets.access.rules.maps import ROLE_OF_NAME, ROLE_OF_WORD
from assets.access.rules.words import lowered
from assets.shared.winners import GROUP, Winners, decide_winners, recorded_winners, winners_of
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.frames.times import microseconds
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import TAKES_ROW_OF, Decide, Decided, Decision, StoredDecisions, Warned
from remoteiq_etl.spec.run_options import ROLE_GRANTS
from remoteiq_etl.spec.table import OWNER, Derived, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

MERGED_ROLE = "merged_role"
SUCCEEDS, LAPSED = "succeeds", "lapsed"
Ref = tuple[str, str]  # legacy table and key of a grant


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Which of equal grants stands for the others, which only role_meta holds, and which only one table holds."""
    roles = grants.roles_by_age(inputs)
    held = grants.held(inputs, roles)
    outvoted = grants.outvoted(held, context)
    counting = held[~outvoted]
    found = equal_grants(_rows(counting), recorded)
    owners = owners_of(roles, context)
    listed = one_sided(held, owners)
    permissions = inputs["permissions"]
    return Decided(
        decisions=[*found.decisions, *successors(standing(counting, recorded), held, outvoted, recorded, context)],
        rows={"derived": only_in_meta(counting)},
        prepared={
            "losers": found.losers,
            "outvoted": frozenset(held.loc[outvoted, KEY]),
            "blank": frozenset(permissions.loc[lowered(permissions["key"]).isna(), "id"]),
            "granted_at": dict(zip(roles["role_id"], microseconds(roles["granted_at"]), strict=True)),
            "owner_of": {key: owners[role] for key, role in zip(roles["role_id"], roles["role"], strict=True)},
            "one_sided": listed,
        },
        warnings=[*found.warnings, *told(listed)],
    )


def equal_grants(rows: pd.DataFrame, recorded: StoredDecisions) -> Winners:
    """The winner among legacy rows that become one grant: that of the oldest role, then the lowest key."""
    several = rows[rows.duplicated(PAIR, keep=False)]
    groups = [key_text(pair) for pair in zip(several["role"], several["permission_key"], strict=True)]
    members = pd.DataFrame({KEY: several[KEY].to_list(), GROUP: pd.Series(groups, dtype=TEXT)})
    return decide_winners(members, recorded, "role_permissions.grant", "oldest")


def _rows(held: pd.DataFrame) -> pd.DataFrame:
    return held[held[HELD_BY] == IN_ROWS]


def standing(counting: pd.DataFrame, recorded: StoredDecisions) -> dict[tuple[str, str], Ref]:
    """Which key stands for each grant, by role and permission: a row of role_permissions, else one that only role_meta holds."""
    losers = equal_grants(_rows(counting), recorded).losers
    rows, words = _rows(counting), only_in_meta(counting)
    roles = dict(zip(counting["role_id"], counting["role"], strict=True))
    of_words = {
        (roles[role], word): ("derived", key)
        for role, word, key in zip(words["role_id"], words["permission_key"], words[KEY], strict=True)
    }
    of_rows = {
        (role, word): ("role_permissions", key)
        for role, word, key in zip(*(rows[name] for name in (*PAIR, KEY)), strict=True)
        if key not in losers
    }
    return of_words | of_rows


def successors(
    now: Mapping[tuple[str, str], Ref],
    held: pd.DataFrame,
    outvoted: pd.Series,
    recorded: StoredDecisions,
    context: Context,
) -> Iterator[Decision]:
    """The keys that take a grant over from the one that stood for it while role_grants was the other: no grant is made twice."""
    other = standing(held if outvoted.any() else held[~grants.unnamed(held)], recorded)
    for pair, successor in now.items():
        former = other.get(pair, successor)
        if former != successor and len(
            context.lookup("role_permissions", former[0]).find(pd.Series([former[1]])).dropna()
        ):
            yield Decision(*successor, SUCCEEDS, {TAKES_ROW_OF: list(former)})
            if recorded.get(*former) is not None:
                yield Decision(*former, LAPSED)


def only_in_meta(counting: pd.DataFrame) -> pd.DataFrame:
    """One row per grant that no row of role_permissions holds."""
    first = counting.assign(rank=counting[HELD_BY] == IN_META).sort_values("rank", kind="stable").drop_duplicates(PAIR)
    return first.loc[first[HELD_BY] == IN_META, [KEY, "role_id", "permission_key"]].reset_index(drop=True)


def owners_of(roles: pd.DataFrame, context: Context) -> dict[str, str]:
    """The legacy role that stands for each normalised name: the recorded winner, else the oldest."""
    oldest = roles.drop_duplicates("role")
    recorded = recorded_winners(context, *ROLE_OF_NAME, oldest["role"])
    owners = recorded.where(recorded.isin(roles["role_id"])).fillna(oldest["role_id"])
    return dict(zip(oldest["role"], owners, strict=True))


def one_sided(held: pd.DataFrame, owners: Mapping[str, str]) -> pd.DataFrame:
    """Grants to look at before writing, by role and key: those that one table alone holds, or a merged role alone."""
    holders: dict[tuple[str, str], set[str]] = {}
    for role, key, role_id, held_by in zip(*(held[name] for name in (*PAIR, "role_id", HELD_BY)), strict=True):
        holders.setdefault((role, key), set()).update({held_by} if owners[role] == role_id else ())
    listed = [
        (role, key, *by) if by else (role, key, MERGED_ROLE)
        for (role, key), by in sorted(holders.items())
        if by != {IN_ROWS, IN_META}
    ]
    return pd.DataFrame(listed, columns=[*PAIR, HELD_BY], dtype=TEXT)


def told(listed: pd.DataFrame) -> Iterator[Warned]:
    """A warning for each of these grants, by role name and key."""
    for role, key, held_by in zip(*(listed[name] for name in (*PAIR, HELD_BY)), strict=True):
        yield Warned(f"grant_only_in_{held_by}", held_by, key_text([role, key]))


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy row becomes one grant; equal ones are merged."""
    winners = winners_of(batch, context.prepared["losers"])
    batch.filter(batch["permission_id"].isin(list(context.prepared["blank"])), "blank_key")
    batch.filter(batch.keys.isin(list(context.prepared["outvoted"])), "role_meta_first")
    batch.merge(winners.notna(), "equal_grant", into=winners)
    batch["permission_key"] = batch.parent("permission_id", context.lookup("permissions"), "permissions")
    return _granted(batch, context)


def transform_words(batch: Batch, context: Context) -> Batch:
    """One grant that only role_meta holds becomes one row."""
    batch.carry("permission_key")
    return _granted(batch, context)


def _granted(batch: Batch, context: Context) -> Batch:
    batch["role_id"] = batch.parent("role_id", context.lookup("roles"), "roles")
    batch.filter(batch.columns["role_id"].isin(list(adopted_ids(context))), "adopted_role")
    times, owners = context.prepared["granted_at"], context.prepared["owner_of"]
    batch["granted_at"] = pd.Series([times.get(role) for role in batch["role_id"]], dtype=TIMESTAMP)
    batch[OWNER] = pd.Series([owners.get(role) for role in batch["role_id"]], dtype=TEXT)
    return batch


SPEC = TableSpec(
    target=target.role_permissions,
    grants_to="role_id",
    grain="one row per role and permission that it grants",
    sources=(Source(legacy.role_permissions, transform), Derived(transform_words)),
    decide=Decide(reads=grants.READS, function=decide),
    lookups=(("roles", "roles"), ROLE_OF_NAME, ROLE_OF_WORD, ("permissions", "permissions")),
    legacy_reads=(legacy.roles, legacy.role_meta, legacy.permissions),
    run_options=(ROLE_GRANTS,),
    replaces=True,
    owned_by=legacy.roles,
    lineage={
        "permission_key": ("permissions.key", "role_permissions.permission_id", "role_meta.permissions"),
        "granted_at": ("role_meta.updated_at", "roles.created_at"),
    },
    rules={
        "permission_key": "the union of the rows and of the words in role_meta",
        "granted_at": "when role_meta was changed, else when the role was created",
        "granted_by": "nobody was recorded in legacy",
    },
)
