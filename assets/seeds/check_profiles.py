"""Check profiles: legacy has none. One row, the profile of the check templates, unless one of that name is there."""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.seeds.rules.templates import PROFILE, PROFILE_DESCRIPTION
from assets.shared.seed import SECTION_8, SEED, key_of, of_organization, to_write
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Derived, TableSpec
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from schemas import target


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The profile, unless somebody has made one of that name."""
    written = to_write([PROFILE], of_organization(inputs["present"], context), context, "check_profiles")
    return Decided(rows={SEED: frame({KEY: [key_of(name) for name in written]})})


def transform(batch: Batch, context: Context) -> Batch:
    """The one profile."""
    batch["id"] = context.derive_many("check_profiles", SEED, batch.keys)
    batch["organization_id"] = context.organization_id
    batch["name"] = PROFILE
    batch["description"] = PROFILE_DESCRIPTION
    return batch


SPEC = TableSpec(
    target=target.check_profiles,
    grain="one row per profile of check templates",
    sources=(Derived(transform, name=SEED, lasts=True),),
    decide=Decide(
        reads={},
        target_reads={
            "present": select(
                target.check_profiles.c.id, target.check_profiles.c.name, target.organizations.c.slug
            ).join(target.organizations, target.organizations.c.id == target.check_profiles.c.organization_id)
        },
        function=decide,
    ),
    lookups=(ORGANIZATION,),
    after=SECTION_8,
    rules={
        "name": "a seed: Template: Baseline",
        "description": "what the profile is for",
        "created_by": "nobody: the profile is a seed",
    },
)
