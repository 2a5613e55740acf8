"""Times: which of several legacy times stands in for one that is missing."""

import pandas as pd

from remoteiq_etl.backfill.batch import Batch
from remoteiq_etl.backfill.frames import TIMESTAMP


def first_of(*columns: pd.Series) -> pd.Series:
    """The first time that is there, in the order given."""
    result = columns[0].astype(TIMESTAMP)
    for column in columns[1:]:
        result = result.fillna(column.astype(TIMESTAMP))
    return result


def earliest(*columns: pd.Series) -> pd.Series:
    """The earliest of the times that are there."""
    return _combined(columns, "min")


def latest(*columns: pd.Series) -> pd.Series:
    """The latest of the times that are there."""
    return _combined(columns, "max")


def filled(batch: Batch, column: pd.Series, name: str, *others: pd.Series) -> pd.Series:
    """A time that must be there: where it is null, the first of the others; rows filled are counted as a warning."""
    missing = column.isna()
    if not missing.any():
        return column.astype(TIMESTAMP)
    batch.warn(missing, f"{name}_filled")
    return first_of(column, *others)


def _combined(columns: tuple[pd.Series, ...], how: str) -> pd.Series:
    table = pd.concat([column.astype("datetime64[us, UTC]") for column in columns], axis=1)
    return getattr(table, how)(axis=1).astype(TIMESTAMP)
