"""An undo that ends at any statement leaves whole batches; executed again, it goes on and ends as an undisturbed one."""

from collections.abc import Iterator

import pytest

from remoteiq_etl.errors import UndoMoved
from remoteiq_etl.lifecycle.undo.execute import execute
from tests.support.killed_undo import STEP, KilledUndo, killed_undo
from tests.support.server import Server
from tests.support.undoing import place_of


@pytest.fixture(scope="module")
def killed(server: Server) -> Iterator[KilledUndo]:
    with killed_undo(server) as found:
        yield found


def test_the_undo_has_every_kind_of_row(killed: KilledUndo) -> None:
    """Deleted and inserted rows, restored ones of which some have to wait for a unique value, and one that stays."""
    counts = {table.table: (table.delete, table.restore, table.insert, table.kept) for table in killed.plan.tables}
    assert counts == {"personal_access_tokens": (3, 0, 0, 0), "users": (1, 3, 0, 1), "tickets": (0, 3, 1, 0)}


def test_an_undo_killed_at_every_kth_statement_resumes(killed: KilledUndo) -> None:
    outcomes = [killed.resumed_at(statement) for statement in range(1, killed.statements + 1, STEP)]
    assert {outcome.resumed for outcome in outcomes} == {True, False}


def test_an_interrupted_undo_ends_when_a_run_began_since(killed: KilledUndo) -> None:
    """What it committed stands, and it forgets what it still had to do."""
    status = "SELECT status, (SELECT count(*) FROM remoteiq_etl.undo_rows WHERE NOT done) > 0 FROM remoteiq_etl.undos"
    with killed.killed_at(killed.statements * 3 // 4) as migration:
        assert migration.query(status) == [("executing", True)]
        migration.run("organizations")
        with pytest.raises(UndoMoved, match="a run has begun since"):
            execute(place_of(migration), killed.plan)
        assert migration.query(status) == [("given up", False)]
