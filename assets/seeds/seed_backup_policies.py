"""The backup policy template: one row, switched off, not the default, with no destination; none where the name is taken."""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.seeds.rules import templates
from assets.shared.seed import SECTION_8, SEED, key_of, of_organization, to_write
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Derived, TableSpec
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from schemas import target


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The policy, unless the organization has one of that name."""
    present = of_organization(inputs["present"], context)
    written = to_write([templates.POLICY], present, context, "backup_policies")
    return Decided(rows={SEED: frame({KEY: [key_of(name) for name in written]})})


def transform(batch: Batch, context: Context) -> Batch:
    """The one policy."""
    batch["id"] = context.derive_many("backup_policies", SEED, batch.keys)
    batch["organization_id"] = context.organization_id
    batch["name"] = templates.POLICY
    batch["description"] = templates.POLICY_DESCRIPTION
    batch["schedule"] = templates.POLICY_SCHEDULE
    batch["retention"] = json_text.dumps(templates.POLICY_RETENTION)
    batch["target_type"] = "organization"
    batch["options"] = json_text.dumps(templates.OFF)
    batch["is_default"] = False
    return batch


SPEC = TableSpec(
    target=target.backup_policies,
    asset_name="seed_backup_policies",
    grain="one row for the backup policy template",
    sources=(Derived(transform, name=SEED, lasts=True),),
    decide=Decide(
        reads={},
        target_reads={
            "present": select(
                target.backup_policies.c.id, target.backup_policies.c.name, target.organizations.c.slug
            ).join(target.organizations, target.organizations.c.id == target.backup_policies.c.organization_id)
        },
        function=decide,
    ),
    lookups=(ORGANIZATION,),
    after=("backup_policies", *SECTION_8),
)
