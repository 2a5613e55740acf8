"""Singleton tables: which of their rows the legacy application reads, and what becomes of the others.

Nothing refuses a second row in them. Belongs here: the choice of the row. Does not belong here: what a row becomes.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from remoteiq_etl.frames.dtypes import to_arrow
from remoteiq_etl.spec.batch import Batch

Row = Mapping[str, Any]
SECOND_ROW = "second_singleton_row"


def first_row(rows: pd.DataFrame, preferred: int | str = 1) -> Row | None:
    """The row with the preferred id, else the one with the lowest; None of an empty table."""
    ordered = rows.sort_values("id")
    return _first(ordered[ordered["id"] == preferred]) or _first(ordered)


def highest_row(rows: pd.DataFrame) -> Row | None:
    """The row with the highest id; None of an empty table."""
    return _first(rows.sort_values("id", ascending=False))


def key_of(row: Row | None) -> str | None:
    """The legacy key of a row, as text."""
    return None if row is None else str(row["id"])


def dispose(batch: Batch, used: str | None, rule: str) -> pd.Series:
    """The used row is merged by the given rule, further rows are archived. Returns which row is the used one."""
    is_used = (batch.keys == used).fillna(False).astype(bool)
    batch.merge(is_used, rule)
    batch.archive_only(~is_used, SECOND_ROW)
    return is_used


def _first(rows: pd.DataFrame) -> Row | None:
    if rows.empty:
        return None
    return {str(name): _cell(rows[name].iloc[:1]) for name in rows.columns}


def _cell(column: pd.Series) -> Any:
    """The one value of a column; a time is its microseconds, of years that no datetime holds, too."""
    array = to_arrow(column)
    return (array.cast(pa.int64()) if pa.types.is_timestamp(array.type) else array)[0].as_py()
