"""The legacy database's drift as an asset: what is not as expected, and the archive of what an operator accepted."""

import dagster as dg

from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.outcomes.drift_archive import RULE
from remoteiq_etl.orchestration.assets.target import TARGET_SCHEMA
from remoteiq_etl.orchestration.metadata import legacy_tables
from remoteiq_etl.orchestration.metadata.materialization import Metadata
from remoteiq_etl.orchestration.runtime import resource, run_options

ACCEPTED_DRIFT = dg.AssetKey(RULE)

_ARCHIVED = dg.TableSchema(
    columns=[
        dg.TableColumn("legacy table"),
        dg.TableColumn("columns", description="* for whole rows"),
        dg.TableColumn("rows", type="int"),
    ]
)


@dg.asset(
    key=ACCEPTED_DRIFT,
    group_name="prepare",
    deps=[TARGET_SCHEMA],
    kinds={"postgres"},
    owners=legacy_tables.OWNERS,
    tags={"side": "target"},
    required_resource_keys={run_options.KEY},
    pool=run_options.POOL,
)
def accepted_drift(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Grain: one entry of the archive per accepted legacy column and row, and per row of an accepted table.

    Archives what the legacy database has beyond our definition of it and an operator accepted. Nothing is done where there
    is no such thing: a difference that nobody accepted has stopped the run before.
    """
    with resource.of(context).step(context) as run:
        return dg.MaterializeResult(metadata=_metadata(run.context.plan, run.archive_extras()))


def _metadata(plan: RunPlan, report: TableReport) -> Metadata:
    rows = [
        dg.TableRecord(
            {
                "legacy table": extra.table,
                "columns": ", ".join(extra.archived_as),
                "rows": report.accounts[extra.table].outcomes[Ledger.ARCHIVED],
            }
        )
        for extra in plan.extras
    ]
    return {
        "rows archived": dg.MetadataValue.int(report.total(Ledger.ARCHIVED)),
        "archived": dg.MetadataValue.table(rows, schema=_ARCHIVED),
        "differences": dg.MetadataValue.json(list(plan.warnings)),
        "tables not loaded": dg.MetadataValue.json(dict(plan.blocked)),
    }
