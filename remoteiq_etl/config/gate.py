"""What the gate of a cut-over lets pass without a word: the table [gate] of the configuration file.

Belongs here: these limits. Does not belong here: the rules that they are limits of.
"""

from typing import Annotated

from pydantic import Field, Strict

from remoteiq_etl.config.validation import Expected, SettingsTable

#: More rows or days than anybody means.
_MOST = 1_000_000_000
_MOST_DAYS = 3_650

_Rows = Annotated[int, Strict(), Field(ge=0, le=_MOST), Expected("a number of rows, 0 or more")]
_Days = Annotated[int, Strict(), Field(ge=1, le=_MOST_DAYS), Expected(f"a number of days from 1 to {_MOST_DAYS}")]


class GateLimits(SettingsTable):
    """How many quarantined and held rows need no acceptance of their own, and how old a rehearsal may be, in days."""

    quarantined_rows: _Rows = 0
    held_rows: _Rows = 0
    rehearsal_days: _Days = 14
