"""The conservation law, read from the ledger: every row that a run read has one outcome, and a full pass read every row.

That the rows of today are accounted for is the check of the keys (see completeness). Belongs here: what the ledger says of
past runs. Does not belong here: writing it.
"""

from collections.abc import Iterator

from psycopg import sql

from remoteiq_etl.verify.compare import load_sql
from remoteiq_etl.verify.result import Finding, Kind, Label
from remoteiq_etl.verify.stale import Known

CONSERVATION = "conservation"
ABOUT = "every legacy row that a run read has exactly one outcome, and the last full pass read every row"


def findings(known: Known, table: str) -> Iterator[Finding]:
    """Batches, and full passes, that do not add up."""
    for run_id, legacy_table, batch in known.look.session.rows(_statement(known, table, "ledger_open")):
        detail = f"batch {batch} of run {run_id} has not one outcome for each row that was read"
        yield Finding(table, CONSERVATION, Kind.BROKEN, Label.BUG, detail, None, legacy_table)
    for spec in known.writers:
        done = known.completed[spec.asset]
        if done.full_run != done.run_id:
            continue  # how many rows there were then is not known any more
        read: dict[str, int] = dict(
            known.look.session.rows(_statement(known, table, "ledger_full", run_id=done.full_run))
        )
        for source in spec.streamed:
            seen = known.passes.get((spec.asset, source.name))
            if source.primary and seen is not None and read.get(source.name, 0) != seen.legacy_rows:
                detail = (
                    f"run {done.full_run} read {read.get(source.name, 0):,} rows,"
                    f" but {source.name} had {seen.legacy_rows:,} in its snapshot"
                )
                yield Finding(table, CONSERVATION, Kind.BROKEN, Label.BUG, detail, None, source.name)


def batches(known: Known, table: str) -> int:
    """How many batches the ledger has of a table."""
    query = sql.SQL(
        "SELECT count(*) FROM {} AS l JOIN {} AS r ON r.id = l.run_id WHERE source_id = %s AND table_name = %s"
    )
    names = known.look.state.name("ledger"), known.look.state.name("runs")
    return int(known.look.session.value(query.format(*names), [known.look.source_id, table]))


def _statement(known: Known, table: str, name: str, run_id: int = 0) -> sql.Composed:
    state = known.look.state
    return load_sql(name).format(
        **known.look.literals(table), ledger=state.name("ledger"), runs=state.name("runs"), run_id=sql.Literal(run_id)
    )
