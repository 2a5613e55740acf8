"""Cells brought to the type of their column, one by one where a column does not fit as a whole.

A failure of a whole column would name no row; here every failure has one. Belongs here: casts. Does not belong here:
nullability and words (see contracts).
"""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from remoteiq_etl.backfill.frames import to_arrow


def coerced(column: pd.Series, wanted: pa.DataType) -> tuple[pd.Series, list[int]]:
    """The column as the wanted Arrow type, and the positions of the cells that could not be brought to it (they become null)."""
    dtype = pd.ArrowDtype(wanted)
    if column.dtype == dtype:
        return column, []
    array = to_arrow(column)
    if array.null_count == len(array):
        array = pa.nulls(len(array), wanted)  # also where no value of the one type could be the other
    try:
        return pd.Series(pd.array(pc.cast(array, wanted), dtype=dtype), index=column.index), []
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return _cell_by_cell(array, wanted, column.index)


def _cell_by_cell(array: pa.Array, wanted: pa.DataType, index: pd.Index) -> tuple[pd.Series, list[int]]:
    cells = [_cell(array[row : row + 1], wanted) for row in range(len(array))]
    values = (
        pa.concat_arrays([cell if cell is not None else pa.nulls(1, wanted) for cell in cells])
        if cells
        else pa.nulls(0, wanted)
    )
    failed = [position for position, cell in enumerate(cells) if cell is None]
    return pd.Series(pd.array(values, dtype=pd.ArrowDtype(wanted)), index=index), failed


def _cell(value: pa.Array, wanted: pa.DataType) -> pa.Array | None:
    try:
        return pc.cast(value, wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return None
