"""Behind the fence: what began before it may end, and what does not end in time takes the fence away."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest

from remoteiq_etl.config.cutover import CutOverSettings
from remoteiq_etl.config.fence_kind import FenceKind
from remoteiq_etl.errors import FenceError, TransactionsOpen
from remoteiq_etl.lifecycle.cutover.fence import fence_of
from remoteiq_etl.lifecycle.cutover.open_transactions import Waited, refuse_blindness, wait
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.postgres.database import Session
from tests.support import server as servers
from tests.support.server import Database, Server

READ_ONLY, REVOKE, STOPPED = (
    fence_of(kind, CutOverSettings(roles=("app",) if kind is FenceKind.REVOKE else ()))
    for kind in (FenceKind.READ_ONLY, FenceKind.REVOKE, FenceKind.STOPPED)
)


@pytest.fixture
def admin(empty_db: Database) -> Iterator[Session]:
    empty_db.execute("CREATE TABLE notes (id int)")
    with contextlib.closing(EngineDatabase(empty_db.url, "public").connect()) as session:
        yield session


def now(session: Session) -> datetime:
    found: datetime = session.value("SELECT clock_timestamp()")
    return found


def waited(session: Session, fence: Any = STOPPED, seconds: float = 5.0, since: datetime | None = None) -> Waited:
    return wait(session, fence, since or now(session), seconds)


def test_an_open_transaction_is_waited_for(empty_db: Database, admin: Session) -> None:
    with empty_db.connect(autocommit=False) as app:
        app.execute("INSERT INTO notes VALUES (1)")
        timer = threading.Timer(0.3, app.commit)
        timer.start()
        assert 0.2 < waited(admin).seconds < 4
        timer.join()


def test_one_that_does_not_end_is_named(empty_db: Database, admin: Session) -> None:
    with empty_db.connect(autocommit=False) as app:
        app.execute("INSERT INTO notes VALUES (1)")
        said = rf"session {app.info.backend_pid} \(application \?\) of the role tester, open since"
        with pytest.raises(TransactionsOpen, match=said):
            waited(admin, READ_ONLY, 0.2)
        app.commit()  # it was not ended


def test_idle_sessions_are_ended_where_they_would_go_on_as_they_began(empty_db: Database, admin: Session) -> None:
    with empty_db.connect() as idle, empty_db.connect() as late:
        idle.execute("SELECT 1")
        assert waited(admin).ended == 0  # who revokes rights, or has stopped the application, need not
        since = now(admin)
        late.execute("BEGIN; INSERT INTO notes VALUES (1)")  # begun after the fence, in a session from before it
        assert waited(admin, READ_ONLY, since=since).ended == 2
        for session in (idle, late):
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT 1")
    assert admin.value("SELECT count(*) FROM notes") == 0


def test_without_rights_only_what_writes_already_is_waited_for(empty_db: Database, admin: Session) -> None:
    """A transaction that has not written can write nothing any more."""
    with empty_db.connect(autocommit=False) as app:
        app.execute("SELECT 1")
        assert waited(admin, REVOKE).seconds < 1
        app.execute("INSERT INTO notes VALUES (1)")
        with pytest.raises(TransactionsOpen):
            waited(admin, REVOKE, 0.2)


def test_sessions_of_ours_are_nobody(empty_db: Database, admin: Session) -> None:
    with contextlib.closing(EngineDatabase(empty_db.url, "public").connect()) as ours:
        ours.execute("BEGIN")
        assert waited(admin, READ_ONLY).ended == 0


def test_who_may_not_look_into_sessions_is_told_before(empty_db: Database, admin: Session) -> None:
    empty_db.execute("CREATE ROLE blind LOGIN")
    try:
        with contextlib.closing(EngineDatabase(empty_db.url_as("blind"), "public").connect()) as session:
            with pytest.raises(FenceError, match="lacks pg_read_all_stats and pg_signal_backend"):
                refuse_blindness(session, READ_ONLY)
            empty_db.execute("GRANT pg_read_all_stats TO blind")
            refuse_blindness(session, STOPPED)
            with pytest.raises(
                FenceError, match="cannot be ended: the role that we connect as lacks pg_signal_backend"
            ):
                refuse_blindness(session, READ_ONLY)
    finally:
        empty_db.execute("DROP ROLE blind")


def test_a_prepared_transaction_is_open() -> None:
    """Two phases: no session has it, and it commits when somebody says so."""
    with servers.running(settings={"fsync": "off", "max_prepared_transactions": "2", "listen_addresses": ""}) as server:
        _assert_prepared_is_open(server)


def _assert_prepared_is_open(server: Server) -> None:
    database = Database(server, "postgres")
    database.execute("CREATE TABLE notes (id int)")
    with database.connect() as app:
        app.execute("BEGIN")
        app.execute("INSERT INTO notes VALUES (1)")
        app.execute("PREPARE TRANSACTION 'later'")
    with contextlib.closing(EngineDatabase(database.url, "public").connect()) as session:
        with pytest.raises(TransactionsOpen, match="a prepared transaction of the role tester, open since"):
            waited(session, REVOKE, 0.1)
        database.execute("COMMIT PREPARED 'later'")
        assert waited(session, REVOKE).seconds < 1
