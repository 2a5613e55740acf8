"""When runs start by themselves: the [schedules] of the configuration file, as cron texts of five fields.

Belongs here: the schedules, their defaults, and telling a wrong cron text before anything waits for it in vain. Does not
belong here: starting runs (remoteiq_etl.orchestration.jobs.schedules).
"""

import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from remoteiq_etl.errors import ConfigurationError

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
#: Name, least and greatest number, and words for the numbers from the least on.
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_PART = re.compile(r"(?:\*|(?P<first>[a-z0-9]+)(?:-(?P<last>[a-z0-9]+))?)(?:/(?P<step>[0-9]{1,2}))?", re.ASCII)
_LONGEST_MONTH = 31
_DAYS_OF = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


@dataclass(frozen=True)
class Schedules:
    """When each job starts, as cron texts, and in which time zone they are meant. All are off until they are switched on."""

    resync: str = "*/15 * * * *"
    sweep: str = "30 2 * * *"
    deletes: str = "30 4 * * *"
    verify: str = "30 5 * * *"
    time_zone: str = "UTC"

    @classmethod
    def read(cls, table: object, file: Path) -> "Schedules":
        """The schedules of a [schedules] table. What it does not name keeps its default. Raises ConfigurationError."""
        if not isinstance(table, Mapping):
            raise ConfigurationError(f"{file}: expected a table [schedules], found schedules = {table!r}.")
        known = [one.name for one in fields(cls)]
        if unknown := sorted(table.keys() - set(known)):
            raise ConfigurationError(
                f"{file}: [schedules] has no setting {', '.join(unknown)}. Known: {', '.join(known)}."
            )
        for name, value in table.items():
            check = _check_zone if name == "time_zone" else _check_cron
            check(value, f"{file}: [schedules] {name}")
        return cls(**table)


def _check_zone(value: object, where: str) -> None:
    if not isinstance(value, str) or value not in zoneinfo.available_timezones():
        raise ConfigurationError(f'{where}: expected the name of a time zone such as "Europe/Berlin", found {value!r}.')


def _check_cron(value: object, where: str) -> None:
    parts = value.lower().split() if isinstance(value, str) else []
    if len(parts) != len(_FIELDS):
        raise ConfigurationError(
            f'{where}: expected five fields such as "*/15 * * * *" (minute, hour, day, month, day of the week), found {value!r}.'
        )
    found = [_numbers(text, *field) for text, field in zip(parts, _FIELDS, strict=True)]
    for (name, least, greatest, _), text, numbers in zip(_FIELDS, parts, found, strict=True):
        if not numbers:
            raise ConfigurationError(
                f"{where}: {text!r} in {value!r} is no {name}: expected *, or numbers from {least} to {greatest} as in 1,5-9 or */2."
            )
    _, _, days, months, _ = found
    if min(days) > max(_DAYS_OF.get(month, _LONGEST_MONTH) for month in months):
        raise ConfigurationError(f"{where}: {value!r} never comes: no such month has a day {min(days)}.")


def _numbers(text: str, _name: str, least: int, greatest: int, words: tuple[str, ...]) -> set[int]:
    """The numbers that a field stands for; empty when it is wrong."""
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        numbers = _range(match, least, greatest, words) if match else range(0)
        if not numbers:
            return set()
        found.update(numbers)
    return found


def _range(match: re.Match[str], least: int, greatest: int, words: tuple[str, ...]) -> range:
    step = int(match["step"] or 1)
    first = least if match["first"] is None else _number(match["first"], least, words)
    last = greatest if match["first"] is None else _number(match["last"] or match["first"], least, words)
    alone = match["first"] is not None and match["last"] is None and match["step"] is not None
    if first is None or last is None or alone or not (least <= first <= last <= greatest and 1 <= step <= greatest):
        return range(0)
    return range(first, last + 1, step)


def _number(text: str, least: int, words: tuple[str, ...]) -> int | None:
    if text in words:
        return least + words.index(text)
    return int(text) if text.isdigit() else None
