"""Who held the lock that a statement waited for in vain."""

import re

from remoteiq_etl.postgres.errors.lock_waits import Holder, blocking_sentence
from tests.support.server import Database

UPDATE = "UPDATE things SET id = 2"


def test_holders_of_what_a_statement_names_are_told_and_nobody_else(empty_db: Database) -> None:
    """A lock of another table is not in the way, and neither is a writer in that of one who only reads."""
    empty_db.execute("CREATE TABLE things (id int); CREATE TABLE others (id int)")
    with empty_db.connect(autocommit=False) as writing, empty_db.connect(autocommit=False) as elsewhere:
        writing.execute("SET application_name = 'a job'; INSERT INTO things VALUES (1)")
        elsewhere.execute("LOCK others")
        said = blocking_sentence(empty_db.url, UPDATE, [], writes=True)
        assert f"In the way: session {writing.info.backend_pid} (role tester, application a job" in said
        assert "holds RowExclusiveLock on things. Let it end" in said
        assert str(elsewhere.info.backend_pid) not in said
        free = "Whoever held it has let go since; repeat."
        assert blocking_sentence(empty_db.url, UPDATE, [], writes=False) == free
        assert blocking_sentence(empty_db.url, UPDATE, [writing.info.backend_pid], writes=True) == free


def test_of_many_locks_three_are_named_and_the_rest_counted(empty_db: Database) -> None:
    empty_db.execute("CREATE TABLE one (); CREATE TABLE two (); CREATE TABLE three (); CREATE TABLE four ()")
    with empty_db.connect(autocommit=False) as holder:
        holder.execute("LOCK one, two, three, four")
        said = blocking_sentence(empty_db.url, "SELECT FROM one, two, three, four", [], writes=False)
        assert said.count("holds AccessExclusiveLock on") == 3
        assert said.endswith("and 1 more locks. Let it end (or end it: pg_terminate_backend), then repeat.")


def test_a_server_that_cannot_be_asked_is_said_so_without_its_url() -> None:
    said = blocking_sentence("postgresql://someone:hush@127.0.0.1:1/none", UPDATE, [], writes=True)
    assert said.startswith("Who holds it could not be asked (nobody listens at this host and port")
    assert {"someone", "hush"} & {*re.findall(r"\w+", said)} == set()


def test_what_a_role_may_not_see_of_a_session_is_left_out() -> None:
    holder = Holder(7, None, "?", None, None, "ShareLock", granted=False, held="things", behind=[3, 4])
    assert str(holder) == "session 7 (role ?, application ?) itself waits for ShareLock on things, behind 3, 4"
