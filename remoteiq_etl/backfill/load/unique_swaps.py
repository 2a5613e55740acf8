"""Unique values that two rows want: those that change hands within a batch are parked, taken off their rows first.

Belongs here: which columns can be parked, and on what; which rows want a value that a row of the target keeps. Does not belong
here: when it is done, and what becomes of such rows (see batch_merge).
"""

from typing import Any

from psycopg import sql
from sqlalchemy import Column, UniqueConstraint
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.load.expressions import Expressions
from remoteiq_etl.frames.dtypes import is_cast_later
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.written_columns import T_column, assignments

SQL = statements(__file__)


def park(e: Expressions, session: Session) -> int:
    """Park the rows that are about to get another unique value. Returns their number."""
    return sum(
        session.execute(
            SQL["park"].format(
                **e.names,
                target_join=e.planned_join,
                assignments=assignments([parked]),
                current=sql.SQL(", ").join(T_column(column) for column in columns),
                incoming=sql.SQL(", ").join(e.guarded(column) for column in columns),
            )
        ).rowcount
        for columns, parked in _parkings(e)
    )


def can_park(e: Expressions) -> bool:
    """Whether the table has unique values that can be parked."""
    return bool(_parkings(e))


def changes_hands(e: Expressions) -> bool:
    """Whether the table has unique values, beside its key, that a later batch may set free."""
    return any(isinstance(constraint, UniqueConstraint) for constraint in e.spec.target.constraints)


def kept_by_others(e: Expressions, session: Session, constraint: str) -> list[int]:
    """The rows that a unique constraint would refuse one by one, because a row that nothing is written to has their value.

    None of a constraint over an expression or a part of the rows, and none of a key of several columns: those are found by halving.
    """
    if not e.single:
        return []
    parameters = {"target": e.target.as_string(None), "constraint": constraint}
    columns = [e.spec.target.columns.get(row[0]) for row in session.rows(SQL["constrained"], parameters)]
    if not columns or any(one is None or one.name not in e.columns or is_cast_later(one) for one in columns):
        return []
    same = [sql.SQL("s.{0} = t.{0}").format(sql.Identifier(column.name)) for column in columns if column is not None]
    names = {**e.names, "same": sql.SQL(" AND ").join(same), "key": e.pk[0]}
    return [row[0] for row in session.rows(SQL["kept_by_others"].format(**names))]


def _parkings(e: Expressions) -> list[tuple[list[Column[Any]], tuple[Column[Any], sql.Composable]]]:
    """Per unique constraint: its columns, and what the last of them that can be parked is parked on."""
    found = []
    for constraint in e.spec.target.constraints:
        if isinstance(constraint, UniqueConstraint) and e.single:
            columns = list(constraint.columns)
            parked = [(column, value) for column in columns if (value := _parked(e, column)) is not None]
            if parked and all(column.name in e.columns for column in columns):
                found.append((columns, parked[-1]))
    return found


def _parked(e: Expressions, column: Column[Any]) -> sql.Composable | None:
    """`<value>~<id>`, of a uuid its hash; None where a column can hold no such value."""
    if column not in e.compared or column.foreign_keys:
        return None
    text = sql.SQL("{}::text || '~' || t.{}::text").format(T_column(column), e.pk[0])
    if isinstance(column.type, pg.UUID):
        return sql.SQL("md5({})::uuid").format(text)
    return text if str(column.type) in {"TEXT", "CITEXT"} else None
