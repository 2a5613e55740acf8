"""Before images go when their retention ends, but for those that an undo of a table or of everything needs."""

from collections.abc import Iterator

import pytest

from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.lifecycle.undo.retention import prune
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from tests.support.migrating import Migration
from tests.support.server import Server
from tests.support.undoing import EVERYTHING, planned, resynced


@pytest.fixture
def old(server: Server, edge_template: str) -> Iterator[Migration]:
    migration = resynced(server, edge_template)
    migration.target.execute("UPDATE remoteiq_etl.runs SET finished_at = finished_at - interval '10 days'")
    yield migration
    migration.legacy.drop()
    migration.target.drop()


def test_old_images_go_and_their_run_cannot_be_undone_alone(old: Migration) -> None:
    """One ticket was changed by runs 2 and 3: the image of run 2 goes, that of run 3 tells whether somebody edited the row."""
    later = (
        "SELECT count(*) - count(DISTINCT (table_name, new_key)) FROM remoteiq_etl.before_images WHERE table_name <> %s"
    )
    expected = old.query(later, "organization_settings")[0][0]
    assert expected >= 1
    everything = planned(old, EVERYTHING).tables
    with open_run(old.plan) as run:
        assert prune(run.context, 30) == 0
        assert prune(run.context, 7) == expected
    assert old.query("SELECT id FROM remoteiq_etl.runs WHERE images_pruned_at IS NOT NULL") == [(2,)]
    blocked = planned(old, UndoScope(run=2)).blocked
    assert [row.reason for row in blocked if row.table == "runs"] == [
        "its before images were removed when their retention ended"
    ]
    assert [vars(table) for table in planned(old, EVERYTHING).tables] == [vars(table) for table in everything]
