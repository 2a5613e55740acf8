"""Times: which of them are carried, and which of several stands in for one that is missing.

A time is carried that PostgreSQL and a column both hold, with a year to spare on each side for the mapping's own arithmetic; any
other one (±infinity, before 4712 BC, from 294246 on) is archived and counts as missing. Belongs here: that rule, for SQL of both
kinds, and what a missing time becomes. Does not belong here: columns and Python's values (see frames.times).
"""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql
from sqlalchemy import ColumnElement, and_, literal_column

from remoteiq_etl.frames.dtypes import TIMESTAMP, if_else, to_arrow
from remoteiq_etl.spec.batch import Batch

#: 64 bits of microseconds since 1970 end in January 294247, PostgreSQL's times begin in November 4714 BC.
EARLIEST, END = "4712-01-01 00:00:00+00 BC", "294246-01-01 00:00:00+00"
#: When something was withdrawn of which no time is known at all.
LONG_AGO = 0


def is_carried(name: sql.Composable) -> sql.Composed:
    """Whether a time is carried; null of a null."""
    return sql.SQL("({0} >= {1}::timestamptz AND {0} < {2}::timestamptz)").format(
        name, sql.Literal(EARLIEST), sql.Literal(END)
    )


def carried(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """The same as a condition on a column of a decide step's SELECT."""
    return and_(
        column >= literal_column(f"'{EARLIEST}'::timestamptz"), column < literal_column(f"'{END}'::timestamptz")
    )


def first_of(*columns: pd.Series) -> pd.Series:
    """The first time that is there, in the order given."""
    result = columns[0].astype(TIMESTAMP)
    for column in columns[1:]:
        result = result.fillna(column.astype(TIMESTAMP))
    return result


def earliest(*columns: pd.Series) -> pd.Series:
    """The earliest of the times that are there."""
    return _combined(columns, pc.min_element_wise)


def latest(*columns: pd.Series) -> pd.Series:
    """The latest of the times that are there."""
    return _combined(columns, pc.max_element_wise)


def filled(batch: Batch, column: pd.Series, name: str, *others: pd.Series) -> pd.Series:
    """A time that must be there: where it is null, the first of the others; rows filled are counted as a warning."""
    missing = column.isna()
    if not missing.any():
        return column.astype(TIMESTAMP)
    batch.warn(missing, f"{name}_filled")
    return first_of(column, *others)


def withdrawn(batch: Batch, name: str, *others: pd.Series) -> pd.Series:
    """A time whose absence grants something: where there is one that is not carried, the first of the others, else long ago.

    What was revoked for ever, or in a year that nobody can read, stays revoked. The time itself is in the archive.
    """
    column = batch[name].astype(TIMESTAMP)
    unreadable = batch.has_odd_time(name)
    if not unreadable.any():
        return column
    batch.warn(unreadable, f"{name}_unreadable")
    long_ago = pd.Series([LONG_AGO] * len(column), dtype=TIMESTAMP, index=column.index)
    return if_else(unreadable, first_of(*others, long_ago), column)


def _combined(columns: tuple[pd.Series, ...], choose: Callable[..., pa.Array]) -> pd.Series:
    # Arrow has no such kernel for timestamps with a zone.
    chosen = choose(*(to_arrow(column.astype(TIMESTAMP)).cast(pa.int64()) for column in columns))
    return pd.Series(pd.array(chosen.cast(TIMESTAMP.pyarrow_dtype), dtype=TIMESTAMP), index=columns[0].index)
