"""What a run does about readings of both servers."""

import pytest

from remoteiq_etl.backfill.throttle.verdict import (
    LEAST_WAITING,
    LONGEST_DELAY,
    MOST_WAITING,
    Action,
    ProbeReading,
    pace_verdict,
    shown,
)
from remoteiq_etl.config.throttle import DEFAULTS, Signal, Threshold, ThrottleLimits

LIMITS = ThrottleLimits(
    {
        Signal.REPLAY_LAG: Threshold(10, 60),
        Signal.REPLAY_BYTES: Threshold(low=100),
        Signal.WAL_RATE: Threshold(high=100),
        Signal.SNAPSHOT_SECONDS: Threshold(100, 200),
    }
)


def reading(signal: Signal, value: float) -> ProbeReading:
    return ProbeReading(signal, "target", value)


@pytest.mark.parametrize(
    ("signal", "value", "action"),
    [
        (Signal.REPLAY_LAG, 9.99, Action.GO),
        (Signal.REPLAY_LAG, 10, Action.SLOW),
        (Signal.REPLAY_LAG, 59.99, Action.SLOW),
        (Signal.REPLAY_LAG, 60, Action.PAUSE),
        (Signal.REPLAY_BYTES, 1e12, Action.SLOW),
        (Signal.WAL_RATE, 99, Action.GO),
        (Signal.WAL_RATE, 100, Action.PAUSE),
        (Signal.SNAPSHOT_SECONDS, 99, Action.GO),
        (Signal.SNAPSHOT_SECONDS, 100, Action.FINISH),
        (Signal.SNAPSHOT_SECONDS, 200, Action.STOP),
        (Signal.LOCK_WAIT, 1e12, Action.GO),
    ],
)
def test_each_limit_is_met_from_its_value_on(signal: Signal, value: float, action: Action) -> None:
    assert pace_verdict([reading(signal, value)], LIMITS).action is action


def test_without_readings_nothing_holds_a_run_back() -> None:
    assert pace_verdict([], LIMITS).action is Action.GO


def test_the_strictest_reading_decides_and_is_named() -> None:
    readings = [reading(Signal.REPLAY_LAG, 70), reading(Signal.SNAPSHOT_SECONDS, 150), reading(Signal.WAL_RATE, 1)]
    verdict = pace_verdict(readings, LIMITS)
    assert (verdict.action, verdict.why) == (
        Action.FINISH,
        "snapshot_seconds of the target is 150.0 s (finish at 100.0 s)",
    )


def test_of_two_slow_signals_the_one_that_asks_for_more_waiting_decides() -> None:
    verdict = pace_verdict([reading(Signal.REPLAY_LAG, 20), reading(Signal.REPLAY_BYTES, 190)], LIMITS)
    assert verdict.reading == reading(Signal.REPLAY_BYTES, 190)


@pytest.mark.parametrize(
    ("signal", "value", "share"),
    [
        (Signal.REPLAY_LAG, 10, LEAST_WAITING),
        (Signal.REPLAY_LAG, 35, 0.5),
        (Signal.REPLAY_LAG, 59.9, MOST_WAITING),
        (Signal.REPLAY_BYTES, 150, 0.5),
        (Signal.REPLAY_BYTES, 1e9, MOST_WAITING),
    ],
)
def test_a_slowed_run_waits_in_proportion(signal: Signal, value: float, share: float) -> None:
    verdict = pace_verdict([reading(signal, value)], LIMITS)
    assert verdict.share == pytest.approx(share)
    waited = verdict.delay(work_seconds=3.0)
    assert waited / (waited + 3.0) == pytest.approx(share)


def test_no_single_wait_is_longer_than_half_a_minute() -> None:
    verdict = pace_verdict([reading(Signal.REPLAY_LAG, 59.9)], LIMITS)
    assert verdict.delay(work_seconds=3600.0) == LONGEST_DELAY == 30.0


def test_every_signal_has_a_default() -> None:
    assert set(DEFAULTS) == set(Signal)
    assert [signal for signal in Signal if not DEFAULTS[signal].is_on] == [Signal.WAL_RATE]


@pytest.mark.parametrize(
    ("signal", "value", "text"),
    [
        (Signal.REPLAY_LAG, 12.34, "12.3 s"),
        (Signal.REPLAY_BYTES, 3 * 2**20, "3.0 MiB"),
        (Signal.WAL_RATE, 2**20 / 2, "0.5 MiB/s"),
        (Signal.CONNECTIONS, 81.2, "81 %"),
        (Signal.SNAPSHOT_XIDS, 12_000_000, "12,000,000 transactions"),
    ],
)
def test_a_reading_is_shown_with_its_unit(signal: Signal, value: float, text: str) -> None:
    assert shown(signal, value) == text
