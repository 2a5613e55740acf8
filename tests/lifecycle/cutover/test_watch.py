"""What is a write to legacy behind the fence, and what only looks like one by the server's counters."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from remoteiq_etl.errors import LegacyWritten
from remoteiq_etl.lifecycle.activity import last_activity
from remoteiq_etl.lifecycle.cutover.watch import LegacyWatch
from remoteiq_etl.postgres.database import Database as EngineDatabase
from remoteiq_etl.postgres.database import Session
from tests.support.server import Database

ONE_MORE = (
    "INSERT INTO permissions (id, key, label, group_key, group_label) VALUES (gen_random_uuid(), %s, 'l', 'g', 'G')"
)


@pytest.fixture
def legacy(legacy_db: Database) -> Iterator[tuple[EngineDatabase, Session]]:
    database = EngineDatabase(legacy_db.url, "public")
    with closing(database.connect()) as session:
        yield database, session


def test_writes_before_the_fence_that_are_counted_late_and_those_rolled_back_are_none(
    legacy: tuple[EngineDatabase, Session], legacy_db: Database
) -> None:
    """A session keeps to itself for seconds what it has written, and tells when it ends."""
    database, session = legacy
    late = legacy_db.connect()
    for number in range(50):
        late.execute(ONE_MORE, [f"late.{number}"])
    watch = LegacyWatch.begin(database, session, is_enforced=True)
    late.close()
    with legacy_db.connect(autocommit=False) as other:
        other.execute(ONE_MORE, ["rolled.back"])
        other.rollback()
    assert last_activity(database) != watch.activity
    watch.refuse_writes()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE permissions SET label = 'other'", r"permissions \(1 rows new or changed\)"),
        ("DELETE FROM permissions", "rows deleted"),
        ("TRUNCATE permissions CASCADE", "the tables themselves"),
    ],
)
def test_a_write_behind_the_fence_is_one(
    legacy: tuple[EngineDatabase, Session], legacy_db: Database, statement: str, named: str
) -> None:
    database, session = legacy
    with legacy_db.connect() as writer:
        writer.execute(ONE_MORE, ["one.key"])
    watch = LegacyWatch.begin(database, session, is_enforced=True)
    legacy_db.execute(statement)
    with pytest.raises(LegacyWritten, match=named):
        watch.refuse_writes()
