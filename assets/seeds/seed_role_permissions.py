"""What the system roles grant: one row per seeded role and permission. A grant that was taken away is not given again."""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.seeds.rules.system_roles import SYSTEM_ROLES
from assets.shared.seed import SEED, entries, new_keys
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import OWNER, Derived, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import target

PERMISSION_MAPS = ("permissions", "derived", SEED)


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The grants of each seeded role that is there, as far as their permissions are."""
    there = set(inputs["permissions"]["permission_key"])
    there |= {key for table in PERMISSION_MAPS for key in new_keys(context.lookup("permissions", table))}
    roles = [key for key in entries(context.lookup("roles", SEED)) if key in SYSTEM_ROLES]
    grants = [(role, key) for role in roles for key in SYSTEM_ROLES[role].grants if key in there]
    rows = {
        KEY: [key_text(grant) for grant in grants],
        "role": [role for role, _ in grants],
        "permission_key": [key for _, key in grants],
    }
    return Decided(rows={SEED: frame(rows)})


def transform(batch: Batch, context: Context) -> Batch:
    """One grant becomes one row, owned by its role."""
    batch["role_id"] = batch.parent("role", context.lookup("roles", SEED), "roles")
    batch.carry("permission_key")
    batch[OWNER] = batch["role"]
    return batch


SPEC = TableSpec(
    target=target.role_permissions,
    asset_name="seed_role_permissions",
    grain="one row per system role and permission that it grants",
    sources=(Derived(transform, name=SEED, lasts=True),),
    decide=Decide(reads={}, target_reads={"permissions": select(target.permissions.c.permission_key)}, function=decide),
    lookups=(("roles", SEED), *(("permissions", table) for table in PERMISSION_MAPS)),
    after=("seed_permissions", "seed_roles", "role_permissions"),
)
