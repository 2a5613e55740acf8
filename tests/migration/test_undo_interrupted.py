"""An undo that ends at any statement leaves whole batches; executed again, it goes on and ends as an undisturbed one."""

from dataclasses import replace

import pytest

from remoteiq_etl.errors import UndoMoved
from remoteiq_etl.lifecycle.undo.execute import execute
from remoteiq_etl.lifecycle.undo.opened import Place
from remoteiq_etl.lifecycle.undo.scope import Scope
from tests.migration.test_interrupted import FailAt, Injected
from tests.support.migrating import Migration
from tests.support.server import Server
from tests.support.undoing import content, place_of, planned, resynced

#: So many moments, spread over all statements.
MOMENTS = 9


def observed(migration: Migration, observer: FailAt) -> Place:
    place = place_of(migration, batch_rows=2)
    return replace(place, target=replace(place.target, observer=observer))


def begun(migration: Migration) -> bool:
    return bool(migration.query("SELECT EXISTS (SELECT FROM remoteiq_etl.undos)")[0][0])


def test_an_undo_killed_at_every_kth_statement_resumes(server: Server, edge_template: str) -> None:
    calm = resynced(server, edge_template)
    counter = FailAt()
    plan = planned(calm, Scope(run=2))
    assert execute(observed(calm, counter), plan).proven
    wanted, interrupted = content(calm), 0
    for k in range(1, counter.count + 1, counter.count // MOMENTS):
        broken = resynced(server, edge_template)
        before = content(broken)
        with pytest.raises(Injected):
            execute(observed(broken, FailAt(k)), plan)
        if not begun(broken):
            assert content(broken) == before, k
        outcome = execute(place_of(broken), plan)
        interrupted += outcome.resumed
        assert outcome.proven, k
        assert content(broken) == wanted, k
        for database in (broken.legacy, broken.target):
            database.drop()
    assert interrupted >= 1


def test_an_interrupted_undo_ends_when_a_run_began_since(server: Server, edge_template: str) -> None:
    migration = resynced(server, edge_template)
    plan, last = planned(migration, Scope(run=2)), 0
    for k in range(400, 4000, 40):
        last = k
        try:
            execute(observed(migration, FailAt(k)), plan)
        except Injected:
            if begun(migration):
                break
    assert last
    assert migration.query("SELECT status FROM remoteiq_etl.undos") == [("executing",)]
    migration.run("organizations")
    with pytest.raises(UndoMoved, match="a run has begun since"):
        execute(place_of(migration), plan)
    assert migration.query("SELECT status FROM remoteiq_etl.undos") == [("given up",)]
    assert migration.query("SELECT count(*) FROM remoteiq_etl.undo_rows") == [(0,)]
