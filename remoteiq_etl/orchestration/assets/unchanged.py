"""The tables of which nothing has changed, in one step: a step for each would record fifteen events to say so.

A re-sync that was narrowed (see jobs.narrowing) has no step for them. This one asks the engine all the same, in the run's
snapshot: what has changed since the look is loaded here, and recorded as its own step would record it. Belongs here: which
tables that are, and what is recorded of them. Does not belong here: whether one has changed (remoteiq_etl.backfill.change_capture).
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.run import Run
from remoteiq_etl.errors import ConservationError
from remoteiq_etl.orchestration.assets import contract_checks
from remoteiq_etl.orchestration.assets.tables import NO_VALUE
from remoteiq_etl.orchestration.assets.target import TARGET_SCHEMA
from remoteiq_etl.orchestration.metadata import legacy_tables, materialization
from remoteiq_etl.orchestration.runtime import resource, run_options
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.spec.dependencies import in_order
from remoteiq_etl.spec.table import TableSpec

UNCHANGED_TABLES = dg.AssetKey("unchanged_tables")

#: What was written to the target. Rows that wait and were looked at again are none of these.
_WRITTEN = (Ledger.INSERTED, Ledger.ADOPTED, Ledger.UPDATED, Ledger.DELETED)
#: What is open of a table, as its materialization shows it: another number is news.
_OPEN = ("open in quarantine", "of these ignored", "open held", "open conflicts")
_Event = dg.AssetMaterialization | dg.AssetCheckEvaluation


def unchanged_tables(specs: Mapping[str, TableSpec]) -> dg.AssetsDefinition:
    """The asset of the pass. `specs`: all tables; those that have a step in the run are left to it."""

    @dg.asset(
        key=UNCHANGED_TABLES,
        group_name="prepare",
        deps=[TARGET_SCHEMA],
        kinds={"postgres"},
        owners=legacy_tables.OWNERS,
        tags={"side": "target"},
        required_resource_keys={run_options.KEY},
        pool=run_options.POOL,
        # Before any table that has a step: what one refers to is here already, whichever of both ways it came.
        op_tags={"dagster/priority": "1"},
        dagster_type=NO_VALUE,
    )
    def passed_by(context: dg.AssetExecutionContext) -> Iterator[_Event | dg.MaterializeResult[None]]:
        """Grain: one pass over the tables for which the run has no step, because nothing of them had changed.

        Looks at each of them again in the run's snapshot, and loads one that has changed meanwhile. A run with a step for every
        table has nothing to do here.
        """
        left, opened = _without_step(context, specs), resource.of(context)
        with opened.step(context) as run:
            opened.progress.sums_up = False
            run.announce(left)
            for spec in left:
                yield from _load(run, spec, context.instance)
            yield dg.MaterializeResult(metadata=_metadata([run.reports[spec.asset] for spec in left]))

    return passed_by


def _without_step(context: dg.AssetExecutionContext, specs: Mapping[str, TableSpec]) -> Sequence[TableSpec]:
    """The tables that the run was not asked to load, parents first. A run that was asked for no selection loads all."""
    selected = context.run.asset_selection
    if selected is None:
        return []
    return [spec for spec in in_order(specs) if dg.AssetKey(spec.asset) not in selected]


def _load(run: Run, spec: TableSpec, instance: dg.DagsterInstance) -> Iterator[_Event]:
    """Load one table. What is recorded of it: nothing, or what its own step would record. Raises as that does."""
    try:
        report = run.load(spec)
        results = contract_checks.results(spec, report)
    except ConservationError as error:
        yield _evaluation(spec, contract_checks.broken_law(describe(error)), None)
        raise
    last = instance.get_latest_materialization_event(dg.AssetKey(spec.asset))
    before = last.asset_materialization if last else None
    metadata = materialization.of_load(spec, report, run.context.target.schema)
    if not _is_news(report, metadata, before):
        return
    # Of which code and inputs the rows are has not changed, else the table would have had a step.
    yield dg.AssetMaterialization(spec.asset, metadata=metadata, tags=before.tags if before else None)
    (made,) = instance.fetch_materializations(dg.AssetKey(spec.asset), limit=1).records
    for result in results:
        yield _evaluation(spec, result, made)


def _is_news(report: TableReport, metadata: materialization.Metadata, before: dg.AssetMaterialization | None) -> bool:
    """Whether a load did anything, or left other rows waiting than were recorded before."""
    if report.unchanged or not report.read:
        return False
    written = report.removed + report.found_late + report.decided + sum(map(report.total, _WRITTEN))
    return before is None or written > 0 or any(metadata[name] != before.metadata.get(name) for name in _OPEN)


def _evaluation(
    spec: TableSpec, result: dg.AssetCheckResult, made: dg.EventLogRecord | None
) -> dg.AssetCheckEvaluation:
    """A result as the event that Dagster makes of it in a table's own step."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(spec.asset),
        check_name=str(result.check_name),
        passed=result.passed,
        metadata=result.metadata,
        target_materialization_data=made
        and AssetCheckEvaluationTargetMaterializationData(
            storage_id=made.storage_id, run_id=made.run_id, timestamp=made.timestamp
        ),
        severity=result.severity,
        description=result.description,
        blocking=True,
    )


def _metadata(reports: Sequence[TableReport]) -> materialization.Metadata:
    loaded = sorted(report.table for report in reports if not report.unchanged and report.read)
    return {
        "tables passed by": dg.MetadataValue.int(len(reports) - len(loaded)),
        "tables looked at": dg.MetadataValue.json(loaded),
    }
