"""The switch of two schemas of one database: in one transaction, behind locks, and back."""

import contextlib
import threading
from collections.abc import Iterator

import pytest

from remoteiq_etl.config.cutover import CutOverSettings
from remoteiq_etl.errors import CutOverError
from remoteiq_etl.lifecycle.cutover import switch
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.postgres.database import Session
from tests.support.preparing import KillAt, Killed
from tests.support.server import Database

PATIENT = CutOverSettings(lock_seconds=0.2, attempts=20)
HASTY = CutOverSettings(lock_seconds=0.1, attempts=1)


@pytest.fixture
def database(empty_db: Database) -> Database:
    empty_db.execute(
        "CREATE EXTENSION citext; CREATE TABLE users (email citext); INSERT INTO users VALUES ('Old@example.com');"
        "CREATE SCHEMA redesigned; CREATE TABLE redesigned.users (email citext);"
        "INSERT INTO redesigned.users VALUES ('New@example.com')"
    )
    return empty_db


@contextlib.contextmanager
def admin(database: Database, observer: KillAt | None = None, role: str | None = None) -> Iterator[Session]:
    url = database.url if role is None else database.url_as(role)
    with contextlib.closing(EngineDatabase(url, "public", observer=observer).connect()) as session:
        yield session


def shown(database: Database) -> list[str]:
    """What an application finds that looks up an address in another spelling, as citext lets it."""
    with database.connect() as connection:
        rows = connection.execute("SELECT email::text FROM users WHERE email IN ('OLD@example.com', 'NEW@example.com')")
        return [row[0] for row in rows.fetchall()]


@pytest.mark.every_postgres
def test_schemas_change_their_names_and_back(database: Database) -> None:
    """The type of a column stays one whose operators are found: extensions do not go away with the legacy schema."""
    with admin(database) as session:
        names = switch.survey(session, "public", "redesigned")
        assert (names.legacy_after, names.extensions, switch.is_switched(session, names)) == (
            "public_legacy",
            ("citext",),
            False,
        )
        switch.switch_schemas(session, names, PATIENT)
        assert switch.is_switched(session, names)
        assert shown(database) == ["New@example.com"]
        for _ in range(2):  # it may be repeated
            switch.switch_schemas_back(session, names, PATIENT)
            assert shown(database) == ["Old@example.com"]
        assert switch.survey(session, "public", "redesigned") == names


def test_killed_at_any_statement_it_has_happened_or_not(database: Database) -> None:
    with admin(database) as session:
        names = switch.survey(session, "public", "redesigned")
    at = 1
    while True:
        with admin(database, KillAt(at)) as session, contextlib.suppress(Killed):
            switch.switch_schemas(session, names, PATIENT)
            break
        assert shown(database) == ["Old@example.com"], at
        at += 1
    assert at > 6
    assert shown(database) == ["New@example.com"]


def test_whoever_holds_a_table_is_waited_for_a_while_and_named(database: Database) -> None:
    with admin(database) as session, database.connect(autocommit=False) as app:
        names = switch.survey(session, "public", "redesigned")
        app.execute("SELECT * FROM redesigned.users")
        with pytest.raises(
            CutOverError, match=rf"not to be had for 1 times 0.1 seconds.*session {app.info.backend_pid}"
        ):
            switch.switch_schemas(session, names, HASTY)
        assert not switch.is_switched(session, names)
        timer = threading.Timer(0.3, app.commit)
        timer.start()
        switch.switch_schemas(session, names, PATIENT)
        timer.join()
        assert switch.is_switched(session, names)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE SCHEMA public_legacy", "is to be called public_legacy, and there is one of that name"),
        ("ALTER SCHEMA redesigned RENAME TO elsewhere", "has no schema redesigned"),
        (
            "UPDATE pg_extension SET extrelocatable = false WHERE extname = 'citext'",
            "the extension citext lies in the schema public and cannot be moved",
        ),
    ],
)
def test_what_is_in_the_way_is_known_before(database: Database, statement: str, said: str) -> None:
    database.execute(statement)
    with admin(database) as session, pytest.raises(CutOverError, match=said):
        switch.survey(session, "public", "redesigned")


def test_a_schema_of_another_role_is_not_ours_to_rename(database: Database) -> None:
    role = database.select_only_role("public", "redesigned")
    with admin(database, role=role) as session, pytest.raises(CutOverError, match="belongs to another role"):
        switch.survey(session, "public", "redesigned")
