"""How far the tables are verified, and what may be signed because of it.

Belongs here: what verdicts mean for the report. Does not belong here: verifying (remoteiq_etl.verify).
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.lifecycle.overview import TableRow
from remoteiq_etl.report.model import Standing, Verdict, Verified
from remoteiq_etl.verify.result import Status, TableVerdict

#: The worst comes first: one table of it, and the whole is that.
_WORST = (Standing.BUG, Standing.FAILED, Standing.NEVER, Standing.STALE, Standing.EXPLAINED, Standing.VERIFIED)


def verified(
    specs: Iterable[TableSpec], verdicts: Iterable[TableVerdict], known: Iterable[TableRow]
) -> dict[str, Verified]:
    """The standing of each target table that is declared. A table that a run read anew since it was verified is stale."""
    last = {verdict.table: verdict for verdict in verdicts}
    passed = {row.name: row for row in known}
    return {
        spec.name: Verified(Standing.NOTHING)
        if spec.no_source
        else Verified(_standing(last.get(spec.name), passed.get(spec.name)), last.get(spec.name))
        for spec in specs
    }


def _standing(verdict: TableVerdict | None, row: TableRow | None) -> Standing:
    if verdict is None:
        return Standing.NEVER
    if verdict.status is Status.FAILED:
        return Standing.FAILED
    if verdict.bugs:
        return Standing.BUG
    confirmed = verdict.confirmed_at or verdict.verified_at
    if row is not None and row.passed_at is not None and row.passed_at > confirmed:
        return Standing.STALE
    return Standing.EXPLAINED if verdict.labels else Standing.VERIFIED


def overall(tables: Mapping[str, Verified]) -> Verdict:
    """What may be said of all tables: the worst that is true of any."""
    standings = Counter(one.standing for one in tables.values())
    verdicts = [one.verdict for one in tables.values() if one.verdict is not None]
    labels: Counter[str] = Counter()
    for verdict in verdicts:
        labels.update(verdict.labels)
    moments = sorted(verdict.verified_at for verdict in verdicts)
    return Verdict(
        standing=next((standing for standing in _WORST if standings[standing]), Standing.NEVER),
        since=moments[0] if moments else None,
        until=moments[-1] if moments else None,
        snapshots=sorted({verdict.snapshot for verdict in verdicts}),
        tables={standing: standings[standing] for standing in _WORST if standings[standing]},
        labels=dict(labels),
    )
