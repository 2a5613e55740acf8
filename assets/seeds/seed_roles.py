"""System roles: none where a role of that name exists, because the application expects names unique across both scopes.

A legacy role that arrives later with the name of one has grants of its own: the seed gives way to it, if nobody edited it
and no user has it. A role that people made in the new application takes nothing away.
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.access.rules.maps import ROLE_OF_NAME, ROLE_OF_WORD
from assets.seeds.rules.system_roles import SYSTEM_ROLES
from assets.shared.seed import SECTION_8, SEED, entries, key_of, to_write
from remoteiq_etl.frames.dtypes import TEXT, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, Decision, StoredDecisions, warned
from remoteiq_etl.spec.table import Derived, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import target

GIVES_WAY = "gives_way"


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The roles to write, and those that give way to a legacy role, once and for all."""
    legacy_names = names_of_legacy(context)
    gone = recorded.of(SEED)
    new = [key for key in entries(context.lookup("roles", SEED)) if key in legacy_names and key not in gone]
    decisions = [*gone.values(), *(Decision(SEED, key, GIVES_WAY) for key in new)]
    left_out = legacy_names | gone.keys()
    names = [role.name for key, role in SYSTEM_ROLES.items() if key not in left_out]
    keys = [key_of(name) for name in to_write(names, inputs["present"], context, "roles")]
    return Decided(decisions, {SEED: frame({KEY: keys})}, warnings=warned("seed_gives_way", SEED, new))


def names_of_legacy(context: Context) -> set[str]:
    """The normalised names of all roles that came from legacy or were made from users.role."""
    return {*context.lookup(*ROLE_OF_NAME).decisions, *context.lookup(*ROLE_OF_WORD).decisions}


def transform(batch: Batch, context: Context) -> Batch:
    """One system role becomes one role without organization."""
    roles = [SYSTEM_ROLES[key] for key in batch.keys]
    batch["id"] = context.derive_many("roles", SEED, batch.keys)
    batch["organization_id"] = None
    batch["scope"] = "system"
    batch["name"] = pd.Series([role.name for role in roles], dtype=TEXT)
    batch["description"] = pd.Series([role.description for role in roles], dtype=TEXT)
    return batch


SPEC = TableSpec(
    target=target.roles,
    asset_name="seed_roles",
    grain="one row per system role whose name no other role has",
    sources=(Derived(transform, name=SEED, removes=True, lasts=True, takes=("role_permissions",)),),
    decide=Decide(
        reads={},
        target_reads={"present": select(target.roles.c.id, target.roles.c.name)},
        function=decide,
    ),
    lookups=(ROLE_OF_NAME, ROLE_OF_WORD),
    # Whoever has a legacy role of the name must be linked to it before the seed is judged.
    after=("role_permissions", "user_roles", *SECTION_8),
)
