"""The limits of a run: from which reading of which signal on it slows down, waits, or ends.

Belongs here: the signals, their defaults, and their form in the configuration file. Does not belong here: reading them
(`backfill.probes`) and deciding on them (`backfill.throttle`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from remoteiq_etl.errors import ConfigurationError

OFF = "off"


class Signal(StrEnum):
    """What a run watches, with its unit. The first group is about load, the second about what the run itself holds."""

    REPLAY_LAG = "replay_lag"  # seconds that the slowest standby is behind
    REPLAY_BYTES = "replay_bytes"  # bytes of WAL that the slowest standby is behind
    WAL_RATE = "wal_rate"  # bytes of WAL per second that the target's server writes, for anyone
    LOCK_WAIT = "lock_wait"  # seconds that a session on the target has been waiting for a lock of ours
    CONNECTIONS = "connections"  # per cent of max_connections in use

    SOURCE_LOCK_WAIT = "source_lock_wait"  # seconds that a session on the source has been waiting for a lock of ours
    SNAPSHOT_SECONDS = "snapshot_seconds"  # age of the run's snapshot
    SNAPSHOT_XIDS = "snapshot_xids"  # transactions that the source has begun since


#: Waiting longer would only make these worse: what they ask for is that the run ends and lets go.
HELD = frozenset({Signal.SOURCE_LOCK_WAIT, Signal.SNAPSHOT_SECONDS, Signal.SNAPSHOT_XIDS})


@dataclass(frozen=True)
class Threshold:
    """Two limits of one signal; None is off.

    Of load: from `low` on the run slows down, from `high` on it waits. Of what it holds: from `low` on it ends after the
    table in work, from `high` on after the batch in work.
    """

    low: float | None = None
    high: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is any limit."""
        return self.low is not None or self.high is not None


#: Chosen so that a load which disturbs nobody is never slowed down. The rate of WAL that is too much depends on the disks;
#: where it is, standbys fall behind, and that is watched.
DEFAULTS: Mapping[Signal, Threshold] = MappingProxyType(
    {
        Signal.REPLAY_LAG: Threshold(10, 60),
        Signal.REPLAY_BYTES: Threshold(256 * 2**20, 2**30),
        Signal.WAL_RATE: Threshold(),
        Signal.LOCK_WAIT: Threshold(2, 10),
        Signal.CONNECTIONS: Threshold(80, 95),
        Signal.SOURCE_LOCK_WAIT: Threshold(5, 30),
        Signal.SNAPSHOT_SECONDS: Threshold(2 * 3600, 4 * 3600),
        Signal.SNAPSHOT_XIDS: Threshold(10_000_000, 50_000_000),
    }
)


@dataclass(frozen=True)
class Limits:
    """All limits of a run, and how often (seconds) both servers are looked at."""

    thresholds: Mapping[Signal, Threshold] = field(default_factory=lambda: DEFAULTS)
    probe_seconds: float = 1.0

    @classmethod
    def read(cls, table: object, file: Path) -> "Limits":
        """The limits of a [throttle] table. What it does not name keeps its default. Raises ConfigurationError."""
        if not isinstance(table, Mapping):
            raise ConfigurationError(f"{file}: expected a table [throttle], found throttle = {table!r}.")
        given = dict(table)
        seconds = _positive(given.pop("probe_seconds", cls.probe_seconds), f"{file}: [throttle] probe_seconds")
        if unknown := sorted(given.keys() - set(Signal)):
            raise ConfigurationError(
                f"{file}: [throttle] has no setting {', '.join(unknown)}. Known: probe_seconds, {', '.join(Signal)}."
            )
        changed = {Signal(name): _threshold(Signal(name), value, file) for name, value in given.items()}
        return cls(MappingProxyType({**DEFAULTS, **changed}), seconds)

    def of(self, signal: Signal) -> Threshold:
        """The limits of one signal; off where none are set."""
        return self.thresholds.get(signal, Threshold())


def words(signal: Signal) -> tuple[str, str]:
    """How the two limits of a signal are called in the configuration file."""
    return ("finish", "stop") if signal in HELD else ("slow", "pause")


def _threshold(signal: Signal, given: object, file: Path) -> Threshold:
    where = f"{file}: [throttle] {signal}"
    if given == OFF:
        return Threshold()
    low, high = words(signal)
    if not isinstance(given, Mapping) or not given.keys() <= {low, high}:
        raise ConfigurationError(
            f'{where}: expected "{OFF}" or a table such as {{ {low} = 1, {high} = 2 }}, found {given!r}.'
        )
    changes = {
        name: _limit(given[word], f"{where}.{word}") for name, word in (("low", low), ("high", high)) if word in given
    }
    found = replace(DEFAULTS[signal], **changes)
    if found.low is not None and found.high is not None and found.low >= found.high:
        raise ConfigurationError(f"{where}: {low} = {found.low:g} must be less than {high} = {found.high:g}.")
    return found


def _limit(value: object, where: str) -> float | None:
    return None if value == OFF else _positive(value, where)


def _positive(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise ConfigurationError(f"{where}: expected a number above 0, found {value!r}.")
    return float(value)
