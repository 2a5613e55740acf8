"""Frames: how a batch of rows is held in memory between the extract and the staging table.

Every column is Arrow-backed (nullable integers, no floats for ids, times in UTC with microseconds). A uuid is
lower-case text, JSON is its text, an enum label and an inet are text, bytea is binary. Belongs here: the dtypes, conversions
between them and PostgreSQL's binary forms. Does not belong here: anything that knows a table.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from sqlalchemy import types
from sqlalchemy.dialects import postgresql as pg

TEXT = pd.ArrowDtype(pa.string())
INTEGER = pd.ArrowDtype(pa.int64())
BOOLEAN = pd.ArrowDtype(pa.bool_())
TIMESTAMP = pd.ArrowDtype(pa.timestamp("us", tz="UTC"))
BINARY = pd.ArrowDtype(pa.binary())
TEXT_LIST = pd.ArrowDtype(pa.list_(pa.string()))


def arrow_type(column_type: types.TypeEngine[object]) -> pa.DataType:
    """The Arrow type that holds a column of a schema definition."""
    if isinstance(column_type, pg.ARRAY):
        return pa.list_(pa.string())
    if isinstance(column_type, types.Boolean):
        return pa.bool_()
    if isinstance(column_type, types.SmallInteger):
        return pa.int16()
    if isinstance(column_type, types.BigInteger):
        return pa.int64()
    if isinstance(column_type, types.Integer):
        return pa.int32()
    if isinstance(column_type, types.DateTime):
        return pa.timestamp("us", tz="UTC")
    if isinstance(column_type, types.LargeBinary):
        return pa.binary()
    return pa.string()


def frame(columns: Mapping[str, object], dtypes: Mapping[str, pd.ArrowDtype] | None = None) -> pd.DataFrame:
    """A small Arrow-backed frame from plain lists; text unless a dtype is given. For derived rows and for tests."""
    dtypes = dtypes or {}
    return pd.DataFrame({name: pd.Series(values, dtype=dtypes.get(name, TEXT)) for name, values in columns.items()})


def from_arrow(table: pa.Table | pa.RecordBatch) -> pd.DataFrame:
    """An Arrow table as a frame, without copying; extension types (uuid, json) become their plain storage."""
    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def to_arrow(series: pd.Series) -> pa.Array:
    """The Arrow array behind a series, in one chunk."""
    array = (
        pa.array(series, from_pandas=True)
        if not isinstance(series.dtype, pd.ArrowDtype)
        else series.array.__arrow_array__()
    )
    if isinstance(array, pa.ChunkedArray):
        return array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    return array


def uuid_bytes(uuids: pd.Series) -> npt.NDArray[np.uint8]:
    """The 16 bytes of each uuid (no nulls), shape (rows, 16). Raises ValueError on text that is no uuid."""
    text = "".join(uuids.to_list()).replace("-", "")
    raw = np.frombuffer(bytes.fromhex(text), dtype=np.uint8)
    return raw.reshape(len(uuids), 16)


def uuid_text(raw: npt.NDArray[np.uint8]) -> pd.Series:
    """Rows of 16 bytes as lower-case uuid text."""
    text = raw.tobytes().hex()
    step = range(0, len(text), 32)
    return pd.Series(
        [
            f"{text[i : i + 8]}-{text[i + 8 : i + 12]}-{text[i + 12 : i + 16]}-{text[i + 16 : i + 20]}-{text[i + 20 : i + 32]}"
            for i in step
        ],
        dtype=TEXT,
    )
