"""DKIM domains: one row per domain that the settings or a key name.

Known faults of the data (of the edge cases): domains in another case or with white space (2 of 7 rows), or blank (1).
"""

from collections.abc import Mapping

import pandas as pd

from assets.email.rules import dkim
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.table import Adoption, Derived, TableSpec
from remoteiq_etl.spec.times import earliest, latest
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from schemas import legacy, target


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """One row per domain, made when it was first named and changed when it was last."""
    both = pd.concat([inputs["dkim_settings"], inputs["dkim_keys"]], ignore_index=True)
    first, last = (choose(both["created_at"], both["updated_at"]) for choose in (earliest, latest))
    both = both.assign(**{KEY: dkim.domains(both["domain"]), "created_at": first, "updated_at": last}).dropna(
        subset=[KEY]
    )
    grouped = both.groupby(KEY)
    rows = pd.DataFrame({"created_at": grouped["created_at"].min(), "updated_at": grouped["updated_at"].max()})
    return Decided(rows={"derived": rows.reset_index()})


def transform(batch: Batch, context: Context) -> Batch:
    """One row per domain of the organization."""
    batch["id"] = context.derive_many("dkim_domains", "derived", batch.keys)
    batch["organization_id"] = context.organization_id
    batch["domain"] = batch.keys
    batch.carry("created_at", "updated_at")
    return batch


SPEC = TableSpec(
    target=target.dkim_domains,
    grain="one row per domain with DKIM settings or keys",
    sources=(Derived(transform),),
    decide=Decide(reads=dkim.READS, function=decide),
    lookups=(ORGANIZATION,),
    legacy_reads=(legacy.dkim_settings, legacy.dkim_keys),
    adopt=Adoption(columns=("organization_id", "domain")),
    lineage={
        "domain": ("dkim_settings.domain", "dkim_keys.domain"),
        "created_at": ("dkim_settings.updated_at", "dkim_keys.created_at", "dkim_keys.updated_at"),
        "updated_at": ("dkim_settings.updated_at", "dkim_keys.created_at", "dkim_keys.updated_at"),
    },
    rules={
        "domain": "trimmed and lower-cased; a blank one makes no row",
        "created_at": "the earliest time of the domain's rows",
        "updated_at": "the latest time of the domain's rows",
    },
)
