"""What an asset's rows depend on besides data: the code of its transform, the columns of both sides, words and options.

When any of it changes, rows that have not changed may become others, and the table is read as a whole. Belongs here: the
fingerprint, and whether a stored one is that of today. Does not belong here: the code part (see code_fingerprint), and
what follows from a change (see capture).
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Column, Table

from remoteiq_etl.backfill.change_capture.code_fingerprint import code_fingerprint
from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.frames.dtypes import INTEGER, to_arrow
from remoteiq_etl.spec.table import TableSpec

#: Stands before a fingerprint of this form; those before it were of module texts, and began with nothing.
_FORM = "2:"
#: By asset the module texts (`texts`, hashed) of the last program that wrote that form, and the code fingerprint of the same
#: rules now (`rules`): an entry says that both programs make the same rows of everything. See docs/decisions/0023.
FORMER_CODE = Path(__file__).with_name("former_code.json")


def fingerprint(spec: TableSpec, plan: RunPlan) -> str:
    """A hash over everything but rows that decides what becomes of a row."""
    return _FORM + _hash([code_fingerprint(spec), *_surroundings(spec, plan)])


def is_current(stored: str, spec: TableSpec, plan: RunPlan) -> bool:
    """Whether the fingerprint that a table was completed under says what today's does."""
    if stored.startswith(_FORM):
        return stored == fingerprint(spec, plan)
    former = former_code().get(spec.asset)
    if former is None or former["rules"] != code_fingerprint(spec):
        return False
    return stored == former_fingerprint(former["texts"], spec, plan)


def former_fingerprint(texts: str, spec: TableSpec, plan: RunPlan) -> str:
    """The fingerprint in the form of module texts, as a program with these texts wrote it."""
    engine, version = "1", "1"
    return _hash([engine, version, texts, *_surroundings(spec, plan)])


@cache
def former_code() -> Mapping[str, Mapping[str, str]]:
    """The entries of FORMER_CODE."""
    found: Mapping[str, Mapping[str, str]] = json.loads(FORMER_CODE.read_text(encoding="utf-8"))
    return found


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _surroundings(spec: TableSpec, plan: RunPlan) -> list[str]:
    """The columns of both sides, words, and of the options of the run those that the table reads."""
    options = {name: value for name, value in plan.options.items() if name in spec.run_options}
    words = {value_map.name: dict(plan.words.get(value_map.name, {})) for value_map in spec.value_maps}
    return [
        _columns(spec.target),
        *(_columns(source.table, source.absent) for source in spec.streamed),
        json.dumps([words, options, plan.source, plan.organization_slug], sort_keys=True, default=str),
    ]


def _columns(table: Table, absent: frozenset[str] = frozenset()) -> str:
    return ",".join(_column(column) for column in table.columns if column.name not in absent)


def _column(column: Column[Any]) -> str:
    """Its name and type, and the labels that only the live type has: rows may become these."""
    return " ".join([column.name, str(column.type), *column.info.get("further_labels", ())])


def digest(frame: pd.DataFrame) -> str:
    """Rows, and the sum and exclusive or of a 64-bit hash of each: equal for equal rows in any order."""
    if frame.empty:
        return "0"
    hashable = pd.DataFrame({name: _hashable(frame[name]) for name in frame.columns})
    hashes = pd.util.hash_pandas_object(hashable, index=False).to_numpy(dtype=np.uint64)
    total = int(np.add.reduce(hashes, dtype=np.uint64))
    return f"{len(frame)}-{total:x}-{int(np.bitwise_xor.reduce(hashes)):x}"


def _hashable(column: pd.Series) -> pd.Series:
    """A list in any order as text, a time as its microseconds; other values as they are."""
    values = to_arrow(column)
    if pa.types.is_timestamp(values.type):
        return pd.Series(pd.array(values.cast(pa.int64()), dtype=INTEGER))
    if not pa.types.is_list(values.type) and not pa.types.is_large_list(values.type):
        return column
    return pd.Series([None if item is None else str(sorted(map(str, item))) for item in values.to_pylist()])
