"""The pace of a run, with a clock and readings of the test's own; on real servers see tests/backfill/throttle/test_pacing.py."""

from dataclasses import dataclass, field
from typing import Any, cast

from remoteiq_etl.backfill.context.progress import Notice, Silent
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.throttle.pacer import QUIET, STEP, Pacer, Worker
from remoteiq_etl.backfill.throttle.probes import ProbeSample, Sampler
from remoteiq_etl.backfill.throttle.verdict import ProbeReading
from remoteiq_etl.config.throttle import Signal, Threshold, ThrottleLimits
from remoteiq_etl.state.orders import Control, Orders

LIMITS = ThrottleLimits({Signal.REPLAY_LAG: Threshold(10, 60)})
WORKER = Worker("run", "All of it.", "run", lambda _orders: None)


@dataclass
class World(Silent):
    """A clock that only waiting and work move, a lag that is read from it, nobody who gives orders."""

    now: float = 0.0
    lags: list[float] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    started = True

    def latest(self) -> ProbeSample:
        lag = self.lags.pop(0) if len(self.lags) > 1 else self.lags[0]
        return ProbeSample((ProbeReading(Signal.REPLAY_LAG, "target", lag),))

    def orders(self) -> Orders:
        return Orders()

    def noticed(self, notice: Notice) -> None:
        self.notices.append(notice.text)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def pacer(self) -> Pacer:
        me = cast("Any", self)
        return Pacer(LIMITS, cast("Control", me), cast("Sampler", me), self, WORKER, lambda: self.now, self.sleep)


def waited(world: World, *, work: float) -> float:
    report, pacer = TableReport("users"), world.pacer()
    world.now += work
    pacer.before_batch(report)
    assert world.now - work == sum(report.waited.values())
    return report.waited.get("replay_lag", 0.0)


def test_without_lag_nothing_is_waited_or_said() -> None:
    world = World(lags=[0.0])
    assert (waited(world, work=4.0), world.notices) == (0.0, [])


def test_a_slowed_run_waits_for_its_share_of_the_work_before() -> None:
    world = World(lags=[35.0])
    assert waited(world, work=4.0) == 4.0
    assert world.notices == ["is slowed down, because replay_lag of the target is 35.0 s (slow at 10.0 s)"]


def test_a_slowed_run_goes_on_as_soon_as_the_lag_is_gone() -> None:
    assert waited(World(lags=[35.0, 35.0, 0.0]), work=4.0) == 2 * STEP


def test_a_pause_lasts_until_the_reading_falls_and_is_not_waited_for_again() -> None:
    """What was waited in the pause counts for the slower pace after it."""
    world = World(lags=[70.0] * 9 + [35.0])
    assert waited(world, work=1.0) == 9 * STEP
    assert world.notices[0].startswith("waits, because replay_lag of the target is 70.0 s (pause at 60.0 s)")


def test_a_reading_that_swings_about_its_limit_is_not_said_each_time() -> None:
    world, report = World(lags=[0.0]), TableReport("users")
    pacer = world.pacer()
    for lag in (11.0, 9.0) * 20:
        world.lags = [lag]
        world.now += 1.0
        pacer.before_batch(report)
    assert 2 <= len(world.notices) <= world.now / QUIET + 1


def test_tables_of_which_nothing_has_changed_pass_by_without_a_look_for_a_moment() -> None:
    """However many they are, orders and limits are looked at again after the moment."""
    world, report = World(lags=[0.0]), TableReport("users")
    pacer, looks = world.pacer(), list[float]()
    world.orders = lambda: looks.append(world.now) or Orders()  # type: ignore[method-assign,func-returns-value]
    for _ in range(30):
        pacer.before_table(report)
        pacer.passed_by()
        world.now += STEP / 10
    assert len(looks) == 3
    pacer.before_batch(report)
    assert len(looks) == 4
