"""The conservation law, recomputed from the books: the ledger of what runs have read, and the movements of rows that are ours.

Every row that a run read has one outcome, and a full pass read every row; rows that came less those that went are the rows
that are there, and both books say the same of each run. That the legacy rows of today are accounted for is the check of the
keys (see completeness). Belongs here: what the books say. Does not belong here: writing them.
"""

from collections.abc import Iterator

from psycopg import sql

from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.verify.causes.table_changes import TableChanges
from remoteiq_etl.verify.verdicts.model import Finding, FindingKind, Label
from schemas.state.maps import map_name

SQL = statements(__file__)

CONSERVATION = "conservation"
ABOUT = (
    "every legacy row that a run read has exactly one outcome, the last full pass read every row, and rows that came less those"
    " that went are those of ours that are there"
)


def findings(known: TableChanges, table: str) -> Iterator[Finding]:
    """Batches, full passes, and movements that do not add up."""
    yield from _open_batches(known, table)
    for spec in known.writers:
        yield from _passes(known, spec, table)
    yield from _movements(known, table)


def _open_batches(known: TableChanges, table: str) -> Iterator[Finding]:
    for run_id, legacy_table, batch in known.pair.session.rows(_statement(known, table, "ledger_open")):
        detail = f"batch {batch} of run {run_id} has not one outcome for each row that was read"
        yield Finding(table, CONSERVATION, FindingKind.BROKEN, Label.BUG, detail, None, legacy_table)


def _passes(known: TableChanges, spec: TableSpec, table: str) -> Iterator[Finding]:
    done = known.completed[spec.asset]
    if done.full_run != done.run_id:
        return  # how many rows there were then is not known any more
    read: dict[str, int] = dict(known.pair.session.rows(_statement(known, table, "ledger_full", run_id=done.full_run)))
    for source in spec.streamed:
        seen = known.passes.get((spec.asset, source.name))
        if source.primary and seen is not None and read.get(source.name, 0) != seen.legacy_rows:
            detail = (
                f"run {done.full_run} read {read.get(source.name, 0):,} rows,"
                f" but {source.name} had {seen.legacy_rows:,} in its snapshot"
            )
            yield Finding(table, CONSERVATION, FindingKind.BROKEN, Label.BUG, detail, None, source.name)


def _movements(known: TableChanges, table: str) -> Iterator[Finding]:
    """A row deleted in the target is still one of ours here, until a run has noted it; the check of the keys names it."""
    ((moved, live),) = known.pair.session.rows(_statement(known, table, "balance"))
    if moved != live:
        detail = f"by the movements of all runs and undos {moved:,} rows are ours, the map leads to {live:,}"
        yield Finding(table, CONSERVATION, FindingKind.BROKEN, Label.BUG, detail)
    for run_id, what, in_ledger, in_book in known.pair.session.rows(_statement(known, table, "ledger_moved")):
        detail = f"run {run_id} has {in_ledger:,} rows {what} by the ledger, {in_book:,} by its movements"
        yield Finding(table, CONSERVATION, FindingKind.BROKEN, Label.BUG, detail)


def batches(known: TableChanges, table: str) -> int:
    """How many batches the ledger has of a table."""
    query = sql.SQL(
        "SELECT count(*) FROM {} AS l JOIN {} AS r ON r.id = l.run_id WHERE source_id = %s AND table_name = %s"
    )
    names = known.pair.state.name("ledger"), known.pair.state.name("runs")
    return int(known.pair.session.value(query.format(*names), [known.pair.source_id, table]))


def _statement(known: TableChanges, table: str, name: str, run_id: int = 0) -> sql.Composed:
    state = known.pair.state
    return SQL[name].format(
        **known.pair.literals(table),
        **state.names,
        map=state.name(map_name(table)),
        run_id=sql.Literal(run_id),
    )
