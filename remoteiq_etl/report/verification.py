"""How far the tables are verified, and what may be signed because of it.

Belongs here: what verdicts mean for the report. Does not belong here: verifying (remoteiq_etl.verify).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from remoteiq_etl.report.model import ReportVerdict, Standing, Verified
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.verify.incremental.freshness import Fresh, Freshness
from remoteiq_etl.verify.verdicts.model import DATABASE, Status, TableVerdict

#: The worst comes first: one table of it, and the whole is that.
_WORST = (
    Standing.BUG,
    Standing.FAILED,
    Standing.INCOMPLETE,
    Standing.NEVER,
    Standing.STALE,
    Standing.EXPLAINED,
    Standing.VERIFIED,
)


def verified(
    specs: Collection[TableSpec],
    verdicts: Iterable[TableVerdict],
    stale: Mapping[str, str],
    gaps: Mapping[str, str],
) -> dict[str, Verified]:
    """The standing of each target table that is declared, and (under DATABASE) of what is verified beside them.

    `stale`: tables whose verdict does not hold any more, `gaps`: those that are not there as a whole, with the reason.
    """
    last = {verdict.table: verdict for verdict in verdicts}
    found = {
        name: Verified(
            _standing(last.get(name), name in stale, name in gaps), last.get(name), gaps.get(name) or stale.get(name)
        )
        for name in [DATABASE, *(spec.name for spec in specs if spec.no_source is None)]
    }
    return {**dict.fromkeys((spec.name for spec in specs), Verified(Standing.NOTHING)), **found}


def stale_tables(found: Iterable[Fresh]) -> dict[str, str]:
    """Those whose source moved since they were verified, and what did."""
    return {one.table: one.why or "" for one in found if one.freshness is Freshness.STALE}


def _standing(verdict: TableVerdict | None, is_stale: bool, has_gaps: bool) -> Standing:
    if verdict is None:
        return Standing.INCOMPLETE if has_gaps else Standing.NEVER
    if verdict.status is Status.FAILED:
        return Standing.FAILED
    if verdict.bugs:
        return Standing.BUG
    if has_gaps or (verdict.status is Status.INCOMPLETE and not is_stale):
        return Standing.INCOMPLETE
    return Standing.STALE if is_stale else Standing.EXPLAINED if verdict.labels else Standing.VERIFIED


def overall(tables: Mapping[str, Verified]) -> ReportVerdict:
    """What may be said of all: the worst that is true of any table, or of what is verified beside them."""
    standings = Counter(one.standing for name, one in tables.items() if name != DATABASE)
    verdicts = [one.verdict for one in tables.values() if one.verdict is not None]
    labels: Counter[str] = Counter()
    for verdict in verdicts:
        labels.update(verdict.labels)
    moments = sorted(verdict.verified_at for verdict in verdicts)
    return ReportVerdict(
        standing=min((one.standing for one in tables.values() if one.standing in _WORST), key=_WORST.index),
        since=moments[0] if moments else None,
        until=moments[-1] if moments else None,
        snapshots=sorted({verdict.snapshot for verdict in verdicts}),
        tables={standing: standings[standing] for standing in _WORST if standings[standing]},
        beside=tables[DATABASE].standing,
        labels=dict(labels),
    )
