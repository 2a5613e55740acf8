"""A run in a process of its own, to be killed or stopped while it loads.

The processes are forked from one that has imported the engine: the first costs what its imports do, the others nothing.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.postgres.database import Database
from tests.support.migrating import Migration, specs

PATIENCE = 60.0
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Apart:
    """The process of a run that holds its source."""

    process: BaseProcess

    def kill(self) -> bool:
        """Kill it, and tell whether it was still at work."""
        self.process.kill()
        return self.ended() == -signal.SIGKILL

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """It stands still within the block."""
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    def ended(self) -> int | None:
        """Its exit code, when it came to its end."""
        self.process.join(PATIENCE)
        return self.process.exitcode


@contextmanager
def run_apart(migration: Migration, *tables: str) -> Iterator[Apart]:
    """A run of these tables (none: all) that has begun, in batches of five rows."""
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    arguments = (migration.legacy.url, migration.target.url, tables, theirs)
    process = _CONTEXT.Process(target=_load, args=arguments, daemon=True)
    process.start()
    theirs.close()
    try:
        assert ours.poll(PATIENCE), "the run did not begin"
        assert ours.recv() == "open"
        yield Apart(process)
    finally:
        ours.close()
        process.kill()
        process.join()
        process.close()


def _load(legacy: str, target: str, tables: Sequence[str], began: Connection) -> None:
    plan = RunPlan(Database(legacy, "public", read_only=True), Database(target, "public"), specs(), batch_rows=5)
    with open_run(plan) as run:
        began.send("open")
        run.load_all(tables or None)
