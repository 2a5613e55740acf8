"""The asset of a table, made from its declaration."""

from collections.abc import Collection, Iterator
from typing import Any

import dagster as dg

from remoteiq_etl.backfill.change_capture.code_fingerprint import code_fingerprint
from remoteiq_etl.errors import ConservationError
from remoteiq_etl.orchestration.assets import contract_checks
from remoteiq_etl.orchestration.assets.discovery import DeclaredTable
from remoteiq_etl.orchestration.assets.target import TARGET_SCHEMA
from remoteiq_etl.orchestration.metadata import legacy_tables, materialization
from remoteiq_etl.orchestration.runtime import resource, run_options
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.spec import dependencies
from remoteiq_etl.spec.table import Derived, TableSpec

#: Without it Dagster would hand the missing value of the output to an I/O manager. (It is typed as a class.)
NO_VALUE: Any = dg.Nothing


def table_asset(table: DeclaredTable, known: Collection[str], schema: str) -> dg.AssetsDefinition:
    """One asset per table, of the same name, in the group of its domain. `known`: the tables that have an asset.

    `schema`: the name of the target's, for display.
    """
    spec = table.spec
    # A table with parents follows the preparation through them. Where a run has none of them the priority of that step
    # lets it come first: an edge to each table would say nothing of where its rows come from.
    parents = [dg.AssetKey(name) for name in spec.dependencies if name in known] or [TARGET_SCHEMA]

    @dg.asset(
        name=spec.asset,
        group_name=table.domain,
        deps=[*parents, *(legacy_tables.key(name) for name in sorted(dependencies.legacy_tables(spec)))],
        description=_description(table),
        kinds={"postgres"} if spec.no_source else {"postgres", "pandas"},
        owners=legacy_tables.OWNERS,
        tags=_tags(table),
        metadata=materialization.of_definition(spec, schema),
        code_version=code_fingerprint(spec),
        check_specs=contract_checks.specs_of(spec),
        required_resource_keys={run_options.KEY},
        pool=run_options.POOL,
        dagster_type=NO_VALUE,
    )
    def load(context: dg.AssetExecutionContext) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        with resource.of(context).step(context) as run:
            try:
                report = run.load(spec)
                results = contract_checks.results(spec, report)
            except ConservationError as error:
                yield contract_checks.broken_law(describe(error))
                raise
            metadata = materialization.of_load(spec, report, run.context.target.schema)
            yield dg.MaterializeResult(metadata=metadata, check_results=results)

    return load


def _description(table: DeclaredTable) -> str:
    grain = f"Grain: {table.spec.grain}."
    empty = f"Without a source: {table.spec.no_source}." if table.spec.no_source else ""
    return "\n\n".join(part for part in (grain, empty, table.about) if part)


def _tags(table: DeclaredTable) -> dict[str, str]:
    return {"domain": table.domain, "side": "target", "transform": _kind(table.spec)}


def _kind(spec: TableSpec) -> str:
    if spec.no_source:
        return "none"
    return "set-wise" if spec.decide or any(isinstance(source, Derived) for source in spec.sources) else "row-wise"
