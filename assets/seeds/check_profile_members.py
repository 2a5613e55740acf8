"""Members of check profiles: legacy has none. One row per check template in the profile of templates."""

from collections.abc import Mapping

import pandas as pd

from assets.seeds.rules.templates import CHECKS, PROFILE
from assets.shared.seed import SEED, entries, key_of
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Derived, TableSpec
from remoteiq_etl.spec.transform_context import Context
from schemas import target


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The templates that are there, where the profile is ours and there."""
    ours = key_of(PROFILE) in entries(context.lookup("check_profiles", SEED))
    checks = [key for key in entries(context.lookup("checks", SEED)) if key in CHECKS]
    return Decided(rows={SEED: frame({KEY: checks if ours else []})})


def transform(batch: Batch, context: Context) -> Batch:
    """One template becomes one member."""
    profile = pd.Series([key_of(PROFILE)] * len(batch.keys), dtype=batch.keys.dtype)
    batch["profile_id"] = context.lookup("check_profiles", SEED).find(profile)
    batch["check_id"] = context.lookup("checks", SEED).find(batch.keys)
    return batch


SPEC = TableSpec(
    target=target.check_profile_members,
    grain="one row per profile and check template",
    sources=(Derived(transform, name=SEED, lasts=True),),
    decide=Decide(reads={}, function=decide),
    lookups=(("check_profiles", SEED), ("checks", SEED)),
    after=("seed_checks",),
    rules={"profile_id": "the profile of the templates", "check_id": "a check template"},
)
