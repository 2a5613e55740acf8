"""Links of users to roles: at most one row per legacy user, from the word in users.role.

Known faults of the data, with their share of generated users: blank words (2 %), and words that name no role (1 % name a
maintenance firm, 14 % are the default User); roles makes one for each of these first (see role_words).
"""

from collections.abc import Mapping

import pandas as pd

from assets.access.rules import adopted_roles, grants, user_times
from assets.access.rules.maps import ROLE_OF_WORD
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.frames.row_keys import key_text
from remoteiq_etl.frames.text import normalised
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.run_options import ROLE_GRANTS
from remoteiq_etl.spec.table import OWNER, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import legacy, target


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """Which adopted roles hold more than their legacy namesakes."""
    return Decided(prepared={"exceeding": adopted_roles.exceeding(inputs, context)})


def transform(batch: Batch, context: Context) -> Batch:
    """One legacy user becomes one link; only to a role that came from legacy or was made from this word."""
    words = normalised(batch["role"])
    batch[OWNER] = batch.keys
    batch.filter(context.lookup("users").is_adopted(batch.keys), "adopted_user")
    batch.keep(words.isna(), "role", "blank_role")
    batch.filter(words.isna(), "blank_role")
    batch["user_id"] = batch.parent("id", context.lookup("users"), "users", batch.keys)
    batch["role_id"] = batch.parent("role", context.lookup(*ROLE_OF_WORD), "roles", words)
    more = words.isin(list(context.prepared["exceeding"]))
    batch.filter(more & ~already_linked(batch, context), "adopted_role_exceeds_legacy")
    batch["assigned_at"] = user_times.created_at(batch)
    return batch


def already_linked(batch: Batch, context: Context) -> pd.Series:
    """Users whose link to this very role was written by an earlier run."""
    links = [
        key_text([user, role]) if isinstance(user, str) and isinstance(role, str) else None
        for user, role in zip(batch.columns["user_id"], batch.columns["role_id"], strict=True)
    ]
    written = context.lookup("user_roles", "users").find(batch.keys)
    return (written == pd.Series(links, dtype=TEXT)).fillna(False).astype(bool)


SPEC = TableSpec(
    target=target.user_roles,
    grants_to="user_id",
    grain="one row per user and role",
    sources=(Source(legacy.users, transform, primary=False),),
    decide=Decide(reads=grants.READS, function=decide, target_reads=adopted_roles.TARGET_READS),
    lookups=(("users", "users"), ("roles", "roles"), ROLE_OF_WORD, ("user_roles", "users")),
    legacy_reads=(legacy.roles, legacy.role_meta, legacy.permissions, legacy.role_permissions),
    run_options=(ROLE_GRANTS, adopted_roles.ACCEPT),
    replaces=True,
    owned_by=legacy.users,
    moves_with="user_id",
    lineage={
        "user_id": ("users.id",),
        "role_id": ("users.role",),
        "assigned_at": (
            "users.updated_at",
            "users.last_seen",
            "users.password_updated_at",
            "users.created_at",
        ),
    },
    rules={
        "role_id": "the role of this normalised name, of legacy or made from the word; never a seeded or system role",
        "assigned_at": "when the user was created",
        "assigned_by": "nobody was recorded in legacy",
    },
)
