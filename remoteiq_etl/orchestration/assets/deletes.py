"""The pass over rows that are gone from the legacy database, as an asset of its own: it is made on its own cadence."""

from collections.abc import Callable, Collection, Iterator, Mapping

import dagster as dg

from remoteiq_etl.backfill.deletes.detect import DeletePolicy, DeletesReport
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.alerts import alerts
from remoteiq_etl.orchestration.metadata import legacy_tables
from remoteiq_etl.orchestration.metadata.materialization import Metadata
from remoteiq_etl.orchestration.runtime import resource, run_options

GONE_FROM_LEGACY = dg.AssetKey("gone_from_legacy")

_POLICIES: Mapping[DeletePolicy, str] = {
    DeletePolicy.LIST: "Lists them. Users that are gone are disabled, their sessions and tokens revoked.",
    DeletePolicy.PROPAGATE: "Deletes what is ours, unchanged and referred to by nothing that stays; lists the rest.",
}
_CONFIG = {
    "policy": dg.Field(
        dg.Enum("Deletes", [dg.EnumValue(str(policy), description=text) for policy, text in _POLICIES.items()]),
        is_required=False,
        description="What becomes of rows that are gone. Left out: what the setting deletes says, list unless it is set.",
    ),
    "confirm": dg.Field(
        [str],
        is_required=False,
        default_value=[],
        description="Tables, legacy or target, of which so much is gone that the brake holds them, although that is right.",
    ),
}
_COLUMNS = ("mapped", "gone", "deleted", "withdrawn", "listed", "lives_on", "returned")
_BY_TABLE = dg.TableSchema(
    columns=[dg.TableColumn("table"), *(dg.TableColumn(name.replace("_", " "), type="int") for name in _COLUMNS)]
)


def gone_from_legacy(upstream: Collection[dg.AssetKey], settings: Callable[[], Settings]) -> dg.AssetsDefinition:
    """The asset of the pass. `upstream`: the tables that are loaded before it where one job has both."""

    @dg.asset(
        key=GONE_FROM_LEGACY,
        group_name="finalize",
        deps=sorted(upstream),
        kinds={"postgres"},
        owners=legacy_tables.OWNERS,
        tags={"side": "target"},
        config_schema=_CONFIG,
        check_specs=[
            dg.AssetCheckSpec("brake", asset=GONE_FROM_LEGACY, description="No table lost suspiciously many rows.")
        ],
        required_resource_keys={run_options.KEY},
        pool=run_options.POOL,
    )
    def gone(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        """Grain: one entry per legacy row that is gone, and target table that it became a row of.

        Compares the keys of every legacy table with what was migrated. Where a table has lost all of its rows, or more than
        ten and a fifth of them, nothing is done about it until somebody confirms.
        """
        opened = resource.of(context)
        with opened.step(context) as run:
            config = context.op_execution_context.op_config
            policy = DeletePolicy(config.get("policy", settings().deletes))
            reports = run.deletes.look(policy, confirmed=config["confirm"])
            braked = {name: report.brake for name, report in reports.items() if report.brake}
            opened.extra_alerts += alerts.of_guard(
                run.context.source_record.name, braked, run.context.id, opened.dagster_run_id
            )
        yield dg.MaterializeResult(metadata=_metadata(policy, reports), check_results=[_guard(braked)])

    return gone


def _guard(reasons: Mapping[str, str]) -> dg.AssetCheckResult:
    texts = "\n".join(f"{table}: {reason}" for table, reason in sorted(reasons.items()))
    return dg.AssetCheckResult(
        passed=not reasons,
        check_name="brake",
        severity=dg.AssetCheckSeverity.WARN,
        description=texts or "None has.",
        metadata={"tables held": len(reasons)},
    )


def _metadata(policy: DeletePolicy, reports: Mapping[str, DeletesReport]) -> Metadata:
    counts = {table: report.counts() for table, report in reports.items()}
    totals = {name: sum(of_table[name] for of_table in counts.values()) for name in _COLUMNS}
    rows = [
        dg.TableRecord({"table": table, **{name.replace("_", " "): of_table[name] for name in _COLUMNS}})
        for table, of_table in counts.items()
        if any(of_table[name] for name in _COLUMNS if name != "mapped")
    ]
    return {
        "policy": dg.MetadataValue.text(str(policy)),
        **{f"rows {name.replace('_', ' ')}": dg.MetadataValue.int(total) for name, total in totals.items()},
        "by table": dg.MetadataValue.table(rows, schema=_BY_TABLE),
    }
