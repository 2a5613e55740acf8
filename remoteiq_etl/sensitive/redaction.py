"""What of a legacy row may leave its table: secret columns and secret JSON keys never, long texts only their beginning."""

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.frames import json_text

SECRET_KEY = re.compile(r"password|secret|token|key|credential", re.IGNORECASE)
#: A key of the same kind in a text that looks like JSON and cannot be read as such.
NAMES_A_SECRET = re.compile(rf'"[^"]*(?:{SECRET_KEY.pattern})[^"]*"\s*:', re.IGNORECASE)
REDACTED = "[redacted]"
LONGEST = 500  # characters of one text


def is_secret(column: Column[Any]) -> bool:
    """Whether the whole column is secret."""
    return bool(column.info.get("secret"))


def redacted_row(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """One legacy row as JSON values, without secrets; texts are cut."""
    return {column.name: _redacted(column, row.get(column.name)) for column in table.columns if column.name in row}


def redacted_json(value: Any) -> Any:
    """A JSON value in which every key that names a secret has lost its value."""
    if isinstance(value, dict):
        return {key: REDACTED if SECRET_KEY.search(key) else redacted_json(item) for key, item in value.items()}
    return [redacted_json(item) for item in value] if isinstance(value, list) else value


def plain(value: Any) -> Any:
    """A cell of a frame as a JSON value: times as ISO text, bytes as hexadecimal text."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, str | bool | int | float):
        return value
    if hasattr(value, "item"):
        return value.item()
    return (
        [plain(item) for item in value] if isinstance(value, list | tuple) or hasattr(value, "__iter__") else str(value)
    )


def _redacted(column: Column[Any], value: Any) -> Any:
    value = plain(value)
    if value is None:
        return None
    if is_secret(column):
        return REDACTED
    if isinstance(column.type, pg.JSON) and isinstance(value, str):
        # Nobody reads what lies that deep, and it may be secret.
        value = REDACTED if json_text.is_too_deep(value) else json_text.dumps(redacted_json(json_text.parse(value)))
    return f"{value[:LONGEST]}…" if isinstance(value, str) and len(value) > LONGEST else value
