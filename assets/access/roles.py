"""Roles of the organization: one row per normalised role name, from legacy roles and from words of users.role.

Steps: of equal names the oldest role stands and the others are merged into it; a word of users.role that names no role
makes one (see role_words); description and times come from role_meta first. Known faults of the data (of the edge cases):
names that differ in case, white space or ß alone (4 of 10 roles are merged away), descriptions in two tables that disagree
(2 roles), meta of a role that is gone (1 of 5), words that name no role (3 of 9).
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import func, select

from assets.access.rules.maps import ROLE_OF_WORD
from assets.access.rules.role_words import MADE, USERS_ROLE, decide_words
from assets.access.rules.words import lowered
from assets.shared.winners import GROUP, Winners, decide_winners, winners_of
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, frame
from remoteiq_etl.frames.text import is_blank, normalised
from remoteiq_etl.frames.times import microseconds
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions, warned
from remoteiq_etl.spec.dispositions import merged
from remoteiq_etl.spec.table import Adoption, Derived, Source, TableSpec
from remoteiq_etl.spec.times import first_of
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from schemas import legacy, target

UNKNOWN = {"description": TEXT, "created_at": TIMESTAMP, "updated_at": TIMESTAMP}  # of a role that was made of a word
SCOPE = "organization"


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Which role stands for each name, and which role each word of users.role means."""
    roles = inputs["roles"].sort_values(["created_at", "id"])
    found = oldest_of_equal_names(roles, recorded)
    words = decide_words(inputs["users"], found, recorded, context)
    return Decided(
        decisions=[*found.decisions, *words.decisions],
        rows={USERS_ROLE: frame({KEY: list(words.made), "name": list(words.made.values())})},
        prepared={
            "losers": found.losers,
            "joined": words.new_keys,
            "roles": dict(zip(roles["name"], roles["id"], strict=True)),
            **meta_by_name(inputs["role_meta"]),
        },
        warnings=[*found.warnings, *warned(MADE, USERS_ROLE, words.made)],
    )


def oldest_of_equal_names(roles: pd.DataFrame, recorded: StoredDecisions) -> Winners:
    """Names equal after normalisation are merged into the oldest role, ties by id. `roles`: in that order."""
    rows = pd.DataFrame({KEY: roles["id"], GROUP: normalised(roles["name"])})
    return decide_winners(rows, recorded, "roles.name", "oldest", successors_of="roles")


def meta_by_name(role_meta: pd.DataFrame) -> dict[str, Mapping[str, object]]:
    """Descriptions and times of role_meta by role name."""
    return {
        "descriptions": dict(zip(role_meta["role_name"], role_meta["description"], strict=True)),
        "updated": dict(zip(role_meta["role_name"], microseconds(role_meta["updated_at"]), strict=True)),
    }


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy role becomes one role of the organization; of equal names the others are merged into the oldest."""
    winners = winners_of(batch, context.prepared["losers"])
    batch.quarantine(is_blank(batch["name"]), "blank_name", "name")
    batch.merge(winners.notna(), "equal_name", into=winners)
    for column in ("name", "description", "created_at"):
        batch.keep(winners.notna(), column, "merged")
    batch["id"] = ids(batch, context)
    _of_the_organization(batch, context)
    batch.carry("created_at")
    batch["description"] = descriptions(batch, context, winners.isna())
    updated = [context.prepared["updated"].get(name) for name in batch["name"]]
    batch["updated_at"] = first_of(pd.Series(updated, dtype=TIMESTAMP), batch["created_at"])
    return batch


def ids(batch: Batch, context: Context) -> pd.Series:
    """The id of the made role that each role takes over, else the one given before, else kept or derived."""
    taken_over = pd.Series([context.prepared["joined"].get(key) for key in batch.keys], dtype=TEXT)
    given = taken_over.fillna(context.lookup("roles").find(batch.keys))
    return given.fillna(context.kept_or_derived("roles", "roles", batch["id"]))


def descriptions(batch: Batch, context: Context, stays: pd.Series) -> pd.Series:
    """role_meta's description, else the role's own; one that loses is superseded."""
    own = batch["description"]
    other = pd.Series([context.prepared["descriptions"].get(name) for name in batch["name"]], dtype=TEXT)
    chosen = other.mask(is_blank(other), own).fillna(other)
    batch.keep(stays & (own != chosen), "description", "superseded")
    return chosen


def transform_meta(batch: Batch, context: Context) -> Batch:
    """Each row is merged into its role; what that does not take over is archived. Its words: see role_permissions."""
    roles = pd.Series([context.prepared["roles"].get(name) for name in batch["role_name"]], dtype=TEXT)
    batch.quarantine(is_blank(batch["role_name"]), "parent_quarantined", "role_name", detail="its role is quarantined")
    batch.hold(roles.isna(), "roles", batch["role_name"], "role_name")
    lost = roles.isin(list(context.prepared["losers"]))
    batch.keep(lost | is_blank(batch["description"]), "description", "superseded")
    batch.keep(lost, "updated_at", "superseded")
    lists = [words if isinstance(words, list) else [] for words in batch["permissions"]]
    changed = [list(lowered(pd.Series(words, dtype=TEXT))) != words for words in lists]
    # Grants have no order, and two tables may hold one: the list as it was is kept, also where no word of it was changed.
    batch.keep(pd.Series(changed, dtype=bool), "permissions", "normalised", json_text.texts(lists))
    batch.keep(~pd.Series(changed, dtype=bool), "permissions", "order", json_text.texts(lists))
    batch.merge(batch.is_open(), "role_meta")
    return batch


def transform_made(batch: Batch, context: Context) -> Batch:
    """One word of users.role that names no legacy role becomes a role without permissions.

    It has the columns of a legacy one, null where nothing is known, so that one which takes it over can be compared.
    """
    batch["id"] = context.derive_many("roles", "derived", batch.keys)
    _of_the_organization(batch, context)
    for column, dtype in UNKNOWN.items():
        batch[column] = pd.Series([None] * len(batch.legacy), dtype=dtype)
    return batch


def _of_the_organization(batch: Batch, context: Context) -> None:
    batch["organization_id"] = context.organization_id
    batch["scope"] = SCOPE
    batch.carry("name")


SPEC = TableSpec(
    target=target.roles,
    grain="one row per normalised role name of the organization",
    sources=(
        Source(legacy.roles, transform),
        Source(legacy.role_meta, transform_meta),
        Derived(transform_made, name=USERS_ROLE),
    ),
    decide=Decide(
        reads={
            "roles": select(legacy.roles.c.id, legacy.roles.c.name, legacy.roles.c.created_at),
            "role_meta": select(
                legacy.role_meta.c.role_name,
                legacy.role_meta.c.description,
                legacy.role_meta.c.updated_at,
            ),
            "users": select(legacy.users.c.role, func.count().label("users")).group_by(legacy.users.c.role),
        },
        function=decide,
        redecided=("roles.name",),
    ),
    lookups=(ORGANIZATION, ("roles", "roles"), ROLE_OF_WORD),
    legacy_reads=(legacy.users,),
    adopt=Adoption(columns=("organization_id", "name"), among={"scope": SCOPE}),
    lineage={
        "name": ("roles.name", "users.role"),
        "description": ("role_meta.description", "roles.description"),
        "updated_at": ("role_meta.updated_at", "roles.created_at"),
    },
    rules={
        "scope": "always organization",
        "name": "the oldest of equal names after normalisation; a word of users.role that names no role makes one",
        "description": "role_meta's, else the role's own",
        "updated_at": "role_meta's, else the time that the role was created",
    },
    dispositions={
        "role_meta.role_name": merged("names the role that the row is part of", "role_meta"),
    },
)
