"""Runs of every sort: of all or some tables, incremental or full, killed in the middle, planned; and what must be after them."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.config.conflicts import ConflictPolicies, ConflictPolicy
from remoteiq_etl.verify.engine import verify
from remoteiq_etl.verify.verdicts.model import Label, Status
from tests.machine.broken import ENDS, At
from tests.machine.check import check
from tests.machine.legacy_rules import WRITES, LegacyRules, Writes
from tests.machine.settled import settled
from tests.machine.world import TABLES
from tests.support.migrating import Migration

SOME = st.sets(st.sampled_from(TABLES), min_size=1).map(lambda names: tuple(sorted(names)))
#: Often all of them: then what waits for a parent finds it.
CHOSEN = st.just(TABLES) | SOME
BATCH_ROWS = st.sampled_from([50_000, 2, 1])
#: A run of all tables of which something changed takes about 250 statements.
STATEMENT = st.integers(1, 300)
WRITTEN = (Ledger.INSERTED, Ledger.ADOPTED, Ledger.UPDATED)
FORETOLD = (*WRITTEN, Ledger.CONFLICT)


#: A run costs half a second and a write a millisecond: something should have happened in between.
STEPS_BETWEEN_RUNS = 3
after_some_steps = precondition(lambda machine: machine.steps_since_run >= STEPS_BETWEEN_RUNS)


class RunRules(LegacyRules):
    """Rules of the program itself. Each run comes after some `writes`: an example without any would try nothing."""

    steps_since_run = 0

    def begin(self, writes: Writes) -> None:
        """What comes before every run."""
        self.steps_since_run = 0
        self.legacy_sessions_write(writes)

    @after_some_steps
    @rule(
        writes=WRITES,
        tables=CHOSEN,
        mode=st.sampled_from([Mode.INCREMENTAL, Mode.INCREMENTAL, Mode.FULL, Mode.SWEEP]),
        batch_rows=BATCH_ROWS,
        late=st.integers(0, 2),
        policy=st.sampled_from([ConflictPolicy.KEEP_TARGET, ConflictPolicy.KEEP_TARGET, ConflictPolicy.TAKE_LEGACY]),
    )
    def a_run(
        self, writes: Writes, tables: tuple[str, ...], mode: Mode, batch_rows: int, late: int, policy: ConflictPolicy
    ) -> None:
        """Transaction `late` commits after the run took its snapshot: what it wrote belongs to the next run."""
        self.begin(writes)
        world = self.world
        legacy = world.before_run()
        plan = replace(world.migration.plan, mode=mode, batch_rows=batch_rows, conflicts=ConflictPolicies(policy))
        with open_run(plan) as run:
            world.end(late, commit=True)
            reports = run.load_all(tables)
        assert not any(report.found_late for report in reports.values()), "the incremental runs missed rows"
        world.model = world.model.after(
            legacy, tables, world.last_run(), take_legacy=policy == ConflictPolicy.TAKE_LEGACY
        )
        check(world, tables)

    @after_some_steps
    @rule(
        writes=WRITES,
        tables=CHOSEN,
        statement=STATEMENT,
        batch_rows=BATCH_ROWS,
        how=st.sampled_from(["error", "target", "both"]),
    )
    def a_run_is_killed(
        self, writes: Writes, tables: tuple[str, ...], statement: int, batch_rows: int, how: str
    ) -> None:
        """What is in the target then is of whole rows; the next run goes on from there."""
        self.begin(writes)
        world = self.world
        databases = {"error": (), "target": (world.target,), "both": (world.legacy, world.target)}[how]
        migration = Migration.of(world.legacy, world.target, observer=At(statement, databases), batch_rows=batch_rows)
        before, legacy = world.last_run(), world.before_run()
        try:
            migration.run(*tables)
        except ENDS:
            if (run := world.last_run()) > before:
                world.model = settled(world.model, world.model.after(legacy, tables, run), world.reached(run))
            check(world, ())
        else:
            world.model = world.model.after(legacy, tables, world.last_run())
            check(world, tables)

    @after_some_steps
    @rule(writes=WRITES, tables=CHOSEN)
    def a_plan_and_then_its_run(self, writes: Writes, tables: tuple[str, ...]) -> None:
        """A plan writes nothing, and foretells what the run does but for what the target's constraints refuse."""
        self.begin(writes)
        world = self.world
        planned = world.migration.run(*tables, planning=True)
        check(world, ())
        legacy = world.before_run()
        done = world.migration.run(*tables)
        after = world.model.after(legacy, tables, world.last_run())
        refused = world.model.refused | after.refused
        world.model = after
        check(world, tables)
        if not refused:
            assert rows_written(planned) == rows_written(done)

    @after_some_steps
    @rule(writes=WRITES, runs=st.booleans())
    def what_is_there_is_verified(self, writes: Writes, runs: bool) -> None:
        """Whatever was edited, killed, undone or written since: no difference is without a reason, and green has none.

        Where nothing was left to a later run, a row that is in the legacy database is not excused by what changed there.
        """
        self.begin(writes)
        world = self.world
        if runs:
            legacy = world.before_run()
            world.migration.run(*TABLES)
            world.model = world.model.after(legacy, TABLES, world.last_run())
        verdict = verify(world.migration.plan, TABLES, confirmed=TABLES)
        bugs = [one for table in verdict.tables for one in table.findings if one.label is Label.BUG]
        assert not bugs, bugs
        failed = {one.table: one.error for one in verdict.tables if one.status is Status.FAILED}
        assert not failed, failed
        if runs:
            assert not verdict.incomplete, verdict.incomplete
            excused = [
                one for table in verdict.tables for one in table.findings if one.label is Label.CHANGED_IN_LEGACY
            ]
            assert not [one for one in excused if one.legacy_key in world.model.legacy.get(one.legacy_table or "", {})]
            assert verdict.word == ("explained" if verdict.labels else "verified")
        check(world, TABLES if runs else ())

    @after_some_steps
    @rule(writes=WRITES)
    def a_run_and_a_full_one_that_finds_nothing(self, writes: Writes) -> None:
        """What an incremental run leaves to do is nothing: not one row is written again by a full one."""
        self.begin(writes)
        world = self.world
        legacy = world.before_run()
        world.migration.run(*TABLES)
        world.model = world.model.after(legacy, TABLES, world.last_run())
        check(world, TABLES)
        before = world.versions()
        reports = world.migration.run(*TABLES, mode=Mode.FULL)
        assert {
            name for name, counts in rows_written(reports).items() if any(counts[outcome] for outcome in WRITTEN)
        } == set()
        assert world.versions() == before
        check(world, TABLES)


def rows_written(reports: Mapping[str, TableReport]) -> dict[str, dict[str, int]]:
    """Rows by what was done with the target, by table."""
    return {name: {outcome: report.total(outcome) for outcome in FORETOLD} for name, report in reports.items()}
