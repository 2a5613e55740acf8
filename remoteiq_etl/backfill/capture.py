"""Change capture: which legacy rows a run has to read, found by the xmin of each row, with no write to the source.

Belongs here: the choice between a full and an incremental pass, and its reason. Does not belong here: reading the rows
(see extract), what is done with them (see load).
"""

from enum import StrEnum


class Mode(StrEnum):
    """What a run reads: what changed since the last run, where that can be told, or everything."""

    INCREMENTAL = "incremental"
    FULL = "full"
