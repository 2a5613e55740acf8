"""Undos of every scope: planned and executed, refused where the model says so, killed in the middle and resumed."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from remoteiq_etl.errors import UndoBlocked
from remoteiq_etl.lifecycle.undo.access import UndoTarget
from remoteiq_etl.lifecycle.undo.execute import execute
from remoteiq_etl.lifecycle.undo.plan import TablePlan, UndoPlan, plan
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from tests.machine.broken import ENDS, At
from tests.machine.check import check
from tests.machine.legacy_rules import WRITES, Writes
from tests.machine.run_rules import BATCH_ROWS, SOME, RunRules, after_some_steps
from tests.machine.tables import MODELLED
from tests.machine.undo import ORGANIZATION, Undo
from tests.machine.world import TABLES
from tests.machine.writes import PICK
from tests.support.undoing import place_of

DOMAINS = (("users", "personal_access_tokens"), ("backup_jobs", "backup_job_logs"), ("tickets",), (ORGANIZATION,))
EDITED = {
    "users": "first_name", "personal_access_tokens": "description", "backup_jobs": "note", "backup_job_logs": "log_text",
    "tickets": "subject",
}  # fmt: skip
#: An undo of a few rows takes about 150 statements.
STATEMENT = st.none() | st.integers(1, 200)
HOW = {"batch_rows": BATCH_ROWS, "statement": STATEMENT, "loads": st.booleans()}


class UndoRules(RunRules):
    """Rules of the undo. After each of them the target is as the model says, and a run may write everything again.

    `statement`: where it is killed, once; `loads`: a run of all tables follows at once.
    """

    @after_some_steps
    @rule(writes=WRITES, edited=st.none() | PICK, back=st.sampled_from([0, 0, 0, 1, 2]), **HOW)
    def one_of_the_last_runs_is_undone(self, writes: Writes, edited: int | None, back: int, **how: Any) -> None:
        """The last of them is one of these writes, and a user has edited a row that it wrote."""
        self.begin(writes)
        self._load()
        if edited is not None:
            self._edit(edited)
        runs = self.world.runs()
        self._undo(UndoScope(run=runs[max(-1 - back, -len(runs))]), **how)

    @after_some_steps
    @rule(assets=st.just(()) | SOME | st.sampled_from(DOMAINS), with_dependents=st.booleans(), **HOW)
    def tables_or_everything_is_undone(self, assets: tuple[str, ...], with_dependents: bool, **how: Any) -> None:
        """All of what runs wrote of these tables, or of a domain; none of them: of everything."""
        more = with_dependents or assets == (ORGANIZATION,)
        self._undo(UndoScope(assets=assets, everything=not assets), with_dependents=more, **how)

    def _undo(
        self, scope: UndoScope, *, batch_rows: int, statement: int | None, loads: bool, with_dependents: bool = False
    ) -> None:
        self.steps_since_run = 0
        place = place_of(self.world.migration, batch_rows=batch_rows)
        found = plan(place, scope, with_dependents=with_dependents)
        undo = Undo(self.world.model, found.scope, self.world.organization)
        assert undo.counts == {table.table: counted(table) for table in found.tables}
        assert bool(found.blocked) == undo.blocked
        if undo.blocked:
            with pytest.raises(UndoBlocked):
                execute(place, found)
        else:
            executed(place, found, statement)
            self._follow(undo)
        check(self.world, ())
        if loads:
            self._load()

    def _edit(self, pick: int) -> None:
        world, last = self.world, self.world.last_run()
        if written := [(name, id_) for name, state in world.model.tables.items() for id_ in state.written_by(last)]:
            name, id_ = written[pick % len(written)]
            edit = f"UPDATE {name} SET {EDITED[name]} = 'edited' WHERE {MODELLED[name].key} = %s"
            world.application_writes(edit, id_)

    def _follow(self, undo: Undo) -> None:
        """Let the model follow; what everything else hangs on is made again at once."""
        world = self.world
        if undo.execute():
            world.migration.run(ORGANIZATION)
            world.organization = world.last_run()

    def _load(self) -> None:
        world, legacy = self.world, self.world.before_run()
        world.migration.run(*TABLES)
        world.model = world.model.after(legacy, TABLES, world.last_run())
        check(world, TABLES)


def executed(place: UndoTarget, found: UndoPlan, statement: int | None) -> None:
    """Execute a plan; killed at a statement, once more."""
    if statement is not None:
        target = replace(place.target, observer=At(statement))
        with contextlib.suppress(*ENDS):
            execute(replace(place, target=target), found)
    assert execute(place, found).proven


def counted(table: TablePlan) -> dict[str, int]:
    """Rows of a table of the plan by what is done with them."""
    return {name: rows for name, rows in vars(table).items() if isinstance(rows, int) and rows}
