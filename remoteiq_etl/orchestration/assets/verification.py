"""Verification in Dagster: an asset check `verified` for each table, made by the job `verify`, on a cadence of its own.

They are no part of the jobs that load: a verification holds no lock, and looks at what runs have left. So they block nothing
either, nothing being loaded after them; what must stop a load is checked by the load itself. Belongs here: checks and their
results. Does not belong here: what is verified (remoteiq_etl.verify).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import dagster as dg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.migration import connected
from remoteiq_etl.orchestration.assets.discovery import DeclaredTable
from remoteiq_etl.orchestration.metadata.materialization import Metadata
from remoteiq_etl.orchestration.runtime.progress import LogProgress, attached
from remoteiq_etl.orchestration.runtime.resource import RUN_TAG
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Label, Status, TableVerdict

VERIFIED = "verified"
VERIFICATION = "verification"
"""The step that makes the checks. Where a few tables are selected it comes along, and does nothing."""
_ABOUT = (
    "Every row is what the mapping makes of the legacy database, told by SQL that shares nothing with the load, and every"
    " legacy row is accounted for. Differences that are explained are counted; one that is not is an error."
)


def keys_of(tables: Iterable[DeclaredTable]) -> list[dg.AssetCheckKey]:
    """The checks of these tables; those without a source have none."""
    return [dg.AssetCheckKey(dg.AssetKey(one.spec.asset), VERIFIED) for one in tables if one.spec.no_source is None]


def checks(tables: Mapping[str, DeclaredTable], settings: Callable[[], Settings]) -> dg.AssetChecksDefinition:
    """One check per table, all made in one pass: they share a snapshot and copies of legacy tables."""
    specs = {name: table.spec for name, table in tables.items()}

    @dg.multi_asset_check(
        name=VERIFICATION,
        specs=[
            dg.AssetCheckSpec(VERIFIED, asset=key.asset_key, description=_ABOUT) for key in keys_of(tables.values())
        ],
        can_subset=True,
    )
    def verification(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        if _loads(context):
            context.log.info(
                "Nothing is verified in a run that loads: the job verify does that, and needs no end of a run."
            )
            return
        wanted = {key.asset_key.to_user_string() for key in context.selected_asset_check_keys}
        try:
            verdicts = _verdicts(context, specs, wanted, settings())
        except Exception as error:  # noqa: BLE001  # the edge of the process towards Dagster, which stores texts
            raise dg.Failure(describe(error), allow_retries=False) from None
        for asset in sorted(wanted):
            if (verdict := verdicts.get(specs[asset].name)) is not None:
                yield _result(asset, verdict)

    return verification


def _loads(context: dg.AssetCheckExecutionContext) -> bool:
    """Whether the Dagster run loads tables: checks come along with a selection of them, and would wait for their own run."""
    run = context.instance.get_run_by_id(context.op_execution_context.run_id)
    return run is not None and RUN_TAG in run.tags


def _verdicts(
    context: dg.AssetCheckExecutionContext, specs: Mapping[str, TableSpec], assets: Collection[str], settings: Settings
) -> dict[str, TableVerdict]:
    progress = LogProgress(attached())
    progress.starts(context.log)
    tables = list(dict.fromkeys(spec.name for spec in specs.values() if spec.asset in assets))
    with connected(settings, specs) as migration:
        try:
            verdict = verify(migration.plan(), tables, listener=progress)
        finally:
            migration.after_verification()
    return {one.table: one for one in verdict.tables}


def _result(asset: str, verdict: TableVerdict) -> dg.AssetCheckResult:
    stale = verdict.labels.get(Label.CHANGED_IN_LEGACY, 0)
    return dg.AssetCheckResult(
        asset_key=dg.AssetKey(asset),
        check_name=VERIFIED,
        passed=verdict.passed and not stale,
        severity=_severity(verdict),
        description=_described(verdict, stale),
        metadata=_metadata(verdict),
    )


def _severity(verdict: TableVerdict) -> dg.AssetCheckSeverity:
    """An error is what speaks against the migration; what is stale or not there as a whole waits for a run."""
    waits = verdict.status is Status.INCOMPLETE and not verdict.bugs
    return dg.AssetCheckSeverity.WARN if verdict.passed or waits else dg.AssetCheckSeverity.ERROR


def _described(verdict: TableVerdict, stale: int) -> str:
    if verdict.status is Status.FAILED:
        return verdict.error or "It could not be verified."
    if verdict.bugs:
        return f"{verdict.bugs:,} differences that nothing explains: remoteiq-etl verify {verdict.table} names them."
    if verdict.status is Status.INCOMPLETE:
        return f"Incomplete: {verdict.error}."
    if stale:
        return f"Stale: legacy has changed since the last run, which explains {stale:,} differences."
    since = " written since every row was" if verdict.whole_at else ""
    return f"{verdict.rows_compared:,} rows{since} compared, every difference explained."


def _metadata(verdict: TableVerdict) -> Metadata:
    """Counts, and the keys of the first BUGs; no value of a row."""
    bugs = [one.key or one.legacy_key or one.detail for one in verdict.findings if one.label is Label.BUG][:10]
    return {
        "rows compared": dg.MetadataValue.int(verdict.rows_compared),
        "verified at": dg.MetadataValue.timestamp(verdict.verified_at),
        "every row compared at": dg.MetadataValue.timestamp(verdict.whole_at or verdict.verified_at),
        "legacy snapshot": dg.MetadataValue.text(verdict.snapshot),
        "seconds": dg.MetadataValue.float(round(verdict.seconds, 3)),
        **{label.replace("_", " "): dg.MetadataValue.int(count) for label, count in verdict.labels.items()},
        **({"keys of BUGs": dg.MetadataValue.json(bugs)} if bugs else {}),
    }
