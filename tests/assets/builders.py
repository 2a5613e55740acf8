"""Shared builders for the tests of transforms: batches from plain lists, and what became of them as plain objects."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.spec.batch import KEY, Batch


def uid(number: int) -> str:
    """An invented uuid of version 4 that may be kept."""
    return f"00000000-0000-4000-8000-{number:012d}"


def batch_of(columns: Mapping[str, list[Any]], dtypes: Mapping[str, Any] | None = None, key: str = "id") -> Batch:
    """A batch whose KEY is the text of one of its columns, unless KEY is given."""
    keys = {} if KEY in columns else {KEY: [str(value) for value in columns[key]]}
    return Batch(frame({**columns, **keys}, dtypes))


def micros(moment: datetime) -> int:
    """A time as the decide steps prepare it: microseconds since 1970."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as dictionaries, with None for null."""
    return [
        {name: None if _is_missing(value) else value for name, value in row.items()} for row in table.to_dict("records")
    ]


def rows_of(batch: Batch) -> list[dict[str, Any]]:
    """The target rows of a batch as dictionaries, with None for null."""
    return plain(batch.rows())


def outcomes(batch: Batch) -> dict[str, tuple[str, str]]:
    """Legacy key → (outcome, rule) of the rows that were disposed of."""
    return {disposal.key: (disposal.outcome.value, disposal.rule) for disposal in batch.disposals.values()}


def waits(batch: Batch) -> dict[str, tuple[tuple[str, str] | None, tuple[str, ...]]]:
    """Legacy key → (parent, columns) of the rows that were disposed of."""
    return {disposal.key: (disposal.parent, disposal.columns) for disposal in batch.disposals.values()}


def archived(batch: Batch) -> list[tuple[str, str, Any, str]]:
    """(key, column, value, rule) of each archived value."""
    return [(kept.key, kept.column, kept.value, kept.rule) for kept in batch.archive]


def _is_missing(value: object) -> bool:
    return not isinstance(value, list | dict) and bool(pd.isna(value))
