"""The code part of a fingerprint: what a declaration says and its functions compute.

A declaration counts by its values, an option only where it is not the default, a function by its normal form. Belongs
here: that text and its hash. Does not belong here: the normal form of functions (see code_form), and what else decides
about a row (see fingerprint).
"""

import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from sqlalchemy import ClauseElement, Table
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.change_capture.code_form import function_hash
from remoteiq_etl.spec.dispositions import Disposition
from remoteiq_etl.spec.table import Source, TableSpec

#: Raised when the engine itself gives rows another form.
ENGINE = "1"
#: What is there for readers, for the order of a run, or differs between databases.
_WITHOUT_EFFECT = {
    TableSpec: frozenset({"grain", "no_source", "rules", "lineage", "after", "asset_name", "run_options", "grants_to"}),
    Disposition: frozenset({"reason"}),
    Source: frozenset({"absent"}),
}


#: The fingerprints of declarations seen before. A declaration does not change, and most of them hold what has no hash.
_KNOWN: dict[int, tuple[TableSpec, str]] = {}


def code_fingerprint(spec: TableSpec) -> str:
    """A hash over all code that decides what becomes of a row."""
    known, found = _KNOWN.get(id(spec), (None, ""))
    if known is not spec:
        found = _hash_of(spec)
        _KNOWN[id(spec)] = spec, found
    return found


def _hash_of(spec: TableSpec) -> str:
    return hashlib.sha256(f"{ENGINE}\0{_text(spec)}".encode()).hexdigest()[:32]


def _text(value: object) -> str:
    """A value of a declaration as text that is the same in every process. Raises TypeError for a kind without such a text."""
    if isinstance(value, Table):
        return f"table {value.schema}.{value.name}"
    if isinstance(value, ClauseElement):
        return _compiled(value)
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}({', '.join(_options(value))})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_text(key)}: {_text(one)}' for key, one in value.items()))}}}"
    if isinstance(value, Set):
        return f"{{{', '.join(sorted(map(_text, value)))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    return _function(value) if callable(value) else _plain(value)


def _plain(value: object) -> str:
    if value is None or isinstance(value, str | bytes | int | float):
        return repr(value)
    raise TypeError(f"a declaration holds a {type(value).__name__}, and nobody can tell whether it has changed")


def _options(value: Any) -> Iterator[str]:
    unseen = _WITHOUT_EFFECT.get(type(value), frozenset())
    for one in fields(value):
        given = getattr(value, one.name)
        if one.init and one.name not in unseen and not _is_default(one, given):
            yield f"{one.name}={_text(given)}"


def _is_default(option: "Field[Any]", given: object) -> bool:
    """Whether an option says nothing; SQL expressions have no truth value to be compared by."""
    if isinstance(given, ClauseElement):
        return False
    default = option.default_factory() if option.default_factory is not MISSING else option.default
    return bool(given == default)


def _function(function: Callable[..., Any]) -> str:
    """A function by its form; one without a name in its module, with the values that it was made with."""
    if not inspect.isfunction(function) or "<" not in function.__qualname__:
        return function_hash(function)
    held = [cell.cell_contents for cell in function.__closure__ or ()]
    return f"{function_hash(function)} {_text([held, function.__defaults__, function.__kwdefaults__])}"


def _compiled(element: ClauseElement) -> str:
    statement = element.compile(
        dialect=pg.dialect(paramstyle="named"),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    return str(statement)
