"""Times: which of several legacy times stands in for one that is missing."""

from collections.abc import Callable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from remoteiq_etl.frames.dtypes import TIMESTAMP, to_arrow
from remoteiq_etl.spec.batch import Batch


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


def _combined(columns: tuple[pd.Series, ...], choose: Callable[..., pa.Array]) -> pd.Series:
    # Arrow has no such kernel for timestamps with a zone.
    chosen = choose(*(to_arrow(column.astype(TIMESTAMP)).cast(pa.int64()) for column in columns))
    return pd.Series(pd.array(chosen.cast(TIMESTAMP.pyarrow_dtype), dtype=TIMESTAMP), index=columns[0].index)
