"""The pace of a run, or of a verification: between two batches it obeys orders, and waits as the throttle says. It always says why.

Belongs here: waiting, ending, telling the listener, counting what was waited. Does not belong here: readings (see
probes), what follows from them (see throttle), giving orders (see control).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from remoteiq_etl.backfill.context.progress import Listener, Notice
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.throttle.probes import SOURCE, ProbeSample, Sampler
from remoteiq_etl.backfill.throttle.verdict import Action, PaceVerdict, ProbeReading, pace_verdict
from remoteiq_etl.config.throttle import SOURCE_LIMITS, Signal, ThrottleLimits
from remoteiq_etl.errors import RunStopped, SnapshotTooOld, SourceWaits
from remoteiq_etl.state.orders import Control, Orders

#: The order of a person, counted beside the signals.
PAUSED = "paused"
#: Seconds after which a waiting run looks again, so that an order takes effect while it waits.
STEP = 0.25
#: Seconds between two notices of being slowed down and not: a reading may swing about its limit.
QUIET = 10.0

_TO_PAUSE = PaceVerdict(Action.PAUSE)


@dataclass(frozen=True)
class Worker:
    """Whose pace it is.

    `refuse_stopped` raises StopRequested when orders say that it shall end, `kept` says what it leaves then. `until`: what
    comes to its end with a snapshot that is old, the run itself or that snapshot alone.
    """

    name: str
    kept: str
    until: str
    refuse_stopped: Callable[[Orders], None]


@dataclass
class Pacer:
    """The pace of one worker; the snapshot's age counts from the making of this object."""

    limits: ThrottleLimits
    control: Control
    sampler: Sampler
    listener: Listener
    worker: Worker
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    holds_snapshot: bool = True
    _began: float = field(init=False)
    _resumed: float = field(init=False)
    _free_until: float = 0.0  # by the clock: tables may begin without a look at orders and limits
    _said: tuple[Action, str] = (Action.GO, "")
    _said_at: float = -QUIET
    _last_said: bool = False
    _unreadable: set[tuple[Signal, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._began = self._resumed = self.clock()

    def before_table(self, report: TableReport) -> None:
        """Wait as long as need be before a table is begun. Raises RunStopped when the run shall end here."""
        if self.clock() >= self._free_until:
            self._pass(report, Action.FINISH)

    def passed_by(self) -> None:
        """Nothing of a table had changed: so it may be with the next ones, and orders are not asked for at each of them."""
        if self.clock() >= self._free_until:
            self._free_until = self.clock() + STEP

    def before_batch(self, report: TableReport) -> None:
        """Wait as long as need be before a batch is written. Raises RunStopped when the run shall end here."""
        self._pass(report, Action.STOP)

    def snapshot_released(self) -> None:
        """From now on nothing is held on the source."""
        self.holds_snapshot = False

    def close(self) -> None:
        """End the sampling."""
        self.sampler.close()

    # --- waiting ------------------------------------------------------------------------------------------------

    def _pass(self, report: TableReport, ends_from: Action) -> None:
        now = self.clock()
        work, slept = now - self._resumed, 0.0
        while True:
            pace, orders = self._judge(report, ends_from)
            left = _left(pace, work, slept)
            self._say(report, pace, orders, slept)
            if left <= 0:
                break
            self._wait(report, pace, min(STEP, left))
            slept += min(STEP, left)
        self._resumed = self.clock()

    def _judge(self, report: TableReport, ends_from: Action) -> tuple[PaceVerdict, Orders]:
        """Whether to slow down or wait, and what people have ordered. Raises RunStopped when the run shall end.

        What the run holds is judged apart: that this is its last table does not free it from waiting.
        """
        orders = self.control.orders()
        self.worker.refuse_stopped(orders)
        readings = self._readings(report)
        held = pace_verdict((one for one in readings if one.signal in SOURCE_LIMITS), self.limits)
        if held.action >= ends_from:
            raise _ended(held, self.worker)
        if held.action is Action.FINISH:
            self._say_last(report, held)
        pace = pace_verdict((one for one in readings if one.signal not in SOURCE_LIMITS), self.limits)
        return (_TO_PAUSE if orders.pause else pace), orders

    def _readings(self, report: TableReport) -> list[ProbeReading]:
        age = self.clock() - self._began
        if not self.sampler.started and age >= self.limits.probe_seconds:
            self.sampler.start()  # a run that is over in a moment needs no more sessions
        sample = self.sampler.latest()
        self._tell_unreadable(report, sample)
        own = [ProbeReading(Signal.SNAPSHOT_SECONDS, SOURCE, age)]
        found = [*sample.readings, *own]
        return [one for one in found if self.holds_snapshot or one.signal not in SOURCE_LIMITS]

    def _wait(self, report: TableReport, verdict: PaceVerdict, seconds: float) -> None:
        name = PAUSED if verdict.reading is None else str(verdict.reading.signal)
        before = self.clock()
        self.sleep(seconds)
        report.waited[name] = report.waited.get(name, 0.0) + self.clock() - before

    # --- telling ------------------------------------------------------------------------------------------------

    def _say(self, report: TableReport, verdict: PaceVerdict, orders: Orders, slept: float) -> None:
        """One notice for each change of what is done and why; readings change all the time."""
        name = str(verdict.reading.signal) if verdict.reading else PAUSED if orders.pause else ""
        before = self._said[0]
        swings = max(before, verdict.action) <= Action.SLOW and self.clock() - self._said_at < QUIET
        if swings or self._said == (verdict.action, name):
            return
        self._said, self._said_at = (verdict.action, name), self.clock()
        self.listener.noticed(Notice(report.table, _text(verdict, orders, before, slept)))

    def _say_last(self, report: TableReport, held: PaceVerdict) -> None:
        if not self._last_said:
            self._last_said = True
            self.listener.noticed(
                Notice(report.table, f"is the last table of this {self.worker.until}, because {held.why}")
            )

    def _tell_unreadable(self, report: TableReport, sample: ProbeSample) -> None:
        for key, reason in sample.unreadable.items():
            if key not in self._unreadable and self.limits.of(key[0]).is_on:
                self._unreadable.add(key)
                self.listener.noticed(
                    Notice(report.table, f"{key[0]} of the {key[1]} cannot be watched fully: {reason}")
                )


def _left(verdict: PaceVerdict, work: float, slept: float) -> float:
    """Seconds still to wait: none when free to go, a pause has no end of its own."""
    if verdict.action is Action.PAUSE:
        return STEP
    return verdict.delay(work) - slept if verdict.action is Action.SLOW else 0.0


def _text(verdict: PaceVerdict, orders: Orders, before: Action, slept: float) -> str:
    if verdict.action is Action.PAUSE and verdict.reading is None:
        return f"paused {orders.pause}; remoteiq-etl resume lets it go on"
    if verdict.action is Action.PAUSE:
        return f"waits, because {verdict.why}"
    if verdict.action is Action.SLOW:
        return f"is slowed down, because {verdict.why}"
    return f"goes on after {slept:.1f} s" if before is Action.PAUSE else "goes on at full speed"


def _ended(verdict: PaceVerdict, worker: Worker) -> RunStopped:
    """The error that ends a worker which holds something on the source for too long."""
    kind = SourceWaits if verdict.reading and verdict.reading.signal is Signal.SOURCE_LOCK_WAIT else SnapshotTooOld
    return kind(
        f"the {worker.name} ends here, because {verdict.why}. Its snapshot keeps the legacy database from cleaning up and from"
        f" changing its tables. {worker.kept} The limits are in remoteiq.toml, [throttle]."
    )
