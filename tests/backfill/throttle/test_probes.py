"""What a probe reads from a real server."""

import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from psycopg import pq, sql

from remoteiq_etl.backfill.throttle.probes import SOURCE, TARGET, Probe, ProbeSample, Sampler
from remoteiq_etl.config.throttle import Signal
from remoteiq_etl.postgres.database import Database as EngineDatabase
from tests.support import server as servers
from tests.support.server import Database, Server


@contextmanager
def probing(
    database: Database, side: str = TARGET, *, role: str = servers.SUPERUSER, **more: object
) -> Iterator[Probe]:
    probe = Probe(
        side, EngineDatabase(database.url_as(role), "public", read_only=side == SOURCE), **{"pids": (), **more}
    )
    with closing(probe):
        yield probe


def read(probe: Probe) -> dict[Signal, float]:
    return {reading.signal: reading.value for reading in probe.look()}


@pytest.mark.every_postgres
def test_a_role_without_rights_reads_every_signal(target_db: Database) -> None:
    """On a server without standbys there is nothing to hide."""
    role = target_db.select_only_role()
    with probing(target_db, role=role, oldest_xid=1) as probe:
        read(probe)
        found = read(probe)
    assert probe.unreadable == {}
    assert set(found) == set(Signal) - {Signal.SOURCE_LOCK_WAIT, Signal.SNAPSHOT_SECONDS}
    assert (found[Signal.REPLAY_LAG], found[Signal.REPLAY_BYTES], found[Signal.LOCK_WAIT]) == (0, 0, 0)
    assert 0 < found[Signal.CONNECTIONS] < 100


def test_the_wal_rate_is_what_was_written_between_two_probes(target_db: Database) -> None:
    with probing(target_db) as probe:
        began = time.monotonic()
        assert Signal.WAL_RATE not in read(probe)
        target_db.execute("CREATE TABLE t AS SELECT repeat('x', 1000) FROM generate_series(1, 5000)")
        target_db.execute("INSERT INTO t SELECT * FROM t")
        rate = read(probe)[Signal.WAL_RATE]
        assert rate * (time.monotonic() - began) >= 5_000_000


def test_transactions_since_the_snapshot_are_counted(target_db: Database) -> None:
    with target_db.connect() as connection:
        (xid,) = connection.execute("SELECT txid_current()").fetchone() or (0,)
        with probing(target_db, SOURCE, oldest_xid=int(xid)) as probe:
            before = read(probe)[Signal.SNAPSHOT_XIDS]
            for _ in range(7):
                connection.execute("SELECT txid_current()")
            assert read(probe)[Signal.SNAPSHOT_XIDS] - before >= 7


def test_who_waits_for_our_lock_is_seen_and_who_waits_for_another_is_not(target_db: Database) -> None:
    target_db.execute("CREATE TABLE ours (); CREATE TABLE theirs ()")
    with target_db.connect(autocommit=False) as holder, target_db.connect(autocommit=False) as other:
        holder.execute("LOCK TABLE ours")
        other.execute("LOCK TABLE theirs")
        waiters = [
            threading.Thread(target=target_db.execute, args=[f"BEGIN; LOCK TABLE {name}; COMMIT"])
            for name in ("ours", "theirs")
        ]
        for waiter in waiters:
            waiter.start()
        wait_until(lambda: waiting(target_db) == 2)
        with probing(target_db, SOURCE, pids=[other.info.backend_pid]) as theirs, probing(target_db, pids=[]) as nobody:
            read(theirs)
            time.sleep(0.05)
            assert read(theirs)[Signal.SOURCE_LOCK_WAIT] >= 0.05
            assert read(nobody)[Signal.LOCK_WAIT] == 0
            other.rollback()
            wait_until(lambda: waiting(target_db) == 1)
            assert read(theirs)[Signal.SOURCE_LOCK_WAIT] == 0
        holder.rollback()
        for waiter in waiters:
            waiter.join()


def waiting(database: Database) -> int:
    with database.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE NOT granted AND datname = current_database()"
        ).fetchone()
    return row[0] if row else 0


def wait_until(condition: object, seconds: float = 3.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_a_signal_that_may_not_be_read_is_named_and_the_others_are_read(target_db: Database) -> None:
    role = target_db.select_only_role()
    target_db.execute("REVOKE EXECUTE ON FUNCTION pg_current_wal_insert_lsn() FROM PUBLIC")
    with probing(target_db, role=role) as probe:
        found = read(probe)
    assert Signal.CONNECTIONS in found
    assert Signal.WAL_RATE not in found
    assert probe.unreadable[Signal.WAL_RATE, TARGET] == (
        "the role lacks a right (SQLSTATE 42501: permission denied for function pg_current_wal_insert_lsn)"
    )


def test_a_probe_whose_session_was_ended_opens_another(target_db: Database) -> None:
    with probing(target_db) as probe:
        read(probe)
        target_db.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
            " WHERE application_name = 'remoteiq-etl' AND datname = current_database()"
        )
        wait_until(lambda: read(probe).keys() >= {Signal.CONNECTIONS, Signal.LOCK_WAIT})
        assert probe.unreadable == {}


def test_a_server_that_cannot_be_reached_makes_its_signals_unreadable() -> None:
    probe = Probe(SOURCE, EngineDatabase("postgresql://127.0.0.1:1/nowhere", "public"), [])
    assert probe.look() == []
    assert set(probe.unreadable.values()) == {"the server cannot be reached"}


def test_a_server_that_refused_a_session_is_not_asked_again_at_once(target_db: Database) -> None:
    with probing(target_db) as probe:
        reachable, probe.database = probe.database, EngineDatabase("postgresql://127.0.0.1:1/nowhere", "public")
        assert probe.look() == []
        probe.database = reachable
        assert probe.look() == []
        probe._not_before = 0.0
        assert probe.look() != []


def test_a_sampler_whose_server_is_silent_says_so_and_trusts_no_old_sample(
    target_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with probing(target_db) as probe:
        sampler = Sampler([probe], every=0.01)
        assert sampler.latest() == ProbeSample()
        sampler.start()
        wait_until(lambda: bool(sampler.latest().readings))
        sampler.close()
        monkeypatch.setattr("remoteiq_etl.backfill.throttle.probes.STALE_SECONDS", 0.0)
        wait_until(lambda: not sampler.latest().readings)
        assert sampler.latest().unreadable[Signal.CONNECTIONS, TARGET] == "no answer for 0 s"


def test_a_wait_that_is_over_when_the_batch_ends_is_told_once(target_db: Database) -> None:
    """While a batch is written others wait; between two batches nobody does."""
    target_db.execute("CREATE TABLE ours ()")
    with target_db.connect(autocommit=False) as holder, probing(target_db, pids=[holder.info.backend_pid]) as probe:
        sampler = Sampler([probe], every=1.0)
        holder.execute("LOCK TABLE ours")
        waiter = threading.Thread(target=target_db.execute, args=["BEGIN; LOCK TABLE ours; COMMIT"])
        waiter.start()
        wait_until(lambda: waiting(target_db) == 1)
        sampler.sample()
        time.sleep(0.05)
        sampler.sample()
        holder.rollback()
        waiter.join()
        sampler.sample()
        assert lock_waits(sampler)[0] >= 0.05
        assert lock_waits(sampler) == []
        sampler.sample()
        assert lock_waits(sampler) == [0.0]


def lock_waits(sampler: Sampler) -> list[float]:
    return [reading.value for reading in sampler.latest().readings if reading.signal is Signal.LOCK_WAIT]


# --- standbys -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def primary() -> Iterator[Server]:
    settings = {**servers._SPEED, "wal_level": "replica", "max_wal_senders": "2"}
    with servers.running(settings=settings) as server:
        yield server


@contextmanager
def standby(server: Server, *, replayed: int) -> Iterator[None]:
    """A replication connection that says to have received everything and replayed nothing beyond this position."""
    url = f"{server.url('postgres')}&replication=true"
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        pgconn = connection.pgconn
        identified = pgconn.exec_(b"IDENTIFY_SYSTEM")
        position = identified.get_value(0, 2) or b""
        started = pgconn.exec_(b"START_REPLICATION PHYSICAL " + position)
        assert started.status == pq.ExecStatus.COPY_BOTH, pgconn.error_message
        received = lsn(position.decode())
        pgconn.put_copy_data(b"r" + struct.pack("!qqqqb", received, received, replayed, 0, 0))
        pgconn.flush()
        yield


def lsn(text: str) -> int:
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


@pytest.mark.slow("starts a server of its own")
def test_bytes_that_a_standby_has_not_replayed_are_seen(primary: Server) -> None:
    database = primary.create_database()
    with standby(primary, replayed=lsn("0/1000000")), probing(database) as probe:
        wait_until(lambda: read(probe)[Signal.REPLAY_BYTES] > 0)
        with database.connect() as connection:
            row = connection.execute(
                "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/1000000')::float8"
            ).fetchone()
        assert row is not None
        assert read(probe)[Signal.REPLAY_BYTES] == pytest.approx(row[0], rel=0.1)


@pytest.mark.slow("starts a server of its own")
def test_standbys_that_a_role_may_not_see_are_unreadable_until_it_is_granted(primary: Server) -> None:
    database = primary.create_database()
    role = database.select_only_role()
    with standby(primary, replayed=1), probing(database, role=role) as probe:
        wait_until(lambda: bool(probe.look() and probe.unreadable))
        reason = "1 standbys are hidden from this role; pg_monitor shows them"
        assert probe.unreadable == {(one, TARGET): reason for one in (Signal.REPLAY_LAG, Signal.REPLAY_BYTES)}
        with database.connect() as connection:
            connection.execute(sql.SQL("GRANT pg_monitor TO {}").format(sql.Identifier(role)))
        assert read(probe)[Signal.REPLAY_BYTES] > 0
        assert probe.unreadable == {}
