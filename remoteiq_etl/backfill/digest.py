"""A digest of a frame that does not depend on the order of its rows: the server may return them in any.

Belongs here: the digest. Does not belong here: what is compared by it (see capture).
"""

import numpy as np
import pandas as pd
import pyarrow as pa

from remoteiq_etl.backfill.frames import to_arrow


def digest(frame: pd.DataFrame) -> str:
    """Rows, and the sum and exclusive or of a 64-bit hash of each: equal for equal rows in any order."""
    if frame.empty:
        return "0"
    hashable = pd.DataFrame({name: _hashable(frame[name]) for name in frame.columns})
    hashes = pd.util.hash_pandas_object(hashable, index=False).to_numpy(dtype=np.uint64)
    total = int(np.add.reduce(hashes, dtype=np.uint64))
    return f"{len(frame)}-{total:x}-{int(np.bitwise_xor.reduce(hashes)):x}"


def _hashable(column: pd.Series) -> pd.Series:
    """A list in any order as text; other values as they are."""
    values = to_arrow(column)
    if not pa.types.is_list(values.type) and not pa.types.is_large_list(values.type):
        return column
    return pd.Series([None if item is None else str(sorted(map(str, item))) for item in values.to_pylist()])
