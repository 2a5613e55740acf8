"""The metrics of check runs: JSON text that is parsed only where a key has to be moved out of the way.

A million rows pass here, most of them unchanged. Belongs here: adding keys to JSON text. Does not belong here: which.
"""

from collections.abc import Mapping

import pandas as pd

from remoteiq_etl.frames import json_text
from remoteiq_etl.frames.dtypes import TEXT, to_arrow

LEGACY = "legacy"


def with_legacy(metrics: pd.Series, lost: Mapping[str, pd.Series]) -> pd.Series:
    """The metrics with the values that are not null added under `legacy`; rows without such values are not touched.

    Only where something is added must metrics be an object: what is none becomes {"value": it} there.
    """
    rows = pd.concat([column.notna() for column in lost.values()], axis=1).any(axis=1)
    if not rows.any():
        return metrics
    values = zip(*(to_arrow(column[rows]).to_pylist() for column in lost.values()), strict=True)
    added = [json_text.dumps(json_text.without_nulls(dict(zip(lost, row, strict=True)))) for row in values]
    merged = [_with(text, legacy) for text, legacy in zip(to_arrow(metrics[rows]).to_pylist(), added, strict=True)]
    result = metrics.astype(TEXT).copy()
    result[rows] = pd.Series(merged, dtype=TEXT).array
    return result


def _with(text: str | None, legacy: str) -> str:
    if text is None or text == "{}":
        return f'{{"{LEGACY}":{legacy}}}'
    if f'"{LEGACY}' in text or not text.startswith("{"):  # perhaps a key of that name
        return json_text.dumps(
            json_text.with_added(json_text.as_object(json_text.parse(text)), {LEGACY: json_text.parse(legacy)})
        )
    return f'{{"{LEGACY}":{legacy},{text[1:]}'
