"""Install dates: the text that an agent found in its operating system, read as a moment in UTC.

Known formats: `2024-03-31`, `20240331`, `03/31/2024` (month first), ISO timestamps, `2024-03-31 00:00:00+00`, epoch
seconds (9–10 digits) and milliseconds (12–13 digits). Belongs here: reading them. Does not belong here: what becomes of
a text that cannot be read (see agent_software).
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pandas as pd

from remoteiq_etl.frames.dtypes import TIMESTAMP, by_distinct
from remoteiq_etl.frames.text import tidy

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1970, 2100
LONGEST_SHAPE = 40  # characters

_CLOCK = r"[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?|[0-9]{2}(?:[0-9]{2}(?:[.,][0-9]+)?)?)"
_ZONE = r"(?:[Zz]|[+-][0-9]{2}(?::[0-9]{2}(?::[0-9]{2})?|[0-9]{2}(?:[0-9]{2})?)?)"
_ISO = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}(?:[Tt ]{_CLOCK}{_ZONE}?)?")
_DIGIT, _LETTERS = re.compile(r"[0-9]"), re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"[0-9]+")
_MONTH_FIRST = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


def parse_install_dates(text: pd.Series) -> pd.Series:
    """The moment that each text names; null where it cannot be read or lies outside 1970–2100."""
    return by_distinct(text, _moment, TIMESTAMP)


def formats_of(text: pd.Series) -> pd.Series:
    """The format of each text, as its shape: 9 for a digit, A for letters, `2024-03-31` is 9999-99-99."""
    return by_distinct(text, _format)


def _format(text: str) -> str:
    shape = _LETTERS.sub("A", _DIGIT.sub("9", tidy(text) or ""))
    if not shape:
        return "blank"
    return shape if len(shape) <= LONGEST_SHAPE else f"{shape[:LONGEST_SHAPE]}…"


def _moment(text: str) -> datetime | None:
    tidied = tidy(text) or ""
    try:
        moment = _read(tidied)
    except (ValueError, OverflowError):  # the 31st of February, the 25th hour
        return None
    return moment if moment is not None and FIRST_YEAR <= moment.year <= LAST_YEAR else None


def _read(text: str) -> datetime | None:
    if _DIGITS.fullmatch(text):
        reader = _BY_DIGITS.get(len(text))
        return reader(text) if reader else None
    if _ISO.fullmatch(text):
        return _iso(text)
    month_first = _MONTH_FIRST.fullmatch(text)
    if month_first:
        month, day, year = map(int, month_first.groups())
        return datetime(year, month, day, tzinfo=UTC)
    return None


def _iso(text: str) -> datetime:
    moment = datetime.fromisoformat(text.upper())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _day(text: str) -> datetime:
    return datetime(int(text[:4]), int(text[4:6]), int(text[6:]), tzinfo=UTC)


def _seconds(text: str) -> datetime:
    return EPOCH + timedelta(seconds=int(text))


def _milliseconds(text: str) -> datetime:
    return EPOCH + timedelta(milliseconds=int(text))


_BY_DIGITS: dict[int, Callable[[str], datetime]] = {
    8: _day,
    9: _seconds,
    10: _seconds,
    12: _milliseconds,
    13: _milliseconds,
}
