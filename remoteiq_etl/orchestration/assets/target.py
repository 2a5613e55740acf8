"""The target schema as two assets: prepared before the first table is loaded, completed after the last."""

import hashlib
from collections.abc import Collection

import dagster as dg

from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.lifecycle.target.finalize import Finalized, finalize
from remoteiq_etl.lifecycle.target.prepare import PreparedTarget, prepare
from remoteiq_etl.orchestration.metadata import legacy_tables
from remoteiq_etl.orchestration.metadata.materialization import Metadata, waited
from remoteiq_etl.orchestration.runtime import resource, run_options
from remoteiq_etl.state.maps import ensure_maps

TARGET_SCHEMA = dg.AssetKey("target_schema")
TARGET_CONSTRAINTS = dg.AssetKey("target_constraints")


@dg.asset(
    key=TARGET_SCHEMA,
    group_name="prepare",
    kinds={"postgres"},
    owners=legacy_tables.OWNERS,
    tags={"side": "target"},
    required_resource_keys={run_options.KEY},
    pool=run_options.POOL,
    # Before every other step that could begin: tables without a parent in the run do not name it.
    op_tags={"dagster/priority": "2"},
)
def target_schema(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Grain: the whole target schema.

    Creates what is missing: extensions, enum types, tables with their keys, the function set_updated_at. What is there
    stays as it is. Foreign keys and indexes of the tables that it creates come in target_constraints.
    """
    with resource.of(context).step(context) as opened:
        run = opened.context
        prepared = prepare(run.session, target_schema=run.target.schema, state=run.state)
        run.catalogue.forget()
        ensure_maps(run.state, run.session, [spec for spec in run.plan.specs.values() if spec.no_source is None])
        return dg.MaterializeResult(metadata=_prepared(prepared), data_version=_version(prepared))


def target_constraints(upstream: Collection[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset that completes the target, after these."""

    @dg.asset(
        key=TARGET_CONSTRAINTS,
        group_name="finalize",
        deps=sorted(upstream),
        kinds={"postgres"},
        owners=legacy_tables.OWNERS,
        tags={"side": "target"},
        required_resource_keys={run_options.KEY},
        pool=run_options.POOL,
    )
    def constraints(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """Grain: the whole target schema.

        Makes the foreign keys and indexes that target_schema left out, validates them, and compares the catalogue with
        what we expect; sets sequences beyond what is there, and makes the reporting views. What is there already is not
        made again.
        """
        opened = resource.of(context)
        report = TableReport("target_constraints")
        with opened.step(context) as run:

            def made(name: str, done: int, total: int) -> None:
                opened.progress.part_made(name, done, total)
                run.pacer.before_batch(report)

            # Every table is loaded, and index builds in the same database wait for open transactions.
            run.release_snapshot()
            finalized = finalize(
                run.context.session,
                target_schema=run.context.target.schema,
                state=run.context.state,
                progress=made,
            )
            return dg.MaterializeResult(metadata={**_finalized(finalized), **waited(report)})

    return constraints


def _version(prepared: PreparedTarget) -> dg.DataVersion:
    """The same as long as the same tables are there: else each run would make the tables of other jobs look outdated."""
    tables = ",".join(sorted({*prepared.created, *prepared.existing}))
    return dg.DataVersion(hashlib.sha256(tables.encode()).hexdigest()[:16])


def _prepared(prepared: PreparedTarget) -> Metadata:
    return {
        "tables created": dg.MetadataValue.int(len(prepared.created)),
        "tables found": dg.MetadataValue.int(len(prepared.existing)),
        "enum types created": dg.MetadataValue.int(len(prepared.enums)),
        "extensions created": dg.MetadataValue.json(list(prepared.extensions)),
        "keys and indexes left out": dg.MetadataValue.int(len(prepared.left_out)),
        "function set_updated_at": dg.MetadataValue.text(str(prepared.function)),
        "tables without trigger": dg.MetadataValue.json(list(prepared.without_trigger)),
        "differences": dg.MetadataValue.json([str(drift) for drift in prepared.drifts]),
    }


def _finalized(finalized: Finalized) -> Metadata:
    return {
        "foreign keys made": dg.MetadataValue.int(len(finalized.foreign_keys)),
        "indexes made": dg.MetadataValue.int(len(finalized.indexes)),
        "tables completed": dg.MetadataValue.int(len(finalized.tables)),
        "sequences advanced": dg.MetadataValue.json(list(finalized.sequences)),
        "reporting views made": dg.MetadataValue.json(list(finalized.views)),
        "remarks": dg.MetadataValue.json(list(finalized.remarks)),
    }
