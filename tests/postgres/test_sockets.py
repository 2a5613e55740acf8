"""A session of the Arrow driver that the server has ended is an error with a SQLSTATE; the driver itself would end the process."""

import socket
from contextlib import closing

import pytest
from adbc_driver_manager import Error as AdbcError

from remoteiq_etl.postgres.arrow import connect_arrow, connect_beside
from remoteiq_etl.postgres.sockets import open_sockets, opened_since
from tests.support.migrating import Migration
from tests.support.server import Database

END = (
    "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'remoteiq-etl'"
)


@pytest.mark.parametrize("read_only", [False, True], ids=["writer", "reader"])
def test_a_session_that_the_server_has_ended_is_an_error_and_not_the_end_of_the_process(
    target_db: Database, read_only: bool
) -> None:
    plan = Migration.of(target_db, target_db).plan
    database = plan.legacy if read_only else plan.target
    with (
        closing(connect_arrow(database, autocommit=not read_only)) as first,
        closing(connect_beside(database, first)) as second,
    ):
        sessions = (first, second)
        assert [one.table("SELECT 1 AS n").to_pylist() for one in sessions] == [[{"n": 1}]] * 2
        target_db.execute(END)
        for session in sessions:
            for statement in (session.table, session.execute):
                with pytest.raises(AdbcError) as raised:
                    statement("SELECT 1")
                assert raised.value.sqlstate == "08006"


@pytest.mark.parametrize("way", ["table", "execute"])
def test_a_session_that_is_ended_within_a_statement_is_an_error_and_not_the_end_of_the_process(
    target_db: Database, way: str
) -> None:
    """The statement ends its own session, as a server does that stops: the connection breaks while its answer is awaited."""
    with (
        closing(connect_arrow(Migration.of(target_db, target_db).plan.target)) as session,
        pytest.raises(AdbcError) as raised,
    ):
        getattr(session, way)("SELECT pg_terminate_backend(pg_backend_pid())::text, pg_sleep(60)::text")
    assert raised.value.sqlstate == "57P01"


def test_a_socket_is_closed_when_either_end_is() -> None:
    """Whatever waits in it unread; one whose number is another socket's by now is closed, too."""
    before = open_sockets()
    ours, theirs = socket.socketpair()
    assert opened_since(before) is None, "there are two"
    watched = {one.fileno(): opened_since({**open_sockets(), one.fileno(): 0}) for one in (ours, theirs)}
    mine = watched[ours.fileno()]
    assert mine is not None
    assert not mine.is_closed()
    theirs.send(b"a last word")
    assert not mine.is_closed()
    theirs.close()
    assert mine.is_closed()
    ours.close()
    again = socket.socketpair()
    assert mine.is_closed()
    for one in again:
        one.close()
