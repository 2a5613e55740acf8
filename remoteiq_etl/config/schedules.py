"""When runs start by themselves: the [schedules] of the configuration file, as cron texts of five fields.

Belongs here: the schedules and their defaults. Does not belong here: starting runs, and what a field of a cron text may
hold: Dagster reads them, and says so (remoteiq_etl.orchestration.schedules).
"""

import zoneinfo
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from remoteiq_etl.config.validation import Expected, SettingsTable

_FIVE_FIELDS = r"^\s*\S+(\s+\S+){4}\s*$"

Cron = Annotated[
    str,
    StringConstraints(pattern=_FIVE_FIELDS),
    Expected('five fields such as "*/15 * * * *" (minute, hour, day, month, day of the week)'),
]


def _time_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError(name)
    return name


class Schedules(SettingsTable):
    """When each job starts, as cron texts, and in which time zone they are meant. All but prune are off until
    they are switched on."""

    resync: Cron = "*/15 * * * *"
    sweep: Cron = "30 2 * * *"
    deletes: Cron = "30 4 * * *"
    verify: Cron = "30 5 * * *"
    prune: Cron = "30 6 * * *"
    time_zone: Annotated[
        str, AfterValidator(_time_zone), Expected('the name of a time zone such as "Europe/Berlin"')
    ] = "UTC"
