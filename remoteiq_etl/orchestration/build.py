"""Puts the definitions together: assets, jobs, executor, resource."""

from collections.abc import Callable, Collection, Mapping
from types import ModuleType
from typing import TYPE_CHECKING

import dagster as dg

from remoteiq_etl.config import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle.column_map import column_map
from remoteiq_etl.orchestration import legacy, lineage, migration
from remoteiq_etl.orchestration.assets import table_asset
from remoteiq_etl.orchestration.drift import ACCEPTED_DRIFT, accepted_drift
from remoteiq_etl.orchestration.tables import DeclaredTable, find_tables
from remoteiq_etl.orchestration.target import TARGET_CONSTRAINTS, TARGET_SCHEMA, target_constraints, target_schema

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as Job

BACKFILL = "backfill"


def build_definitions(package: ModuleType, settings: Callable[[], Settings] = Settings.load) -> dg.Definitions:
    """The definitions for the tables declared below a package. No database is reached."""
    return definitions_of(find_tables(package), settings)


def definitions_of(
    found: Mapping[str, DeclaredTable], settings: Callable[[], Settings] = Settings.load
) -> dg.Definitions:
    """The definitions for these tables."""
    tables = list(found.values())
    shown = _for_display(settings)
    becomes = column_map({name: table.spec for name, table in found.items()})
    legacy_tables = legacy.specs(shown.legacy_schema, lambda table: lineage.fates(becomes, table))
    assets = [table_asset(table, found, shown.target_schema) for table in tables]
    return dg.Definitions(
        assets=[*legacy_tables, target_schema, accepted_drift, *assets, target_constraints(_last(tables))],
        jobs=[_everything(tables), *_by_domain(tables)],
        # One snapshot in one process; Dagster's own default would be multiprocess.
        executor=dg.in_process_executor,
        resources={migration.KEY: migration.resource({name: table.spec for name, table in found.items()}, settings)},
    )


def _for_display(settings: Callable[[], Settings]) -> Settings:
    """The settings, for the names that the definitions show; a wrong one is an error only when a run begins."""
    try:
        return settings()
    except ConfigurationError:
        return Settings()


def domain_job(domain: str) -> str:
    """The name of the job of one domain."""
    return f"{BACKFILL}_{domain}"


def _last(tables: Collection[DeclaredTable]) -> list[dg.AssetKey]:
    """The tables that no other waits for."""
    awaited = {name for table in tables for name in table.spec.dependencies}
    return [dg.AssetKey(table.name) for table in tables if table.name not in awaited]


def _everything(tables: Collection[DeclaredTable]) -> "Job":
    keys = [TARGET_SCHEMA, ACCEPTED_DRIFT, *(dg.AssetKey(table.name) for table in tables), TARGET_CONSTRAINTS]
    return _job(BACKFILL, keys, "Prepares the target, loads every table, parents first, and completes the target.")


def _by_domain(tables: Collection[DeclaredTable]) -> "list[Job]":
    return [_domain_job(domain, tables) for domain in sorted({table.domain for table in tables})]


def _domain_job(domain: str, tables: Collection[DeclaredTable]) -> "Job":
    keys = [TARGET_SCHEMA, ACCEPTED_DRIFT, *(dg.AssetKey(table.name) for table in tables if table.domain == domain)]
    about = (
        f"Prepares the target and loads the tables of {domain}. Rows whose parents in other domains are not there yet"
        " are held, and released by a later run."
    )
    return _job(domain_job(domain), keys, about)


def _job(name: str, keys: list[dg.AssetKey], description: str) -> "Job":
    return dg.define_asset_job(
        name,
        selection=dg.AssetSelection.assets(*keys),
        description=description,
        executor_def=dg.in_process_executor,
    )
