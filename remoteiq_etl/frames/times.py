"""Times as plain Python: a column holds years -4712 to 294246, a datetime years 1 to 9999.

Belongs here: the ways from a column of times to Python's values and back. Does not belong here: which time stands in for another,
or which times a load carries at all (see remoteiq_etl.spec.times).
"""

from datetime import timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from remoteiq_etl.frames.dtypes import TIMESTAMP, to_arrow

_SECOND, _DAY = 1_000_000, 86_400_000_000
#: Microseconds since 1970 of the first moment of year 1, and of year 10000.
_FIRST, _END = -62_135_596_800_000_000, 253_402_300_800_000_000
#: Days from the first of March of year 0 to 1970, and in 400 years.
_TO_1970, _ERA = 719_468, 146_097


def microseconds(column: pd.Series) -> list[int | None]:
    """Each time as microseconds since 1970, which a column of times takes back; None for null."""
    values: list[int | None] = to_arrow(column.astype(TIMESTAMP)).cast(pa.int64()).to_pylist()
    return values


def shifted(column: pd.Series, by: timedelta) -> pd.Series:
    """Each time later by an interval. pandas would count in nanoseconds, which end in the year 2262."""
    moved = pc.add_checked(to_arrow(column.astype(TIMESTAMP)).cast(pa.int64()), by // timedelta(microseconds=1))
    return pd.Series(pd.array(moved.cast(TIMESTAMP.pyarrow_dtype), dtype=TIMESTAMP), index=column.index)


def values(column: pd.Series) -> list[Any]:
    """The values of any column as plain Python; a time that no datetime holds is its text."""
    array = to_arrow(column)
    if not pa.types.is_timestamp(array.type) or not _has_far_ones(array):
        found: list[Any] = array.to_pylist()
        return found
    return [_plain(number) for number in microseconds(column)]


def texts(column: pd.Series) -> list[str | None]:
    """Each time as ISO 8601 text in UTC with all its digits; None for null."""
    return [None if time is None else time if isinstance(time, str) else time.isoformat() for time in values(column)]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain Python, as `to_dict("records")` gives them, whatever their times."""
    shown = {
        str(name): pd.Series(values(frame[name]), index=frame.index, dtype=object)
        if _is_far(frame[name])
        else frame[name]
        for name in frame.columns
    }
    return [{str(name): cell for name, cell in row.items()} for row in pd.DataFrame(shown).to_dict("records")]


def _is_far(column: pd.Series) -> bool:
    array = to_arrow(column)
    return pa.types.is_timestamp(array.type) and _has_far_ones(array)


def _has_far_ones(array: pa.Array) -> bool:
    bounds = pc.min_max(array.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())).as_py()
    return bounds["min"] is not None and (bounds["min"] < _FIRST or bounds["max"] >= _END)


def _plain(number: int | None) -> Any:
    if number is None:
        return None
    if _FIRST <= number < _END:
        return pa.scalar(number, TIMESTAMP.pyarrow_dtype).as_py()
    return _far_text(number)


def _far_text(number: int) -> str:
    """A time as PostgreSQL writes it into JSON: the year before 1 AD is 1 BC."""
    days, rest = divmod(number, _DAY)
    year, month, day = _date(days)
    seconds, fraction = divmod(rest, _SECOND)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    digits = f".{fraction:06}" if fraction else ""
    shown, era = (year, "") if year > 0 else (1 - year, " BC")
    return f"{shown:04}-{month:02}-{day:02}T{clock}{digits}+00:00{era}"


def _date(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970, in the calendar of today carried on both ways.

    Years are counted from March, so that the leap day is the last of one.
    """
    era, day_of_era = divmod(days + _TO_1970, _ERA)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return year, month, day_of_year - (153 * month_from_march + 2) // 5 + 1
