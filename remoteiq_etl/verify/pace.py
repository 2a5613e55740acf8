"""The pace of a verification: it obeys orders that were given after it began, and the limits of its looks, as a run does.

What it waits for without a snapshot is here, too: a pause that outlasts one, and the end of a run. Belongs here: when it
waits, and when it ends. Does not belong here: what is looked at again after that (see engine).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from remoteiq_etl.backfill.context.progress import Listener, Notice
from remoteiq_etl.backfill.throttle.pacer import Pacer, Worker
from remoteiq_etl.backfill.throttle.probes import SOURCE, TARGET, Probe, Sampler
from remoteiq_etl.errors import StopRequested
from remoteiq_etl.state.orders import Control, Orders
from remoteiq_etl.verify.snapshots import SnapshotPair, VerificationContext

KEPT = "Verdicts of tables that were done are kept; the next remoteiq-etl verify goes on from there."
"""What a verification that ends early leaves."""
#: Seconds between two questions whether a pause, or a run, is over.
STEP = 0.5


@dataclass
class VerificationPace:
    """The pace of one verification, from the making of this object on: an order to stop before that was not meant for it."""

    place: VerificationContext
    listener: Listener
    _control: Control = field(init=False)
    _before: int = field(init=False)

    def __post_init__(self) -> None:
        self._control = Control(self.place.control, self.place.state, self.place.source_id)
        stop = self._control.orders().stop
        self._before = stop.id if stop is not None else 0

    def pacer(self, pair: SnapshotPair) -> Pacer:
        """The pace while one look is open; the age of its snapshot counts from now."""
        plan = pair.verification_context.plan
        probes = [
            Probe(SOURCE, plan.legacy, pair.snapshot.pids, pair.snapshot.xmin),
            Probe(TARGET, plan.target, [pair.session.pid]),
        ]
        worker = Worker("verification", KEPT, "snapshot", self._refuse_stopped)
        return Pacer(plan.limits, self._control, Sampler(probes, plan.limits.probe_seconds), self.listener, worker)

    def refuse_paused(self) -> None:
        """Let no verification begin on a paused source. Raises SourcePaused."""
        self._control.refuse_paused()

    def wait_for_resume(self) -> bool:
        """Wait until the source is paused no more, if it is; False where it was not. Raises StopRequested."""
        waited = False
        while self._orders().pause is not None:
            waited = True
            time.sleep(STEP)
        return waited

    def wait_for_run(self, table: str, let_go: Callable[[], None]) -> int:
        """Wait until no run is in work: what it has half done is no BUG. Gives the fencing token of the last one.

        `let_go` is called before, so that nothing is held on the source meanwhile. Raises StopRequested.
        """
        has_let_go = False
        while True:
            fence = self._control.fence()  # before the question: a run that begins after it has another one
            if not self._control.is_held():
                return fence
            if not has_let_go:
                has_let_go = True
                let_go()
                self.listener.noticed(
                    Notice(table, "differs while a run is in work: it is read again when the run is over")
                )
            self._orders()
            time.sleep(STEP)

    def _orders(self) -> Orders:
        """What stands now. Raises StopRequested."""
        orders = self._control.orders()
        self._refuse_stopped(orders)
        return orders

    def _refuse_stopped(self, orders: Orders) -> None:
        if orders.stops_since(self._before):
            raise StopRequested(f"stopped {orders.stop}. {KEPT}")
