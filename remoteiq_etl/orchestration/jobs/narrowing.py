"""A re-sync narrowed to what has changed: it records a step for each table that it has to load, and one for all others.

Belongs here: which assets such a run has. Does not belong here: whether something has changed (remoteiq_etl.lifecycle.changed_assets),
what becomes of the other tables (orchestration.assets.unchanged).
"""

from collections.abc import Collection, Mapping

import dagster as dg
import psycopg

from remoteiq_etl.errors import RemoteIQError
from remoteiq_etl.lifecycle.changed_assets import assets_to_load
from remoteiq_etl.lifecycle.migration import Migration
from remoteiq_etl.orchestration.assets import contract_checks
from remoteiq_etl.orchestration.assets.drift import ACCEPTED_DRIFT
from remoteiq_etl.orchestration.assets.target import TARGET_CONSTRAINTS, TARGET_SCHEMA
from remoteiq_etl.orchestration.assets.unchanged import UNCHANGED_TABLES
from remoteiq_etl.spec.table import TableSpec


def narrowed(instance: dg.DagsterInstance, migration: Migration) -> list[dg.AssetKey] | None:
    """The assets of a re-sync that has a step for no table of which nothing has changed.

    None, which is all of them, where every table has changed, and where that cannot be told: the run says what is wrong.
    """
    try:
        chosen = assets_to_load(migration, _never_recorded(instance, migration.specs))
    except (RemoteIQError, psycopg.Error):
        return None
    if chosen >= {name for name, spec in migration.specs.items() if spec.no_source is None}:
        return None
    around = [TARGET_SCHEMA, ACCEPTED_DRIFT, UNCHANGED_TABLES, TARGET_CONSTRAINTS]
    return [*around, *(dg.AssetKey(name) for name in sorted(chosen))]


def checks_of(specs: Mapping[str, TableSpec], chosen: Collection[dg.AssetKey]) -> list[dg.AssetCheckKey]:
    """The checks that the steps of these assets make: named, or those that a job of their own makes would come along."""
    loaded = [spec for name, spec in specs.items() if dg.AssetKey(name) in chosen]
    return [check.key for spec in loaded for check in contract_checks.specs_of(spec)]


def _never_recorded(instance: dg.DagsterInstance, assets: Collection[str]) -> set[str]:
    """The assets of which this instance has no materialization: it is a new one, or somebody wiped them."""
    records = instance.get_asset_records([dg.AssetKey(name) for name in assets])
    known = {one.asset_entry.asset_key for one in records if one.asset_entry.last_materialization is not None}
    return {name for name in assets if dg.AssetKey(name) not in known}
