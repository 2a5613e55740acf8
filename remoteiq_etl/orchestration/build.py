"""Puts the definitions together: assets, jobs, executor, resource."""

from collections.abc import Callable, Collection, Mapping
from types import ModuleType

import dagster as dg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle.mapping.column_map import column_map
from remoteiq_etl.orchestration.assets import report as migration_report
from remoteiq_etl.orchestration.assets import stages, undo, verification
from remoteiq_etl.orchestration.assets.deletes import GONE_FROM_LEGACY, gone_from_legacy
from remoteiq_etl.orchestration.assets.discovery import DeclaredTable, find_tables
from remoteiq_etl.orchestration.assets.drift import accepted_drift
from remoteiq_etl.orchestration.assets.gate import gate_check
from remoteiq_etl.orchestration.assets.tables import table_asset
from remoteiq_etl.orchestration.assets.target import target_constraints, target_schema
from remoteiq_etl.orchestration.assets.unchanged import UNCHANGED_TABLES, unchanged_tables
from remoteiq_etl.orchestration.jobs import cutover
from remoteiq_etl.orchestration.jobs.application import application_job
from remoteiq_etl.orchestration.jobs.gate import on_closed_gate, rehearse_job
from remoteiq_etl.orchestration.jobs.jobs import jobs
from remoteiq_etl.orchestration.jobs.legacy_write_sensor import on_legacy_write
from remoteiq_etl.orchestration.jobs.lost_run_sensor import on_lost_run
from remoteiq_etl.orchestration.jobs.operations import operations_jobs
from remoteiq_etl.orchestration.jobs.prune import prune_job
from remoteiq_etl.orchestration.jobs.schedules import on_change, schedules, with_readable_schedules
from remoteiq_etl.orchestration.metadata import legacy_tables as legacy
from remoteiq_etl.orchestration.metadata import lineage
from remoteiq_etl.orchestration.runtime import resource, run_options


def build_definitions(package: ModuleType, settings: Callable[[], Settings] = Settings.load) -> dg.Definitions:
    """The definitions for the tables declared below a package. No database is reached."""
    return definitions_of(find_tables(package), settings)


def definitions_of(
    found: Mapping[str, DeclaredTable], settings: Callable[[], Settings] = Settings.load
) -> dg.Definitions:
    """The definitions for these tables."""
    settings = with_readable_schedules(settings)
    tables = list(found.values())
    specs = {name: table.spec for name, table in found.items()}
    shown = _for_display(settings)
    becomes = column_map(specs)
    legacy_tables = legacy.specs(shown.legacy_schema, lambda table: lineage.fates(becomes, table))
    assets = [table_asset(table, found, shown.target_schema) for table in tables]
    last = _last(tables)
    # Completing the target lets go of the snapshot, which passes over tables and over gone rows read.
    after = [gone_from_legacy(last, settings), target_constraints([*last, GONE_FROM_LEGACY, UNCHANGED_TABLES])]
    prepared = [target_schema, accepted_drift, unchanged_tables(specs)]
    report, report_job = migration_report.definitions(found, settings)
    state, stage_jobs = stages.definitions(found, settings)
    cut_over_jobs = cutover.definitions(specs, settings)
    return dg.Definitions(
        asset_checks=[verification.checks(found, settings), gate_check(specs, settings)],
        assets=[*legacy_tables, *prepared, *assets, *after, report, state],
        jobs=[
            *jobs(tables, shown.source),
            *undo.jobs(found, settings),
            report_job,
            prune_job(settings),
            *stage_jobs,
            *operations_jobs(specs, settings),
            rehearse_job(specs, settings),
            application_job(settings),
            *cut_over_jobs,
        ],
        schedules=schedules(shown.schedules, specs, settings),
        sensors=[
            on_change(specs, settings),
            on_lost_run(settings),
            on_legacy_write(specs, settings),
            on_closed_gate(specs, settings),
        ],
        # One snapshot in one process; Dagster's own default would be multiprocess.
        executor=dg.in_process_executor,
        resources={run_options.KEY: resource.resource(specs, settings)},
    )


def _for_display(settings: Callable[[], Settings]) -> Settings:
    """The settings, for the names that the definitions show; a wrong one is an error only when a run begins."""
    try:
        return settings()
    except ConfigurationError:
        return Settings()


def _last(tables: Collection[DeclaredTable]) -> list[dg.AssetKey]:
    """The tables that no other waits for."""
    awaited = {name for table in tables for name in table.spec.dependencies}
    return [dg.AssetKey(table.name) for table in tables if table.name not in awaited]
