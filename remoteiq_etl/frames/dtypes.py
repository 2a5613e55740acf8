"""Frames: how a batch of rows is held in memory between the extract and the staging table.

Every column is Arrow-backed (nullable integers, no floats for ids, times in UTC with microseconds). A uuid is
lower-case text, JSON is its text, an enum label and an inet are text, bytea is binary. Belongs here: the dtypes,
conversions between them and PostgreSQL's binary forms. Does not belong here: anything that knows a table.
"""

from binascii import unhexlify
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Column, types
from sqlalchemy.dialects import postgresql as pg

TEXT = pd.ArrowDtype(pa.string())


INTEGER = pd.ArrowDtype(pa.int64())


BOOLEAN = pd.ArrowDtype(pa.bool_())


TIMESTAMP = pd.ArrowDtype(pa.timestamp("us", tz="UTC"))


TEXT_LIST = pd.ArrowDtype(pa.list_(pa.string()))

_HEX_DIGITS = np.frombuffer(bytes(range(256)).hex().encode(), dtype=np.uint8).reshape(256, 2)


_UUID_GROUPS = ((0, 0, 8), (9, 8, 12), (14, 12, 16), (19, 16, 20), (24, 20, 32))  # start in text, digits from, to


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
    """An Arrow table as a frame, in one chunk per column; extension types (uuid, json) become their plain storage."""
    table = pa.Table.from_batches([table]) if isinstance(table, pa.RecordBatch) else table.combine_chunks()
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame


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


def by_distinct(
    column: pd.Series, function: Callable[[Any], Any], dtype: pd.ArrowDtype = TEXT, null: object = None
) -> pd.Series:
    """`function` of each value, worked out once per distinct value; `null` where the value is null.

    Iterating over an Arrow-backed series costs a microsecond per row; a dictionary of its values a hundredth of that.
    """
    encoded = to_arrow(column).dictionary_encode()
    results = pa.array([function(value) for value in encoded.dictionary.to_pylist()], dtype.pyarrow_dtype)
    found = results.take(encoded.indices)
    if null is not None and encoded.null_count:
        found = pc.if_else(pc.is_null(encoded.indices), pa.scalar(null, dtype.pyarrow_dtype), found)
    return pd.Series(pd.array(found, dtype=dtype), index=column.index)


def if_else(where: pd.Series, yes: pd.Series, no: pd.Series) -> pd.Series:
    """Row by row the one or the other of two columns of the same dtype."""
    mask = pa.array(where.fillna(False).to_numpy(dtype=bool))
    return pd.Series(pd.array(pc.if_else(mask, to_arrow(yes), to_arrow(no)), dtype=yes.dtype), index=where.index)


def text_bytes(texts: pa.Array) -> memoryview:
    """The UTF-8 bytes of all texts (no nulls), one after the other; a view, not a copy."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    return memoryview(b"") if data is None else memoryview(data)[offsets[0] : offsets[-1]]


def uuid_bytes(uuids: pd.Series) -> npt.NDArray[np.uint8]:
    """The 16 bytes of each uuid (no nulls), shape (rows, 16). Raises ValueError on text that is no uuid."""
    digits = bytes(text_bytes(to_arrow(uuids.astype(TEXT)))).replace(b"-", b"") if len(uuids) else b""
    return np.frombuffer(unhexlify(digits), dtype=np.uint8).reshape(len(uuids), 16)


def uuid_text(raw: npt.NDArray[np.uint8]) -> pd.Series:
    """Rows of 16 bytes as lower-case uuid text."""
    rows = len(raw)
    digits = _HEX_DIGITS[raw].reshape(rows, 32)
    text = np.full((rows, 36), ord("-"), dtype=np.uint8)
    for start, first, last in _UUID_GROUPS:
        text[:, start : start + last - first] = digits[:, first:last]
    offsets = np.arange(0, 36 * (rows + 1), 36, dtype=np.int32)
    return pd.Series(pd.array(pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(text)), dtype=TEXT))


def is_cast_later(column: Column[Any]) -> bool:
    """Types whose binary form we do not write: they are staged as text and cast in the merge."""
    return isinstance(column.type, pg.JSON | pg.INET) or "cast" in column.info


def cast_type(column: Column[Any]) -> str:
    """The type that a column staged as text is cast to."""
    return str(column.info.get("cast") or column.type.compile(pg.dialect()))  # type: ignore[no-untyped-call]


def key_array(keys: pd.Series, key_type: str) -> pa.Array:
    """Legacy keys in the type of the map."""
    if key_type == "uuid":
        return _uuid_array(keys)
    return pa.array(keys.astype("int64"), pa.int64()) if key_type == "bigint" else to_arrow(keys.astype(TEXT))


def _uuid_array(uuids: pd.Series) -> pa.Array:
    present = uuids.notna().to_numpy(dtype=bool)
    if present.all():
        return pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(16), len(uuids), [None, pa.py_buffer(uuid_bytes(uuids).tobytes())]
        )
    raw = np.zeros((len(uuids), 16), dtype=np.uint8)
    raw[present] = uuid_bytes(uuids[present])
    validity = pa.py_buffer(np.packbits(present, bitorder="little").tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(uuids), [validity, pa.py_buffer(raw.tobytes())])
