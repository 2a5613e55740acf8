"""Readings of both servers, taken by a thread of its own on sessions of its own while the run works.

Only from outside can be seen who waits for a transaction of the run, and a probe must not wait for a batch. Belongs here:
the statements and their schedule. Does not belong here: what follows from a reading (see throttle).
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

from remoteiq_etl.backfill.database import Database, Session, load_sql
from remoteiq_etl.backfill.throttle import Reading
from remoteiq_etl.errors import ConnectionFailed
from remoteiq_etl.limits import Signal

SOURCE, TARGET = "source", "target"

_WAITS = (Signal.LOCK_WAIT, Signal.SOURCE_LOCK_WAIT)

#: A reading older than this says nothing any more: the server did not answer. Seconds, and probes.
STALE_SECONDS, STALE_PROBES = 15.0, 5


@dataclass(frozen=True)
class Sample:
    """What one look at both servers found. `unreadable`: why a signal of a side could not be read."""

    readings: tuple[Reading, ...] = ()
    unreadable: Mapping[tuple[Signal, str], str] = field(default_factory=dict)
    taken_at: float = 0.0


@dataclass
class Probe:
    """Looks at one server. `pids`: the sessions of the run there."""

    side: str
    database: Database
    pids: Collection[int]
    oldest_xid: int | None = None
    session: Session | None = None
    unreadable: dict[tuple[Signal, str], str] = field(default_factory=dict)
    _waiting_since: dict[int, float] = field(default_factory=dict)
    _wal: tuple[float, float] | None = None

    def look(self) -> list[Reading]:
        """The readings of this moment; what cannot be read is in `unreadable`."""
        self.unreadable = {}
        is_target = self.side == TARGET
        found = [
            *self._try(self._replication, Signal.REPLAY_LAG, Signal.REPLAY_BYTES),
            *self._try(self._connections, Signal.CONNECTIONS),
            *self._try(self._lock_wait, Signal.LOCK_WAIT if is_target else Signal.SOURCE_LOCK_WAIT),
        ]
        if is_target:
            found += self._try(self._wal_rate, Signal.WAL_RATE)
        if self.oldest_xid is not None:
            found += self._try(self._xids, Signal.SNAPSHOT_XIDS)
        return found

    def close(self) -> None:
        """End the session."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def _try(self, read: Callable[..., Iterator[Reading]], *signals: Signal) -> list[Reading]:
        try:
            return list(read(*signals))
        except ConnectionFailed:
            reason = "the server cannot be reached"
        except psycopg.Error as error:
            reason = f"{type(error).__name__} (SQLSTATE {error.sqlstate})"
            self._forget_lost_session()
        self._mark(reason, *signals)
        return []

    def _mark(self, reason: str, *signals: Signal) -> None:
        self.unreadable.update({(signal, self.side): reason for signal in signals})

    def _forget_lost_session(self) -> None:
        if self.session is not None and self.session.connection.closed:
            self.session = None

    def _opened(self) -> Session:
        if self.session is None:
            # Not observed: who observes the run's statements counts on their order.
            self.session = replace(self.database, observer=None).connect()
        return self.session

    def _reading(self, signal: Signal, value: float) -> Reading:
        return Reading(signal, self.side, value)

    def _row(self, name: str) -> tuple[Any, ...]:
        return self._opened().rows(load_sql(name))[0]

    # --- one signal each ----------------------------------------------------------------------------------------

    def _replication(self, lag: Signal, size: Signal) -> Iterator[Reading]:
        seconds, behind, hidden = self._row("probe_replication")
        if hidden:
            self._mark(f"{hidden} standbys are hidden from this role; pg_monitor shows them", lag, size)
        yield self._reading(lag, seconds)
        yield self._reading(size, behind)

    def _connections(self, signal: Signal) -> Iterator[Reading]:
        yield self._reading(signal, float(self._row("probe_connections")[0]))

    def _lock_wait(self, signal: Signal) -> Iterator[Reading]:
        """The longest wait, counted from the probe that saw it first: not every version tells since when."""
        rows = self._opened().rows(load_sql("probe_waiting"), {"ours": list(self.pids)})
        now = time.monotonic()
        self._waiting_since = {pid: self._waiting_since.get(pid, now) for (pid,) in rows}
        yield self._reading(signal, max((now - since for since in self._waiting_since.values()), default=0.0))

    def _wal_rate(self, signal: Signal) -> Iterator[Reading]:
        written = float(
            self._opened().value("SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), '0/0')")
        )
        now, before = time.monotonic(), self._wal
        self._wal = now, written
        if before is not None and now > before[0]:
            yield self._reading(signal, (written - before[1]) / (now - before[0]))

    def _xids(self, signal: Signal) -> Iterator[Reading]:
        newest = int(
            self._opened().value("SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())::text")
        )
        yield self._reading(signal, float(newest - (self.oldest_xid or newest)))


class Sampler:
    """Takes a sample every so many seconds, from `start` to `close`."""

    def __init__(self, probes: Collection[Probe], every: float) -> None:
        self.probes = probes
        self.every = every
        self._latest = Sample()
        self._waits: dict[str, Reading] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def started(self) -> bool:
        """Whether samples are being taken."""
        return self._thread is not None

    def latest(self) -> Sample:
        """The last sample; an empty one as long as there is none, and when it is too old to say anything.

        Of waits for our locks it has the longest since this was called last: at the end of a batch they are over.
        """
        sample, longest, self._waits = self._latest, self._waits, {}
        if time.monotonic() - sample.taken_at > max(STALE_SECONDS, STALE_PROBES * self.every):
            return Sample()
        others = [one for one in sample.readings if one.signal not in _WAITS]
        return replace(sample, readings=(*others, *longest.values()))

    def start(self) -> None:
        """Begin to take samples."""
        # A daemon: a server that does not answer must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name="throttle", daemon=True)
        self._thread.start()

    def sample(self) -> Sample:
        """Take one sample now."""
        readings = tuple(reading for probe in self.probes for reading in probe.look())
        unreadable = {key: why for probe in self.probes for key, why in probe.unreadable.items()}
        self._latest = Sample(readings, unreadable, time.monotonic())
        longest = self._waits
        for one in readings:
            if one.signal in _WAITS and one.value >= longest.get(one.side, one).value:
                longest[one.side] = one
        return self._latest

    def close(self) -> None:
        """End; waits a moment for a probe in work."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=2.0)

    def _work(self) -> None:
        try:
            while not self._ended.is_set():
                self.sample()
                self._ended.wait(self.every)
        finally:
            for probe in self.probes:
                probe.close()
