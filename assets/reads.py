"""Pieces of the SELECTs that decide steps read.

Belongs here: expressions that more than one domain needs. Does not belong here: any table's rule.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Text, and_, case, cast, literal_column
from sqlalchemy.dialects.postgresql import TIMESTAMP

_TIMESTAMPTZ = TIMESTAMP(timezone=True)
_FIRST: ColumnElement[datetime] = literal_column("timestamptz '0001-01-01 00:00:00+00'", _TIMESTAMPTZ)
_END: ColumnElement[datetime] = literal_column("timestamptz '10000-01-01 00:00:00+00'", _TIMESTAMPTZ)


def time(column: Column[Any]) -> ColumnElement[Any]:
    """A time as the extract gives it: null where it is ±infinity or outside the years 1 to 9999."""
    return case((and_(column >= _FIRST, column < _END), column))


def text(column: Column[Any]) -> ColumnElement[Any]:
    """A uuid or an enum label as text, under its own name."""
    return cast(column, Text).label(column.name)
