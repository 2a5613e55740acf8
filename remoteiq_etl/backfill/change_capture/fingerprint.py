"""What an asset's rows depend on besides data: the code of its transform, the columns of both sides, words and options.

When any of it changes, rows that have not changed may become others, and the table is read as a whole. Belongs here: the
fingerprint. Does not belong here: what follows from it (see capture).
"""

import hashlib
import inspect
import json
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Table

from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.frames.dtypes import to_arrow
from remoteiq_etl.spec.table import TableSpec

#: Raised when the engine itself gives rows another form.
ENGINE = "1"


def fingerprint(spec: TableSpec, plan: RunPlan) -> str:
    """A hash over everything but rows that decides what becomes of a row."""
    words = {value_map.name: dict(plan.words.get(value_map.name, {})) for value_map in spec.value_maps}
    parts = [
        ENGINE,
        spec.version,
        _code(spec),
        _columns(spec.target),
        *(_columns(source.table, source.absent) for source in spec.streamed),
        json.dumps([words, dict(plan.options), plan.source, plan.organization_slug], sort_keys=True, default=str),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _columns(table: Table, absent: frozenset[str] = frozenset()) -> str:
    return ",".join(f"{column.name} {column.type}" for column in table.columns if column.name not in absent)


def _code(spec: TableSpec) -> str:
    functions = [source.transform for source in spec.sources]
    modules = {function.__module__ for function in (*functions, *([spec.decide.function] if spec.decide else []))}
    return "".join(_source_of(name) for name in sorted(modules))


@cache
def _source_of(module: str) -> str:
    """The hash of the text of a module and of those of its own package that it uses, directly or not."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = inspect.getsource(sys.modules[name])
            waiting += _used_by(sys.modules[name])
    return hashlib.sha256("\0".join(found[name] for name in sorted(found)).encode()).hexdigest()


def _used_by(module: ModuleType) -> Iterator[str]:
    package = f"{module.__name__.partition('.')[0]}."
    for value in vars(module).values():
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(name, str) and name.startswith(package) and name in sys.modules:
            yield name


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
