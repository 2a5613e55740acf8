"""The organization that owns everything: one row per source.

The new application looks its organization up by slug, and creates an empty second one when it finds none. Known faults of
the data: a second row (1 of 2 in each table of the edge cases, one with a time zone that no server knows), a blank company
name.
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import select

from assets.platform.rules import singletons
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.frames.text import is_blank
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, StoredDecisions
from remoteiq_etl.spec.dispositions import merged
from remoteiq_etl.spec.table import Adoption, Derived, Source, TableSpec
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from schemas import legacy, target

DEFAULT_NAME = "Default Organization"
DEFAULT_TIME_ZONE = "UTC"


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The one row, from the company profile and the localization that the legacy application reads."""
    company = singletons.first_row(inputs["company_profile"])
    localization = singletons.first_row(inputs["localization_settings"])
    row = {
        KEY: [context.organization_slug],
        "name": [company["name"] if company else None],
        "time_zone": [localization["time_zone"] if localization else None],
    }
    return Decided(rows={"derived": frame(row)}, prepared={"used": singletons.key_of(company)})


def transform(batch: Batch, context: Context) -> Batch:
    """One row per source; a blank name and an unknown time zone become what the application itself would write."""
    batch["id"] = context.organization_id
    batch["slug"] = batch.keys
    batch["name"] = batch["name"].mask(is_blank(batch["name"]), DEFAULT_NAME)
    zone = batch["time_zone"]
    known = zone.isin(list(context.time_zones))
    batch.warn(zone.notna() & ~known, "unknown_time_zone")
    batch["time_zone"] = zone.where(known, DEFAULT_TIME_ZONE)
    return batch


def transform_company_profile(batch: Batch, context: Context) -> Batch:
    """The profile that is read is merged into the organization; further rows are archived."""
    singletons.dispose(batch, context.prepared["used"], "organization")
    return batch


SPEC = TableSpec(
    target=target.organizations,
    grain="one row per source",
    sources=(Source(legacy.company_profile, transform_company_profile), Derived(transform)),
    decide=Decide(
        reads={
            "company_profile": select(legacy.company_profile.c.id, legacy.company_profile.c.name),
            "localization_settings": select(
                legacy.localization_settings.c.id, legacy.localization_settings.c.time_zone
            ),
        },
        function=decide,
    ),
    lookups=(ORGANIZATION,),
    time_zones=True,
    legacy_reads=(legacy.localization_settings,),
    adopt=Adoption(columns=("slug",), application_defaults={"name": DEFAULT_NAME, "time_zone": DEFAULT_TIME_ZONE}),
    lineage={"name": ("company_profile.name",), "time_zone": ("localization_settings.time_zone",)},
    rules={
        "id": "derived from the slug",
        "slug": "of the configuration: the application finds its organization by it",
        "name": "unchanged; Default Organization where it is blank",
        "time_zone": "unchanged where the target knows the zone, else UTC",
    },
    dispositions={
        "company_profile.id": merged("tells rows apart; the one that is read becomes the organization", "organization"),
    },
)
