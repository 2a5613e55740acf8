"""JSON columns: text in a frame, plain Python objects while a transform works on them.

Belongs here: columns, and single values under the same name, so that who works on frames needs this module alone. Does not
belong here: any table's keys.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.frames.json_values import (
    DEEPEST,
    LEGACY_VALUES,
    Number,
    as_object,
    dumps,
    is_too_deep,
    parse,
    same,
    with_added,
)

__all__ = [
    "DEEPEST",
    "LEGACY_VALUES",
    "Number",
    "as_object",
    "dumps",
    "is_too_deep",
    "objects",
    "parse",
    "same",
    "texts",
    "with_added",
    "without_nulls",
]


def objects(column: pd.Series) -> list[dict[str, Any]]:
    """Each text of a column as an object."""
    return [as_object(parse(text)) for text in column]


def texts(values: Iterable[Any]) -> pd.Series:
    """Values as a column of JSON text; None stays null."""
    return pd.Series([None if value is None else dumps(value) for value in values], dtype=TEXT)


def without_nulls(value: Mapping[str, Any]) -> dict[str, Any]:
    """An object without the keys whose value is null; empty strings stay."""
    return {key: item for key, item in value.items() if item is not None and item is not pd.NA}
