"""Triggers and rules of the target: what they make of the rows that we write.

One that keeps a row out is found row by row; one that changes our values is met half-way: what the row really holds counts as
last written, and a warning names the column. Belongs here: finding them, and reading back what was written. Does not belong
here: the writes (see merge_statements), what becomes of a row that was kept out (see batch_merge).
"""

from collections.abc import Mapping, Sequence

from psycopg import sql

from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.load.expressions import Expressions
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.written_columns import T_column, comparable

SQL = statements(__file__)

CHANGED_BY_TARGET = "changed_by_target"
"""The warning about a column of which a trigger of the target changes what is written; its key is the column."""


class NotTaken(Exception):  # not an error: it takes a savepoint back
    """The target reported no error, and did not take these rows (their numbers) all the same."""

    def __init__(self, rows: Sequence[int]) -> None:
        super().__init__(f"{len(rows)} rows")
        self.rows = sorted(set(rows))


def triggers_of(run: RunContext, table: str) -> tuple[str, ...]:
    """The names of the triggers and rules that may keep rows out of a target table, or change what is written to it."""
    if not run.has_target(table):
        return ()
    name = run.target_name(table).as_string(None)
    return tuple(row[0] for row in run.session.rows(SQL["triggers"], {"table": name}))


def read_back(e: Expressions, session: Session, first: int, last: int) -> None:
    """Note which of the rows just written hold other values. Raises NotTaken for rows that are not there any more."""
    span = {"first": first, "last": last}
    lost = session.rows(SQL["lost"].format(**e.names, target_join=e.planned_join, first_key=e.pk[0]), span)
    if lost:
        raise NotTaken([row[0] for row in lost])
    statement = SQL["read_back"].format(
        **e.names,
        target_join=e.planned_join,
        current_hash=e.current_hash,
        given_hash=e.hashed([e.guarded(column) for column in e.compared]),
    )
    session.execute(statement, span)


def altered(e: Expressions, session: Session) -> Mapping[str, int]:
    """In how many rows of the batch each column holds another value than the one written to it."""
    if not e.compared:
        return {}
    counts = [
        sql.SQL("count(*) FILTER (WHERE {} IS DISTINCT FROM {})").format(
            comparable(column, T_column(column)), comparable(column, e.guarded(column))
        )
        for column in e.compared
    ]
    query = SQL["altered"].format(**e.names, counts=sql.SQL(", ").join(counts), target_join=e.planned_join)
    (found,) = session.rows(query)
    return {name: int(count) for name, count in zip(e.compared_columns, found, strict=True) if count}


def warn(run: RunContext, spec: TableSpec, legacy_table: str, columns: Sequence[str]) -> None:
    """List these columns among the decision warnings; each stands there once."""
    statement = SQL["warn_altered"].format(
        decision_warnings=run.state.name("decision_warnings"),
        source_id=sql.Literal(run.source_record.id),
        asset=sql.Literal(spec.asset),
        rule=sql.Literal(CHANGED_BY_TARGET),
        legacy_table=sql.Literal(legacy_table),
        run_id=sql.Literal(run.id),
    )
    run.session.execute(statement, {"columns": list(columns)})
