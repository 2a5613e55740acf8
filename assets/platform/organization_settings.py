"""Settings of the organization as JSON: one row per organization, assembled from five singleton tables and one column.

Steps: choose the row of each table that the legacy application reads, assemble four JSON objects of them, add seeds where a
table has no row. Known faults of the data (of the edge cases): a second row in each of the five singleton tables, and two
tables of support settings that overlap in seven columns (the older one fills 4 gaps, loses 1 value, repeats 1).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import select

from assets.platform.rules import assembled_settings, settings_paths, singletons
from assets.seeds.rules import settings
from assets.shared.seed import SEED
from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TIMESTAMP, frame
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.decisions import Decide, Decided, Decision, StoredDecisions
from remoteiq_etl.spec.dispositions import merged
from remoteiq_etl.spec.table import Adoption, Derived, Source, TableSpec
from remoteiq_etl.spec.transform_context import ORGANIZATION, Context
from schemas import legacy, target
from schemas.state.decisions import legacy_settings_map

JSON_COLUMNS = ("branding", "localization", "support", "notifications")
MERGED = "settings"


def decide(inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context) -> Decided:
    """The assembled row, and which row of each table it was made of."""
    used = assembled_settings.used_rows(inputs)
    migrated = assembled_settings.assembled(used)
    seeds = seeds_of([table for table, row in used.items() if row is None], inputs, recorded, context)
    values = {name: {**seeds.get(name, {}), **migrated[name]} for name in JSON_COLUMNS}
    created_at, updated_at = assembled_settings.times(used)
    row = frame(
        {
            KEY: [context.organization_slug],
            **{name: [json_text.dumps(values[name])] for name in JSON_COLUMNS},
            "created_at": [created_at],
            "updated_at": [updated_at],
        },
        {"created_at": TIMESTAMP, "updated_at": TIMESTAMP},
    )
    prepared = {
        "used": {table: singletons.key_of(found) for table, found in used.items()},
        "support": values["support"],
    }
    kept = {legacy_settings_map.name: settings_paths.settings_map(used, migrated["support"])}
    return Decided(seed_decisions(seeds), {"derived": row}, prepared, kept)


def seeds_of(
    without_row: list[str], inputs: Mapping[str, pd.DataFrame], recorded: StoredDecisions, context: Context
) -> dict[str, dict[str, Any]]:
    """The seeds among the settings, by column: chosen when the row is made by us, so that none replaces what was there."""
    found = settings.seeded(without_row)
    if len(context.lookup("organization_settings", "derived").keys):
        chosen = recorded.of(SEED)
        return {name: {k: v for k, v in keys.items() if f"{name}.{k}" in chosen} for name, keys in found.items()}
    return {} if inputs["present"]["slug"].isin([context.organization_slug]).any() else found


def seed_decisions(seeds: Mapping[str, Mapping[str, Any]]) -> list[Decision]:
    """Which keys are seeds, marked as such in the map."""
    return [
        Decision(SEED, f"{column}.{key}", SEED, {"value": value})
        for column, keys in seeds.items()
        for key, value in keys.items()
    ]


def transform(batch: Batch, context: Context) -> Batch:
    """One row per organization; a time that no table knows is null, for which the database has a default.

    The columns are always the same ones: rows of two runs are compared.
    """
    batch["organization_id"] = context.organization_id
    batch.carry(*JSON_COLUMNS, "created_at", "updated_at")
    return batch


def transform_branding(batch: Batch, context: Context) -> Batch:
    """The row with the highest id is merged, further rows are archived."""
    _dispose(batch, context, "branding_settings")
    return batch


def transform_localization(batch: Batch, context: Context) -> Batch:
    """The row that is read is merged, further rows are archived."""
    _dispose(batch, context, "localization_settings")
    return batch


def transform_support_legal(batch: Batch, context: Context) -> Batch:
    """The row that is read is merged; a blank that a value of the other table displaces is superseded."""
    used = _dispose(batch, context, "support_legal")
    _keep_superseded(batch, context, used, settings_paths.SUPPORT)
    return batch


def transform_support_legal_settings(batch: Batch, context: Context) -> Batch:
    """The row that is read is merged; a value that loses against support_legal is superseded."""
    used = _dispose(batch, context, "support_legal_settings")
    _keep_superseded(batch, context, used, settings_paths.SUPPORT_GAPS)
    return batch


def _dispose(batch: Batch, context: Context, table: str) -> pd.Series:
    return singletons.dispose(batch, context.prepared["used"][table], MERGED)


def _keep_superseded(batch: Batch, context: Context, used: pd.Series, keys: Mapping[str, str]) -> None:
    for column, key in keys.items():
        batch.keep(used & (batch[column] != context.prepared["support"].get(key)), column, "superseded")


SPEC = TableSpec(
    target=target.organization_settings,
    grain="one row per organization",
    sources=(
        Source(legacy.branding_settings, transform_branding),
        Source(legacy.localization_settings, transform_localization),
        Source(legacy.support_legal, transform_support_legal),
        Source(legacy.support_legal_settings, transform_support_legal_settings),
        Derived(transform),
    ),
    decide=Decide(
        reads={
            "branding_settings": select(legacy.branding_settings),
            "localization_settings": select(legacy.localization_settings),
            "support_legal": select(legacy.support_legal),
            "support_legal_settings": select(legacy.support_legal_settings),
            "company_profile": select(legacy.company_profile),
            "backups_config": select(legacy.backups_config.c.id, legacy.backups_config.c.notifications),
        },
        target_reads={
            "present": select(target.organizations.c.slug).join(
                target.organization_settings,
                target.organization_settings.c.organization_id == target.organizations.c.id,
            )
        },
        function=decide,
        keeps=(legacy_settings_map,),
    ),
    lookups=(ORGANIZATION,),
    legacy_reads=(legacy.company_profile, legacy.backups_config),
    adopt=Adoption(columns=("organization_id",)),
    lineage={
        **settings_paths.lineage(),
        "created_at": ("branding_settings.created_at",),
        "updated_at": ("branding_settings.updated_at", "support_legal_settings.updated_at"),
    },
    rules={
        "branding": "one camelCase key for each column; nulls are left out",
        "localization": "one camelCase key for each column; nulls are left out",
        "support": "one camelCase key for each column; support_legal first, its gaps filled; the company is the key company",
        "notifications": "as the key backups",
        "created_at": "branding's, else the earliest that is known",
        "updated_at": "the latest that is known",
    },
    dispositions=dict.fromkeys(
        ("branding_settings.id", "localization_settings.id", "support_legal.id", "support_legal_settings.id"),
        merged("tells rows apart; the one that is read becomes the settings", MERGED),
    ),
)
