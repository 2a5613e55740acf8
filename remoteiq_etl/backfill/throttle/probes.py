"""Readings of both servers, taken by a thread of its own on sessions of its own while the run works.

Only from outside can be seen who waits for a transaction of the run, and a probe must not wait for a batch. Belongs here:
the statements and their schedule. Does not belong here: what follows from a reading (see throttle).
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

import psycopg

from remoteiq_etl.backfill.throttle.verdict import ProbeReading
from remoteiq_etl.config.throttle import Signal
from remoteiq_etl.errors import ConnectionFailed
from remoteiq_etl.postgres.database import Database, Session
from remoteiq_etl.postgres.errors.failures import brief
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

SOURCE, TARGET = "source", "target"

_WAITS = (Signal.LOCK_WAIT, Signal.SOURCE_LOCK_WAIT)

#: A reading older than this says nothing any more: the server did not answer. Seconds, and probes.
STALE_SECONDS, STALE_PROBES = 15.0, 5
#: A server that refuses us may have no connection left: it is not asked for one every second.
RECONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class ProbeSample:
    """What one look at both servers found. `unreadable`: why a signal of a side could not be read."""

    readings: tuple[ProbeReading, ...] = ()
    unreadable: Mapping[tuple[Signal, str], str] = field(default_factory=dict)
    taken_at: float = 0.0


_Read = Callable[..., Iterator[ProbeReading]]  # of a session and the signals


@dataclass
class Probe:
    """Looks at one server. `pids`: the sessions of the run there."""

    side: str
    database: Database
    pids: Collection[int]
    oldest_xid: int | None = None
    session: Session | None = None
    unreadable: dict[tuple[Signal, str], str] = field(default_factory=dict)
    _not_before: float = 0.0
    _waiting_since: dict[int, float] = field(default_factory=dict)
    _wal: tuple[float, float] | None = None

    def look(self) -> list[ProbeReading]:
        """The readings of this moment; what cannot be read is in `unreadable`."""
        self.unreadable = {}
        session = self._connected()
        if session is None:
            self._mark("the server cannot be reached", *self.signals)
            return []
        return [reading for group, read in self._readers().items() for reading in self._try(read, session, *group)]

    @property
    def signals(self) -> list[Signal]:
        """What it reads."""
        return [signal for group in self._readers() for signal in group]

    def _readers(self) -> dict[tuple[Signal, ...], _Read]:
        is_target = self.side == TARGET
        readers: dict[tuple[Signal, ...], _Read] = {
            (Signal.REPLAY_LAG, Signal.REPLAY_BYTES): self._replication,
            (Signal.CONNECTIONS,): self._connections,
            (Signal.LOCK_WAIT if is_target else Signal.SOURCE_LOCK_WAIT,): self._lock_wait,
        }
        if is_target:
            readers[Signal.WAL_RATE,] = self._wal_rate
        if self.oldest_xid is not None:
            readers[Signal.SNAPSHOT_XIDS,] = self._xids
        return readers

    def close(self) -> None:
        """End the session."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def _try(self, read: _Read, session: Session, *signals: Signal) -> list[ProbeReading]:
        try:
            return list(read(session, *signals))
        except psycopg.Error as error:
            self._mark(brief(error), *signals)
            return []

    def _mark(self, reason: str, *signals: Signal) -> None:
        self.unreadable.update({(signal, self.side): reason for signal in signals})

    def _connected(self) -> Session | None:
        """The session, opened anew when it was lost; None while the server refuses one."""
        if self.session is not None and not self.session.connection.closed:
            return self.session
        self.session = None
        if time.monotonic() >= self._not_before:
            try:
                # Not observed: who observes the run's statements counts on their order.
                self.session = replace(self.database, observer=None, explains=False).connect()
            except ConnectionFailed:
                self._not_before = time.monotonic() + RECONNECT_SECONDS
        return self.session

    def _reading(self, signal: Signal, value: float) -> ProbeReading:
        return ProbeReading(signal, self.side, value)

    # --- one signal each ----------------------------------------------------------------------------------------

    def _replication(self, session: Session, lag: Signal, size: Signal) -> Iterator[ProbeReading]:
        seconds, behind, hidden = session.rows(SQL["replication"])[0]
        if hidden:
            self._mark(f"{hidden} standbys are hidden from this role; pg_monitor shows them", lag, size)
        yield self._reading(lag, seconds)
        yield self._reading(size, behind)

    def _connections(self, session: Session, signal: Signal) -> Iterator[ProbeReading]:
        yield self._reading(signal, float(session.rows(SQL["connections"])[0][0]))

    def _lock_wait(self, session: Session, signal: Signal) -> Iterator[ProbeReading]:
        """The longest wait, counted from the probe that saw it first: not every version tells since when."""
        rows = session.rows(SQL["waiting"], {"ours": list(self.pids)})
        now = time.monotonic()
        self._waiting_since = {pid: self._waiting_since.get(pid, now) for (pid,) in rows}
        yield self._reading(signal, max((now - since for since in self._waiting_since.values()), default=0.0))

    def _wal_rate(self, session: Session, signal: Signal) -> Iterator[ProbeReading]:
        """Counted where rows are inserted into the log: what is written to disk lags behind an asynchronous commit."""
        position = "pg_catalog.pg_current_wal_insert_lsn()"
        written = float(session.value(f"SELECT pg_catalog.pg_wal_lsn_diff({position}, '0/0')"))
        now, before = time.monotonic(), self._wal
        self._wal = now, written
        if before is not None and now > before[0]:
            yield self._reading(signal, (written - before[1]) / (now - before[0]))

    def _xids(self, session: Session, signal: Signal) -> Iterator[ProbeReading]:
        newest = int(session.value("SELECT pg_catalog.txid_snapshot_xmax(pg_catalog.txid_current_snapshot())::text"))
        yield self._reading(signal, float(newest - (self.oldest_xid or newest)))


class Sampler:
    """Takes a sample every so many seconds, from `start` to `close`."""

    def __init__(self, probes: Collection[Probe], every: float) -> None:
        self.probes = probes
        self.every = every
        self._latest = ProbeSample()
        self._waits: dict[str, ProbeReading] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def started(self) -> bool:
        """Whether samples are being taken."""
        return self._thread is not None

    def latest(self) -> ProbeSample:
        """The last sample; one without readings as long as there is none, and when it is too old to say anything.

        Of waits for our locks it has the longest since this was called last: at the end of a batch they are over.
        """
        with self._lock:
            sample, longest, self._waits = self._latest, self._waits, {}
        if self.started and (age := time.monotonic() - sample.taken_at) > max(STALE_SECONDS, STALE_PROBES * self.every):
            return ProbeSample(unreadable=self._without_answer(age))
        others = [one for one in sample.readings if one.signal not in _WAITS]
        return replace(sample, readings=(*others, *longest.values()))

    def _without_answer(self, seconds: float) -> dict[tuple[Signal, str], str]:
        reason = f"no answer for {seconds:.0f} s"
        return {(signal, probe.side): reason for probe in self.probes for signal in probe.signals}

    def start(self) -> None:
        """Begin to take samples."""
        self._latest = ProbeSample(taken_at=time.monotonic())
        # A daemon: a server that does not answer must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name="throttle", daemon=True)
        self._thread.start()

    def sample(self) -> ProbeSample:
        """Take one sample now."""
        readings = tuple(reading for probe in self.probes for reading in probe.look())
        unreadable = {key: why for probe in self.probes for key, why in probe.unreadable.items()}
        with self._lock:
            self._latest = ProbeSample(readings, unreadable, time.monotonic())
            for one in readings:
                if one.signal in _WAITS and one.value >= self._waits.get(one.side, one).value:
                    self._waits[one.side] = one
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
