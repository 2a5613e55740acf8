"""The throttle's decision: what a run does about readings of both servers. Pure: no clock, no database.

Belongs here: readings, verdicts and their words. Does not belong here: taking readings (see probes), waiting (see
pacing), the limits themselves (remoteiq_etl.config.throttle).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from remoteiq_etl.config.throttle import SOURCE_LIMITS, Signal, ThrottleLimits, words

#: The share of time that a slowed run waits at most; more is a pause.
MOST_WAITING = 0.9
#: The share from which a run that has just passed its limit begins: less would not be felt.
LEAST_WAITING = 0.1
#: Seconds of one wait at the most, however long the batch or the decision before it took; then the readings are others.
LONGEST_DELAY = 30.0


class Action(IntEnum):
    """What to do next, the mildest first."""

    GO = 0
    SLOW = 1
    PAUSE = 2
    FINISH = 3
    STOP = 4


@dataclass(frozen=True)
class ProbeReading:
    """One signal of one side ("source" or "target"), in the unit of the signal."""

    signal: Signal
    side: str
    value: float


@dataclass(frozen=True)
class PaceVerdict:
    """What one reading asks for. `share`: the part of its time that the run shall wait (slow only)."""

    action: Action = Action.GO
    reading: ProbeReading | None = None
    limit: float = 0.0
    share: float = 0.0

    def delay(self, work_seconds: float) -> float:
        """Seconds to wait after so much work, so that waiting is `share` of both together; see LONGEST_DELAY."""
        return min(work_seconds * self.share / (1 - self.share), LONGEST_DELAY)

    @property
    def why(self) -> str:
        """The reading in words: which signal, of which side, how much, and the limit."""
        if self.reading is None:
            return "nothing"
        signal = self.reading.signal
        low, high = words(signal)
        word = high if self.action in (Action.PAUSE, Action.STOP) else low
        found = f"{signal} of the {self.reading.side} is {shown(signal, self.reading.value)}"
        return f"{found} ({word} at {shown(signal, self.limit)})"


def pace_verdict(readings: Iterable[ProbeReading], limits: ThrottleLimits) -> PaceVerdict:
    """The strictest verdict; of two equal ones that which asks for more waiting."""
    return max(
        (_of(reading, limits) for reading in readings), key=lambda one: (one.action, one.share), default=PaceVerdict()
    )


def shown(signal: Signal, value: float) -> str:
    """A reading with its unit, for people."""
    if signal in (Signal.REPLAY_BYTES, Signal.WAL_RATE):
        return f"{value / 2**20:,.1f} MiB{'/s' if signal is Signal.WAL_RATE else ''}"
    if signal is Signal.CONNECTIONS:
        return f"{value:.0f} %"
    return f"{value:,.0f} transactions" if signal is Signal.SNAPSHOT_XIDS else f"{value:,.1f} s"


def _of(reading: ProbeReading, limits: ThrottleLimits) -> PaceVerdict:
    limit = limits.of(reading.signal)
    mild, strict = (Action.FINISH, Action.STOP) if reading.signal in SOURCE_LIMITS else (Action.SLOW, Action.PAUSE)
    if limit.high is not None and reading.value >= limit.high:
        return PaceVerdict(strict, reading, limit.high)
    if limit.low is not None and reading.value >= limit.low:
        return PaceVerdict(mild, reading, limit.low, _share(reading.value, limit.low, limit.high))
    return PaceVerdict()


def _share(value: float, low: float, high: float | None) -> float:
    """Grows from the lower limit to the upper one; without an upper one to the double of the lower."""
    way = (value - low) / ((high if high is not None else 2 * low) - low)
    return min(max(way, LEAST_WAITING), MOST_WAITING)
