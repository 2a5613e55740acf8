"""Check templates: one row per template whose name no check of the organization has. Switched off, assigned to nothing.

A legacy check of such a name that arrives later takes the row over (see checks).
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.seeds.rules.templates import CHECKS, OFF, SCHEDULE
from assets.shared.seed import SECTION_8, SEED, key_of, of_organization, to_write
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Derived, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import target

_MIGRATED = ("checks", "derived")


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The templates to write."""
    names = [template.name for template in CHECKS.values()]
    written = to_write(names, of_organization(inputs["present"], context), context, "checks", _MIGRATED)
    return Decided(rows={SEED: frame({KEY: [key_of(name) for name in written]})})


def transform(batch: Batch, context: Context) -> Batch:
    """One template becomes one check. It has the columns of a migrated one, which may take it over."""
    templates = [CHECKS[key] for key in batch.keys]
    batch["id"] = context.derive_many("checks", SEED, batch.keys)
    batch["organization_id"] = context.organization_id
    for column in ("name", "type", "description"):
        batch[column] = pd.Series([getattr(template, column) for template in templates], dtype=TEXT)
    for column in ("category", "created_by"):
        batch[column] = None
    for column in ("created_at", "updated_at"):
        batch[column] = pd.Series([None] * len(templates), dtype=TIMESTAMP)
    batch["schedule"] = SCHEDULE
    batch["config"] = json_text.texts({**template.config, **OFF} for template in templates)
    return batch


SPEC = TableSpec(
    target=target.checks,
    asset_name="seed_checks",
    grain="one row per check template whose name no check has",
    sources=(Derived(transform, name=SEED, lasts=True),),
    decide=Decide(
        reads={},
        target_reads={
            "present": select(target.checks.c.id, target.checks.c.name, target.organizations.c.slug).join(
                target.organizations, target.organizations.c.id == target.checks.c.organization_id
            )
        },
        function=decide,
    ),
    lookups=tuple(("checks", table) for table in _MIGRATED),
    after=SECTION_8,
)
