"""JSON values: text and the plain Python objects that are made of it.

PostgreSQL keeps every digit of a number, a double does not: 1.10, 0.1234567890123456789 and 1e400 come out as they went
in. Belongs here: reading, writing and adding to one value. Does not belong here: columns of them (json_text), and pandas: a
command that asks a server a few questions does not wait for it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

LEGACY_VALUES = "legacyValues"
_LONGEST_INTEGER = 4000
#: Objects and arrays within each other that a legacy value may have. Nothing that people or programs write comes near, while
#: PostgreSQL takes some six thousand from anybody, and Python gives up below a thousand, with two frames for each.
DEEPEST = 200
#: What is read: a legacy value may lie some levels deep in one of ours.
_DEEPEST_READ = DEEPEST + 100
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Number:
    """A JSON number that neither int nor float would give back byte for byte: its text."""

    text: str


def parse(text: object) -> Any:
    """The value of one JSON text; None for null. Numbers keep every digit (see Number).

    Raises ValueError for what PostgreSQL does not read (NaN), and for what is nested still deeper than a legacy value may be.
    """
    if not isinstance(text, str | bytes):
        return None
    if is_too_deep(text if isinstance(text, str) else text.decode(), _DEEPEST_READ):
        raise ValueError(f"expected JSON of at most {_DEEPEST_READ} levels, found more of them.")
    return json.loads(text, parse_float=_float, parse_int=_int, parse_constant=_no_number)


def is_too_deep(text: str, deepest: int = DEEPEST) -> bool:
    """Whether objects and arrays lie more than so many levels deep within each other in a JSON text."""
    if text.count("[") + text.count("{") <= deepest:
        return False  # all but a few: nothing else is looked at
    depth = 0
    for token in _STRINGS_AND_BRACKETS.findall(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token, 0)
        if depth > deepest:
            return True
    return False


def as_object(value: Any) -> dict[str, Any]:
    """JSON that must be an object: null becomes {}, anything else that is none becomes {"value": it}."""
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"value": value}


def with_added(value: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """An object with our keys added; a legacy value that ours displaces moves to `legacyValues`."""
    displaced = {key: value[key] for key, own in added.items() if key in value and not same(value[key], own)}
    merged = {**value, **added}
    if displaced:
        merged[LEGACY_VALUES] = {**as_object(merged.get(LEGACY_VALUES)), **displaced}
    return merged


def same(one: Any, other: Any) -> bool:
    """Whether two values are one in JSON, as PostgreSQL compares them: true is not 1, 1.0 is."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(_plain(one) == _plain(other))


def dumps(value: Any) -> str:
    """One value as compact JSON text. Raises ValueError on NaN and infinity, TypeError on what JSON does not know."""
    try:
        return _ENCODER.encode(value)
    except _HasNumber:
        return _joined(value)


class _HasNumber(Exception):  # not an error: the encoder of the standard library has no form for it
    pass


def _float(text: str) -> float | Number:
    value = float(text)
    return value if repr(value) == text else Number(text)


def _int(text: str) -> int | Number:
    # Python refuses to read integers of more than 4300 digits; 1e5000 is one, as PostgreSQL writes it.
    value = int(text) if len(text) < _LONGEST_INTEGER else None
    return value if value is not None and str(value) == text else Number(text)


def _no_number(name: str) -> Any:
    raise ValueError(f"expected a JSON number, found {name}.")


def _plain(value: Any) -> Any:
    """A value that is equal to no value of another JSON type."""
    if isinstance(value, int | float | Number) and not isinstance(value, bool):
        return Decimal(value.text if isinstance(value, Number) else repr(value))
    return (type(value), value)


def _refused(value: object) -> Any:
    if isinstance(value, Number):
        raise _HasNumber
    raise TypeError(f"expected a JSON value, found an object of the type {type(value).__name__}")


#: Made once: json.dumps makes an encoder for each value, which takes twice the time of encoding a short text.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_refused)


def _joined(value: Any) -> str:
    """The same text as `dumps`, put together piece by piece."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{dumps(str(key))}:{_joined(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_joined, value)) + "]"
    return dumps(value)
