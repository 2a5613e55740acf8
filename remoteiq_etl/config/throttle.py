"""The limits of a run: from which reading of which signal on it slows down, waits, or ends.

Belongs here: the signals, their defaults, and their form in the configuration file. Does not belong here: reading them
(`backfill.probes`) and deciding on them (`backfill.throttle`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, Strict, model_validator

from remoteiq_etl.config.validation import Expected, SettingsTable, Where, checked, contradiction

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
SOURCE_LIMITS = frozenset({Signal.SOURCE_LOCK_WAIT, Signal.SNAPSHOT_SECONDS, Signal.SNAPSHOT_XIDS})


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
class ThrottleLimits:
    """All limits of a run, and how often (seconds) both servers are looked at."""

    thresholds: Mapping[Signal, Threshold] = field(default_factory=lambda: DEFAULTS)
    probe_seconds: float = 1.0

    @classmethod
    def read(cls, table: object, file: Path) -> "ThrottleLimits":
        """The limits of a [throttle] table. What it does not name keeps its default. Raises ConfigurationError."""
        found = checked(_ThrottleTable, table, Where(str(file), "throttle"))
        return cls(MappingProxyType(found.thresholds()), found.probe_seconds)

    def of(self, signal: Signal) -> Threshold:
        """The limits of one signal; off where none are set."""
        return self.thresholds.get(signal, Threshold())


def words(signal: Signal) -> tuple[str, str]:
    """How the two limits of a signal are called in the configuration file."""
    return ("finish", "stop") if signal in SOURCE_LIMITS else ("slow", "pause")


def _none_when_off(value: object) -> object:
    return None if value == OFF else value


_Number = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
_Limit = Annotated[_Number | None, BeforeValidator(_none_when_off), Expected(f'a number above 0 or "{OFF}"')]


class _LimitsTable(SettingsTable):
    """The two limits of one signal in the file. A limit that is not named keeps its default."""

    @model_validator(mode="before")
    @classmethod
    def _both_off(cls, value: object) -> object:
        return dict.fromkeys(cls.model_fields, OFF) if value == OFF else value

    def over(self, default: Threshold) -> Threshold:
        """The default, but for the limits that are named."""
        names = type(self).model_fields
        low, high = (
            getattr(self, name) if name in self.model_fields_set else limit
            for name, limit in zip(names, (default.low, default.high), strict=True)
        )
        return Threshold(low, high)


class _LoadLimits(_LimitsTable):
    """Limits of a signal about load."""

    shape = f'"{OFF}" or a table such as {{ slow = 1, pause = 2 }}'

    slow: _Limit = None
    pause: _Limit = None


class _SourceLimits(_LimitsTable):
    """Limits of a signal about what the run itself holds."""

    shape = f'"{OFF}" or a table such as {{ finish = 1, stop = 2 }}'

    finish: _Limit = None
    stop: _Limit = None


class _ThrottleTable(SettingsTable):
    """The table [throttle] of the file: how often both servers are looked at, and the limits of every signal."""

    probe_seconds: Annotated[_Number, Expected("a number above 0")] = 1.0
    replay_lag: _LoadLimits = _LoadLimits()
    replay_bytes: _LoadLimits = _LoadLimits()
    wal_rate: _LoadLimits = _LoadLimits()
    lock_wait: _LoadLimits = _LoadLimits()
    connections: _LoadLimits = _LoadLimits()
    source_lock_wait: _SourceLimits = _SourceLimits()
    snapshot_seconds: _SourceLimits = _SourceLimits()
    snapshot_xids: _SourceLimits = _SourceLimits()

    @model_validator(mode="after")
    def _lower_limits_are_lower(self) -> Self:
        for signal, found in self.thresholds().items():
            if found.low is not None and found.high is not None and found.low >= found.high:
                low, high = words(signal)
                raise contradiction(
                    f"{signal}: {low} = {found.low:g} must be less than {high} = {found.high:g}."
                    " A limit that is not named keeps its default."
                )
        return self

    def thresholds(self) -> dict[Signal, Threshold]:
        """The limits of every signal."""
        return {signal: getattr(self, signal).over(DEFAULTS[signal]) for signal in Signal}
