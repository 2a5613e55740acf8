"""Tables that a run cannot load, because the legacy database lacks what they read.

Belongs here: leaving such a table alone, whole, and how that ends a run. Does not belong here: which tables these are
(remoteiq_etl.lifecycle.legacy_drift).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from remoteiq_etl.backfill.accounts import TableReport
from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.errors import TableBlocked

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run


def refuse(run: "Run", spec: TableSpec) -> None:
    """Report a blocked table and raise TableBlocked; do nothing for any other. Its rows, map and quarantine stay as they are."""
    reason = run.plan.blocked.get(spec.asset)
    if reason is None:
        return
    run.reports[spec.asset] = TableReport(spec.asset, blocked=reason)
    run.listener.finished(run.reports[spec.asset])
    raise TableBlocked(f"{spec.asset} was not loaded, and nothing of it was touched: {reason}")


def ending(reports: Mapping[str, TableReport]) -> tuple[str, str | None]:
    """Status and error of a run that came to its end: failed where a table was blocked."""
    blocked = [report.table for report in reports.values() if report.blocked]
    return ("failed", f"not loaded: {', '.join(blocked)}") if blocked else ("succeeded", None)
