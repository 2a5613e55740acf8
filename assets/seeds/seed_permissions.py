"""The permission catalogue of the new application: its keys that legacy does not have, written before anything refers to them.

A legacy permission of such a key that arrives later takes the row over (see permissions).
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.access.rules.maps import PERMISSION_OF_WORD
from assets.access.rules.permission_catalogue import PERMISSIONS
from assets.access.rules.words import lowered
from assets.shared.seed import SEED, to_write
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Derived, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The keys of the catalogue that neither legacy nor the target has."""
    known = set(lowered(inputs["legacy"]["key"]).dropna())
    keys = [key for key in PERMISSIONS if key not in known]
    written = to_write(keys, inputs["present"], context, "permissions", ("permissions", "derived"))
    return Decided(rows={SEED: frame({KEY: written})})


def transform(batch: Batch, context: Context) -> Batch:
    """One key of the catalogue becomes one row. created_at is the database's: it is set for whom takes the row over."""
    seeds = [PERMISSIONS[key] for key in batch.keys]
    batch["permission_key"] = batch.keys
    for column in ("label", "group_key", "group_label"):
        batch[column] = pd.Series([getattr(seed, column) for seed in seeds], dtype=TEXT)
    batch["created_at"] = pd.Series([None] * len(seeds), dtype=TIMESTAMP)
    return batch


SPEC = TableSpec(
    target=target.permissions,
    asset_name="seed_permissions",
    grain="one row per key of the permission catalogue that legacy does not have",
    sources=(Derived(transform, name=SEED, lasts=True),),
    decide=Decide(
        reads={"legacy": select(legacy.permissions.c.key)},
        target_reads={
            "present": select(
                target.permissions.c.permission_key.label("id"), target.permissions.c.permission_key.label("name")
            )
        },
        function=decide,
    ),
    recalls=(("permissions", "permissions"), PERMISSION_OF_WORD),
)
