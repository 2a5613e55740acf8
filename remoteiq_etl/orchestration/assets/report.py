"""The migration report in Dagster: an asset with the verdict in its metadata, and a job that writes it.

Belongs here: metadata, and the edge at which errors become what Dagster may store. Does not belong here: what is in the report
(see remoteiq_etl.report).
"""

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.orchestration.assets.discovery import DeclaredTable
from remoteiq_etl.orchestration.assets.target import TARGET_CONSTRAINTS
from remoteiq_etl.orchestration.metadata import legacy_tables
from remoteiq_etl.orchestration.metadata.materialization import Metadata
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.report.make import ReportScope, Written, write
from remoteiq_etl.report.model import Report

MIGRATION_REPORT = dg.AssetKey("migration_report")
REPORT = "report"
_ABOUT = (
    "Grain: one report of the whole migration.\n\nOne HTML file that a person reads and signs, and the same as JSON: verdict,"
    " counts, what waits, what was archived, and what is to be done before the cut-over. It reads, and writes nothing to"
    " either database."
)


def definitions(
    tables: Mapping[str, DeclaredTable], settings: Callable[[], Settings]
) -> tuple[dg.AssetsDefinition, Any]:
    """The asset of the report, and the job that makes it."""
    scope = ReportScope(
        {name: table.spec for name, table in tables.items()}, {name: table.domain for name, table in tables.items()}
    )

    @dg.asset(
        key=MIGRATION_REPORT,
        group_name="report",
        deps=[TARGET_CONSTRAINTS],
        kinds={"html"},
        owners=legacy_tables.OWNERS,
        tags={"side": "target"},
        description=_ABOUT,
    )
    def migration_report() -> dg.MaterializeResult[None]:
        try:
            written = write(settings(), scope)
        except Exception as error:  # noqa: BLE001  # the edge of the process towards Dagster, which stores texts
            raise dg.Failure(describe(error), allow_retries=False) from None
        return dg.MaterializeResult(metadata=metadata(written))

    about = (
        "Writes the migration report below the home directory. The asset's metadata say where, and what its verdict is."
    )
    job = dg.define_asset_job(
        REPORT,
        selection=dg.AssetSelection.assets(MIGRATION_REPORT),
        description=about,
        executor_def=dg.in_process_executor,
    )
    return migration_report, job


def metadata(written: Written) -> Metadata:
    """The verdict and what there is to do; counts and names, no values."""
    report = written.report
    return {
        "verdict": dg.MetadataValue.text(report.verdict.standing.value),
        "report": dg.MetadataValue.path(str(written.page)),
        "report as JSON": dg.MetadataValue.path(str(written.data)),
        "before the cut-over": dg.MetadataValue.md(tasks_as_markdown(report)),
        "legacy rows without outcome": dg.MetadataValue.int(sum(table.lost for table in report.tables)),
        "tables": dg.MetadataValue.json({one.value: count for one, count in report.verdict.tables.items()}),
        "differences": dg.MetadataValue.json(dict(report.verdict.labels)),
    }


def tasks_as_markdown(report: Report) -> str:
    """The tasks as a list, those that block first."""
    lines = [
        f"- {'**' if one.blocks else ''}{one.count:,} {one.title}{'**' if one.blocks else ''}" for one in report.tasks
    ]
    return "\n".join(lines) or "Nothing is left to do."
