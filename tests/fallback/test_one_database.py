"""Within one database the schemas have other names since the switch: a fall-back finds its tables all the same."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from remoteiq_etl.fallback import fallback
from remoteiq_etl.lifecycle.cutover.back import back
from remoteiq_etl.lifecycle.target.prepare import prepare
from remoteiq_etl.state.schema import State
from tests.conftest import with_legacy_schema
from tests.support.cutting_over import ROWS, Ready
from tests.support.falling_back import fall_back
from tests.support.migrating import specs
from tests.support.server import Server


@pytest.fixture
def cut(server: Server, tmp_path: Path) -> Iterator[Ready]:
    database = server.create_database()
    with_legacy_schema(database)
    database.execute(ROWS)
    ready = Ready(database, database, tmp_path, ("public", "redesigned"), verifies=False, tables=tuple(specs()))
    with ready.migration() as found, closing(found.target.connect()) as session:
        prepare(session, target_schema="redesigned", state=State(found.target, found.settings.state_schema))
    ready.make_ready()
    ready.cut_over()
    yield replace(ready, schemas=("public_legacy", "public"))
    database.drop()


def test_what_was_written_in_the_renamed_schema_goes_back_to_the_renamed_one(cut: Ready) -> None:
    cut.in_target(
        "UPDATE devices SET hostname = 'renamed' WHERE hostname = 'host-1';"
        " DELETE FROM backup_jobs WHERE note = 'job 2'"
    )
    done = fall_back(cut)
    assert {one.table: (one.updates, one.deletes) for one in done.tables} == {"devices": (1, 0), "backup_jobs": (0, 1)}
    with cut.place() as place:
        assert back(place, carry=fallback.carry).late is None
    before = replace(cut, schemas=("public", "redesigned"))
    names = "SELECT hostname FROM devices UNION ALL SELECT note FROM backup_jobs WHERE note = 'job 2' ORDER BY 1"
    assert [name for (name,) in before.in_legacy(names)] == ["host-2", "host-3", "host-4", "renamed"]
    before.run()
    assert before.in_target("SELECT count(*) FROM devices") == [(4,)]
