"""JSON columns: text in a frame, plain Python objects while a transform works on them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from remoteiq_etl.backfill.frames import TEXT

LEGACY_VALUES = "legacyValues"


def parse(text: object) -> Any:
    """The value of one JSON text; None for null (integers keep every digit)."""
    return json.loads(text) if isinstance(text, str) else None


def as_object(value: Any) -> dict[str, Any]:
    """JSON that must be an object: null becomes {}, anything else that is none becomes {"value": it}."""
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"value": value}


def objects(column: pd.Series) -> list[dict[str, Any]]:
    """Each text of a column as an object."""
    return [as_object(parse(text)) for text in column]


def with_added(value: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """An object with our keys added; a legacy value that ours displaces moves to `legacyValues`."""
    displaced = {key: value[key] for key, ours in added.items() if key in value and value[key] != ours}
    merged = {**value, **added}
    if displaced:
        merged[LEGACY_VALUES] = {**as_object(merged.get(LEGACY_VALUES)), **displaced}
    return merged


def dumps(value: Any) -> str:
    """One value as JSON text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def texts(values: Iterable[Any]) -> pd.Series:
    """Values as a column of JSON text; None stays null."""
    return pd.Series([None if value is None else dumps(value) for value in values], dtype=TEXT)


def without_nulls(value: Mapping[str, Any]) -> dict[str, Any]:
    """An object without the keys whose value is null; empty strings stay."""
    return {key: item for key, item in value.items() if item is not None and item is not pd.NA}
