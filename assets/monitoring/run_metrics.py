"""The metrics of check runs: JSON text that is parsed only where a key has to be moved out of the way.

A million rows pass here, most of them unchanged. Belongs here: adding keys to JSON text. Does not belong here: which.
"""

from collections.abc import Mapping

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from remoteiq_etl.backfill import jsons
from remoteiq_etl.backfill.frames import TEXT, to_arrow

LEGACY = "legacy"


def as_objects(texts: pd.Series) -> pd.Series:
    """JSON texts as objects: what is none becomes {"value": it}; null stays null."""
    array = to_arrow(texts)
    other = pc.invert(pc.fill_null(pc.starts_with(array, "{"), True))
    if not pc.any(other).as_py():
        return texts
    wrapped = pc.binary_join_element_wise(pa.scalar('{"value":'), array, pa.scalar("}"), pa.scalar(""))
    return pd.Series(pd.array(pc.if_else(other, wrapped, array), dtype=TEXT), index=texts.index)


def with_legacy(objects: pd.Series, lost: Mapping[str, pd.Series]) -> pd.Series:
    """The objects with the values that are not null added under `legacy`; rows without such values are not touched."""
    rows = pd.concat([column.notna() for column in lost.values()], axis=1).any(axis=1)
    if not rows.any():
        return objects
    values = zip(*(to_arrow(column[rows]).to_pylist() for column in lost.values()), strict=True)
    added = [jsons.dumps(jsons.without_nulls(dict(zip(lost, row, strict=True)))) for row in values]
    merged = [_with(text, legacy) for text, legacy in zip(to_arrow(objects[rows]).to_pylist(), added, strict=True)]
    result = objects.astype(TEXT).copy()
    result[rows] = pd.Series(merged, dtype=TEXT).array
    return result


def _with(text: str | None, legacy: str) -> str:
    if text is None or text == "{}":
        return f'{{"{LEGACY}":{legacy}}}'
    if f'"{LEGACY}' in text:  # perhaps a key of that name
        return jsons.dumps(jsons.with_added(jsons.as_object(jsons.parse(text)), {LEGACY: jsons.parse(legacy)}))
    return f'{{"{LEGACY}":{legacy},{text[1:]}'
