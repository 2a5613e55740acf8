"""What an operator has accepted of the legacy database's drift, remembered per source so that later runs need not ask.

Belongs here: reading and recording it in the state. Does not belong here: what can be accepted (`verdicts`).
"""

from collections.abc import Iterable

from psycopg import sql

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.lifecycle.drift.report import Drift
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state.schema import State

_TABLE = "accepted_drift"


def remembered(session: Session, state: State, source: str) -> frozenset[str]:
    """The names that earlier runs of a source accepted; none where the state is not there yet."""
    if session.value("SELECT to_regclass(%s)", [state.name(_TABLE).as_string(None)]) is None:
        return frozenset()
    query = sql.SQL("SELECT d.name FROM {} AS d JOIN {} AS s ON s.id = d.source_id WHERE s.name = %s")
    rows = session.rows(query.format(state.name(_TABLE), state.name("sources")), [source])
    return frozenset(row[0] for row in rows)


def remember(run: RunContext, accepted: Iterable[Drift]) -> None:
    """Record what this run goes on in spite of. A plan leaves no trace."""
    if run.planning:
        return
    insert = sql.SQL(
        "INSERT INTO {} (source_id, name, kind, found, run_id) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
    ).format(run.state.name(_TABLE))
    rows = [(run.source_record.id, drift.where, str(drift.kind), drift.found, run.id) for drift in accepted]
    with run.session.transaction():
        run.check_fence()
        run.session.execute_many(insert, rows)
