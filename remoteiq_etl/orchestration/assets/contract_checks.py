"""Asset checks of a table: both contracts and the conservation law. They carry counts and names, no value of a row."""

from collections.abc import Iterator, Mapping

import dagster as dg

from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.errors import ConservationError
from remoteiq_etl.spec.table import Source, TableSpec

CONSERVATION = "conservation"
#: The checks of the contracts, by the rule under which the engine quarantines what breaks one.
CONTRACTS: Mapping[str, str] = {
    "source_contract": "Every legacy row has the types and the NOT NULLs that the legacy definition promises.",
    "target_contract": "Every row that the transform makes fits the target: types, NOT NULLs, labels, declared checks.",
}
_LAW = "Every row of the legacy snapshot was read and ended in exactly one outcome, and the rows that are ours add up."


def specs_of(spec: TableSpec) -> list[dg.AssetCheckSpec]:
    """The checks of one table, all blocking: what depends on it does not start on a broken law."""
    contracts = [_spec(spec, name, CONTRACTS[name]) for name in _contracts_of(spec)]
    return [*contracts, _spec(spec, CONSERVATION, _LAW)]


def results(spec: TableSpec, report: TableReport) -> list[dg.AssetCheckResult]:
    """What a load says about the checks of its table. Raises ConservationError when rows are unaccounted for."""
    return [*(_contract(name, report) for name in _contracts_of(spec)), _conservation(report)]


def broken_law(text: str) -> dg.AssetCheckResult:
    """The result when rows are unaccounted for."""
    return dg.AssetCheckResult(
        passed=False, check_name=CONSERVATION, severity=dg.AssetCheckSeverity.ERROR, description=text
    )


def _spec(spec: TableSpec, name: str, description: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(name, asset=dg.AssetKey(spec.asset), description=description, blocking=True)


def _contracts_of(spec: TableSpec) -> Iterator[str]:
    """Rows without a legacy row of their own have no source contract, an empty table has none at all."""
    if any(isinstance(source, Source) for source in spec.sources):
        yield "source_contract"
    if spec.sources:
        yield "target_contract"


def _contract(name: str, report: TableReport) -> dg.AssetCheckResult:
    """A warning when rows broke the contract: they lie in quarantine, and the others were loaded."""
    refused = {
        table: count
        for table, account in report.accounts.items()
        if (count := account.rules[(Ledger.QUARANTINED, name)])
    }
    rows = sum(refused.values())
    return dg.AssetCheckResult(
        passed=not refused,
        check_name=name,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{rows:,} rows are quarantined, all others were loaded." if rows else "All rows keep it.",
        metadata={"rows quarantined": rows, **{f"from {table}": count for table, count in refused.items()}},
    )


def _conservation(report: TableReport) -> dg.AssetCheckResult:
    read = {table: account.read for table, account in report.accounts.items() if account.primary}
    accounted = {table: account.accounted for table, account in report.accounts.items() if account.primary}
    if read != accounted:
        raise ConservationError(f"{report.table}: rows read {read}, rows accounted for {accounted}.")
    total = sum(read.values())
    return dg.AssetCheckResult(
        passed=True,
        check_name=CONSERVATION,
        description=f"{total:,} rows read, each with one outcome.",
        metadata={
            "rows read": total,
            "rows accounted for": sum(accounted.values()),
            **{f"from {table}": count for table, count in read.items()},
        },
    )
