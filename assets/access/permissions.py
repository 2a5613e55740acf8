"""Permissions: one row per permission key, from legacy permissions and from keys found only in role_meta.permissions.

Steps: of equal keys the oldest permission stands; a word of role_meta that neither a permission nor the catalogue knows
makes a row (whose row a key is, see permission_successors). Known faults of the data (of the edge cases): keys that differ in
case or white space alone (1 of 7 is merged away), a blank key (1), labels that only repeat the key (1 of 7; 1 of 9 generated ones), and
keys that roles hold as words although no permission of that name exists (3).
"""

from collections.abc import Iterable, Mapping

import pandas as pd
from sqlalchemy import select

from assets.access.rules.permission_catalogue import PERMISSIONS
from assets.access.rules.permission_successors import WINNERS, having_back, taking_over_seeds, taking_over_words
from assets.access.rules.words import lowered
from assets.shared.seed import SEED
from assets.shared.winners import GROUP, decide_winners, winners_of
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions, warned
from remoteiq_etl.spec.table import Adoption, Derived, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target

OTHER_GROUP = "other"
# Still true of the row when a legacy permission of its key arrives.
ONLY_IN_ROLE_META = "Made of a word in role_meta.permissions of the legacy database."
LEGACY_COLUMNS = ("key", "label", "group_key", "group_label", "created_at")


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Of permissions with equal keys the oldest wins; a word that neither they nor the catalogue know makes a row."""
    permissions = inputs["permissions"].sort_values(["created_at", "id"])
    rows = pd.DataFrame({KEY: permissions["id"], GROUP: lowered(permissions["key"])})
    found = decide_winners(rows, recorded, WINNERS, "oldest", successors_of="permissions")
    only = sorted(words_of(inputs["role_meta"]["permissions"]) - set(found.winner) - set(PERMISSIONS))
    return Decided(
        decisions=[
            *found.decisions,
            *taking_over_seeds(found.winner, context),
            *taking_over_words(found.winner, recorded, context),
            *having_back(only, set(found.winner.values()), recorded, context),
        ],
        rows={"derived": frame({KEY: only})},
        prepared={"losers": found.losers},
        warnings=[*found.warnings, *warned("permission_only_in_role_meta", "derived", only)],
    )


def words_of(lists: Iterable[list[str] | None]) -> set[str]:
    """The keys in lists of words."""
    words = [word for words in lists if isinstance(words, list) for word in words]
    return set(lowered(pd.Series(words, dtype=TEXT)).dropna())


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy row becomes one row; of equal keys the others are merged into the oldest."""
    keys = lowered(batch["key"])
    winners = winners_of(batch, context.prepared["losers"])
    batch.archive_only(keys.isna(), "blank_key")
    batch.merge(winners.notna(), "equal_key", into=winners)
    for column in LEGACY_COLUMNS:
        batch.keep(winners.notna(), column, "merged")
    batch.keep(winners.isna() & (keys != batch["key"]), "key", "normalised")
    batch["permission_key"] = keys
    batch["label"] = labels(batch["label"], keys)
    batch.carry("group_key", "group_label", "created_at")
    return batch


def labels(legacy_labels: pd.Series, keys: pd.Series) -> pd.Series:
    """The label of each key; one that only repeats its key takes the catalogue's."""
    seeds = pd.Series([seed.label if (seed := PERMISSIONS.get(key)) else None for key in keys], dtype=TEXT)
    repeats = (lowered(legacy_labels) == keys).fillna(False)
    return legacy_labels.mask(repeats & seeds.notna(), seeds)


def transform_words(batch: Batch, context: Context) -> Batch:
    """One key that only role_meta has becomes one row, grouped by its text before the first dot.

    created_at is the database's: it is set so that a legacy permission which takes the row over can be compared.
    """
    groups = [key.split(".")[0] if "." in key else "" for key in batch.keys]
    batch["permission_key"] = batch.keys
    batch["label"] = batch.keys
    batch["group_key"] = pd.Series([group or OTHER_GROUP for group in groups], dtype=TEXT)
    batch["group_label"] = pd.Series([(group or OTHER_GROUP).capitalize() for group in groups], dtype=TEXT)
    batch["description"] = ONLY_IN_ROLE_META
    batch["created_at"] = pd.Series([None] * len(batch.legacy), dtype=TIMESTAMP)
    return batch


SPEC = TableSpec(
    target=target.permissions,
    grain="one row per permission key",
    sources=(Source(legacy.permissions, transform), Derived(transform_words)),
    decide=Decide(
        reads={
            "permissions": select(
                legacy.permissions.c.id,
                legacy.permissions.c.key,
                legacy.permissions.c.created_at,
            ),
            "role_meta": select(legacy.role_meta.c.permissions),
        },
        function=decide,
        redecided=(WINNERS,),
    ),
    lookups=(("permissions", "permissions"), ("permissions", SEED)),
    after=("seed_permissions",),
    legacy_reads=(legacy.role_meta,),
    adopt=Adoption(columns=("permission_key",)),
    insert_only=("description",),
    moving_key=True,
    lineage={
        "group_label": ("role_meta.permissions",),
        "group_key": ("role_meta.permissions",),
        "label": ("permissions.key",),
        "permission_key": ("permissions.key", "role_meta.permissions"),
    },
    rules={
        "permission_key": "lower-cased and trimmed; of equal keys the oldest stands; a key that only role_meta knows makes a row",
        "label": "unchanged; a label that only repeats its key takes the catalogue's",
        "group_key": "unchanged; of a key that only role_meta knows the text before its first dot, else other",
        "group_label": "unchanged; of a key that only role_meta knows its group, capitalised",
        "description": "says of a key that only role_meta knows where it came from; else none, legacy had no such column",
    },
)
