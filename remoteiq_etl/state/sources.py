"""The sources of a target, and the record of their runs.

Belongs here: registering a source, how a run ended. Does not belong here: locks (see locks), what a run read (see
change_capture/watermarks).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Registered:
    """One source as the state schema knows it."""

    id: int
    name: str
    hash_key: bytes
