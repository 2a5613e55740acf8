"""The load of one target table: decide, then stream its sources through transform, staging and merge.

While one batch is being merged by the target's server, the next is extracted, transformed and staged by a second thread;
two staging tables take turns. A batch commits whole: target rows, map, account and what did not become a row.
"""

import contextlib
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pandas as pd
import psycopg

from remoteiq_etl.backfill.change_capture.capture import Capture, ReadPlan, of_keys
from remoteiq_etl.backfill.change_capture.sweep import Sweep
from remoteiq_etl.backfill.context.prepared import PreparedBatch, joined
from remoteiq_etl.backfill.context.progress import TableProgress
from remoteiq_etl.backfill.context.report import Ledger, TableReport
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.deletes.owned_rows import remove_replaced, removing_sources
from remoteiq_etl.backfill.load.commit import BatchWriter
from remoteiq_etl.backfill.load.merge_statements import Merge
from remoteiq_etl.backfill.load.staging import StagingTable, StagingTables
from remoteiq_etl.backfill.load.target_triggers import triggers_of
from remoteiq_etl.backfill.outcomes import archive, conservation, movements
from remoteiq_etl.backfill.outcomes.movements import Cause
from remoteiq_etl.backfill.outcomes.open_rows import OpenRows
from remoteiq_etl.backfill.source import extract
from remoteiq_etl.backfill.source.selection import Keys
from remoteiq_etl.backfill.throttle.pacer import Pacer
from remoteiq_etl.backfill.transform.adoption import Adopter, foreign_owners, skip_unmanaged
from remoteiq_etl.backfill.transform.contracts import Contract
from remoteiq_etl.backfill.transform.decide import DecideStep
from remoteiq_etl.backfill.transform.lookups import Lookups
from remoteiq_etl.backfill.transform.prepare import Contracts, prepare, with_keys
from remoteiq_etl.backfill.transform.seen_values import SourceValues
from remoteiq_etl.frames.derived_ids import short_key, short_keys
from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.postgres.errors.row_errors import is_about_rows, reason_of, rule_of
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.batch import KEY
from remoteiq_etl.spec.outcomes import Outcome
from remoteiq_etl.spec.table import Derived, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.state.map_queries import count_target, follow_same_as
from remoteiq_etl.state.maps import complete_map, ensure_map, map_of

SQL = statements(__file__)

_NARROWED = 2  # the staging table of parts of a batch; 0 and 1 take turns for whole ones


@dataclass
class Staged:
    """A prepared batch that lies in a staging table."""

    prepared: PreparedBatch
    stage: StagingTable | None


@dataclass
class TableLoad:
    """One table of one run."""

    run: RunContext
    capture: Capture
    sweep: Sweep
    lookups: Lookups
    pacer: Pacer
    stages: StagingTables
    open_rows: OpenRows
    spec: TableSpec
    keys: Keys | None = None  # by legacy table: nothing else is read
    report: TableReport = field(init=False)
    reading: ReadPlan = field(init=False)
    changed: bool = False  # keys lead elsewhere for a reason that the report does not count
    seen: set[tuple[str, str]] = field(default_factory=set)
    waiting_owners: set[str] = field(default_factory=set)
    merged: list[tuple[str, str, str, str]] = field(default_factory=list)
    expected: dict[str, int] = field(default_factory=dict)
    triggers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.report = TableReport(self.spec.asset)
        self.words = SourceValues(self.run)

    def execute(self) -> TableReport:
        """Load the table. Raises ConservationError when rows are unaccounted for."""
        started = time.monotonic()
        run, spec = self.run, self.spec
        self.pacer.before_table(self.report)
        if spec.no_source is not None:
            run.listener.finished(self.report)
            return self.report
        ensure_map(run.state, run.session, spec)
        self.changed = self._mark_deleted() > 0
        self.reading = self.capture.reading(spec) if self.keys is None else of_keys(spec, self.keys)
        self.report.found_late = 0 if self.keys is not None else self.sweep.found_late(spec)
        if self.reading.nothing:
            self._pass_by()
            self.pacer.passed_by()
        else:
            if self.capture.survey.forget(spec):
                self.changed = self._mark_deleted() > 0 or self.changed
            self._load(started)
        self.report.reading = str(self.reading.reason)
        self.report.waiting = self.capture.survey.waiting(spec)
        self.report.seconds = time.monotonic() - started
        run.listener.finished(self.report)
        return self.report

    def _pass_by(self) -> None:
        """Nothing is to be read: remember that it was looked at."""
        run, spec = self.run, self.spec
        for source in spec.streamed:
            self.report.account(source.name, primary=source.primary)
        self.report.archived = self.capture.survey.archived(spec)
        if self.sweep.active:
            self.capture.survey.forget(spec)  # of which the time of the last sweep is told, and changes now
        with run.session.transaction() if self.sweep.active else contextlib.nullcontext():
            self.capture.complete(spec, self.reading, changed=self.changed)

    def _load(self, started: float) -> None:
        run, spec = self.run, self.spec
        context, derived = DecideStep(run, self.capture, self.lookups, spec).decide(self.report, self.reading)
        self.report.first_load = run.is_first_load(spec)
        before = None if self._is_small_part() else conservation.mapped_rows(run, spec)
        self.total = sum(map(self._count, spec.streamed)) + sum(map(len, derived.values()))
        run.listener.progressed(TableProgress(spec.asset, 0, self.total, 0.0))
        self.adopter = (
            Adopter.load(run.session, spec, run.target_name(spec.name), run.state.name(map_of(spec).name))
            if run.has_target(spec.name)
            else Adopter(spec)
        )
        if self.adopter.ambiguous:
            self.report.decision_warnings["several_candidates_the_oldest_adopted"] += self.adopter.ambiguous
        self.foreign = frozenset() if self.report.first_load else foreign_owners(run, spec)
        self.triggers = triggers_of(run, spec.name)
        self._stream(context, derived, started)
        self._finish(before)

    # --- streaming ----------------------------------------------------------------------------------------------

    def _stream(self, context: Context, derived: dict[str, pd.DataFrame], started: float) -> None:
        writer = BatchWriter(self.run, self.spec, self.report, self.open_rows, self.capture)
        with ThreadPoolExecutor(1, thread_name_prefix="extract") as producer:
            staged = self._staged(context, derived)
            try:
                waiting = producer.submit(next, staged, None)
                while (batch := waiting.result()) is not None:
                    waiting = producer.submit(next, staged, None)
                    self.pacer.before_batch(self.report)
                    self._write(writer, batch)
                    self.run.listener.progressed(
                        TableProgress(self.spec.asset, self.report.read, self.total, time.monotonic() - started)
                    )
            finally:
                waiting.cancel()
                producer.submit(staged.close).result()
        self._write_waiting(writer)

    def _write(self, writer: BatchWriter, batch: Staged) -> None:
        """Commit a batch; what is refused of it for a row that no statement of the merge has singled out is found by halving."""
        prepared = batch.prepared
        try:
            writer.write(prepared, self._merge(batch))
        except psycopg.Error as error:
            if not is_about_rows(error):
                raise
            self._narrow(writer, prepared, error)
        else:
            self._remember(batch)

    def _narrow(self, writer: BatchWriter, prepared: PreparedBatch, error: psycopg.Error) -> None:
        if len(prepared.keys) > 1:
            for half in prepared.halves():
                self._write(writer, Staged(half, self._stage(half, _NARROWED)))
            return
        refused = prepared.refused(rule_of(error), reason_of(error, self.spec.name))
        writer.write(refused, None)
        self._remember(Staged(refused, None))

    def _write_waiting(self, writer: BatchWriter) -> None:
        """Write the rows that wanted a unique value which another row still had: by now that one may have left it.

        Again as long as it helps, because a chain may go through several sources; what is left then is refused for good.
        """
        while waiting := writer.waiting:
            writer.waiting = []
            for prepared in joined(waiting):
                self._write(writer, Staged(prepared, self._stage(prepared, 0)))
            writer.may_wait = sum(one.read for one in writer.waiting) < sum(one.read for one in waiting)

    def _staged(self, context: Context, derived: dict[str, pd.DataFrame]) -> Generator[Staged]:
        """The batches of all sources, staged in turn in two tables. Runs in the second thread."""
        for number, prepared in enumerate(self._prepared(context, derived)):
            yield Staged(prepared, self._stage(prepared, number % 2))

    def _prepared(self, context: Context, derived: dict[str, pd.DataFrame]) -> Iterator[PreparedBatch]:
        target = Contract.of_target(self.spec.target)
        for source in self.spec.sources:
            contracts = Contracts(Contract.of_legacy(source.table) if isinstance(source, Source) else None, target)
            known = context.lookup(self.spec.name, source.name)
            for frame in self._frames(source, derived):
                prepared = prepare(frame, source.name, self.spec, source.transform, contracts, context)
                skip_unmanaged(prepared, self.spec, self.foreign)
                if len(prepared.rows):
                    prepared.rows = with_keys(prepared.rows, self.spec, source.name, self.adopter, known, frame)
                yield prepared

    def _frames(self, source: Source | Derived, derived: dict[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
        if isinstance(source, Derived):
            rows = derived.get(source.name)
            selection = self.reading.selection(source.name)
            if rows is not None and selection is not None:
                # Lists from which rows are read again have a long key as its beginning and a digest.
                wanted = {short_key(key) for key in selection.keys}
                rows = rows[short_keys(rows[KEY].astype(TEXT)).isin(list(wanted))].reset_index(drop=True)
            if rows is not None and len(rows):
                yield rows
            return
        yield from extract.frames(self.run.reader, source, self.run.batch_rows, self.reading.selection(source.name))

    def _stage(self, prepared: PreparedBatch, slot: int) -> StagingTable | None:
        rows = prepared.rows
        if not len(rows) or not self.run.has_target(self.spec.name):
            return None
        stage = self.stages.stage(
            self.spec,
            prepared.legacy_table,
            slot,
            tuple(column.name for column in self.spec.target.columns if column.name in rows),
        )
        prepared.bytes, refused = self.stages.fill(stage, rows)
        if refused:
            prepared.refuse({row: (rule_of(error), reason_of(error, self.spec.name)) for row, error in refused.items()})
            return self._stage(prepared, slot)
        return stage

    def _merge(self, staged: Staged) -> Merge | None:
        if staged.stage is None:
            return None
        run = self.run
        return Merge(
            self.spec,
            staged.stage,
            staged.prepared.legacy_table,
            run.state.schema,
            run.target_name(self.spec.name),
            map_of(self.spec),
            run.source_record.id,
            run.id,
            run.target.schema,
            run.plan.recreate.get(self.spec.asset),
            run.sealer,
            self.triggers,
        )

    # --- end of the table ---------------------------------------------------------------------------------------

    def _remember(self, staged: Staged) -> None:
        prepared = staged.prepared
        table = prepared.legacy_table
        self.merged += [
            (table, disposal.key, disposal.rule, disposal.into)
            for disposal in prepared.disposals
            if disposal.outcome == Outcome.MERGED and disposal.into is not None
        ]
        self.words.add({} if prepared.batch is None else prepared.batch.words)
        if table in removing_sources(self.spec):
            waiting = {d.key for d in prepared.disposals if d.outcome in (Outcome.QUARANTINED, Outcome.HELD)}
            self.seen |= {(table, key) for key in waiting.union(prepared.rows[KEY] if len(prepared.rows) else ())}
            self.waiting_owners |= waiting
        self.lookups.written(self.spec, table, prepared, self.merged)

    def _finish(self, before: tuple[int, int] | None) -> None:
        conservation.check_read(self.spec, self.report, self.expected)
        run = self.run
        self.words.tell(self.report)
        if run.planning:
            self.capture.complete(self.spec, self.reading, changed=self._is_remapped())
            return
        with run.session.transaction():
            run.check_fence()
            rerouted = BatchWriter(run, self.spec, self.report, self.open_rows, self.capture).write_merged(self.merged)
            if self.spec.decide is not None and not self.spec.log_like:
                rerouted += follow_same_as(run, self.spec, run.id)
            self.changed = self.changed or rerouted > 0
            if removing_sources(self.spec) and not self.reading.partial:
                emptied = [table for table, rows in self.expected.items() if not rows]
                self.report.removed += remove_replaced(run, self.spec, self.seen, self.waiting_owners, emptied)
            self.words.write(add=self.reading.partial)
            self.report.archived = archive.count(run, self.spec)
            if self.keys is None:
                self.open_rows.release_rest(self.spec)
                self.capture.complete(self.spec, self.reading, changed=self._is_remapped())
            complete_map(run.state, run.session, self.spec)
        self.lookups.forget(self.spec.name)
        if before is not None:
            conservation.check_ours(self.spec, self.report, before, conservation.mapped_rows(run, self.spec))
            self.report.rows_in_target = count_target(run, self.spec)

    def _is_remapped(self) -> bool:
        """Whether a key of this table leads elsewhere than before: then what refers to it is looked at again."""
        report = self.report
        moved = report.total(Ledger.INSERTED) + report.total(Ledger.ADOPTED) + report.removed + report.decided
        return self.changed or moved > 0 or self.open_rows.has_new(self.spec)

    def _is_small_part(self) -> bool:
        """A few rows of a log: counting a million to check a hundred would take most of the time; a full pass counts them."""
        return self.spec.log_like and self.reading.partial

    def _count(self, source: Source) -> int:
        selection = self.reading.selection(source.name)
        query = extract.count_query(self.run.legacy, source, selection)
        self.expected[source.name] = int(self.run.snapshot.session.value(query))
        return self.expected[source.name]

    def _mark_deleted(self) -> int:
        """Note which of the rows that other tables refer to were deleted in the target since. Returns how many."""
        run, spec = self.run, self.spec
        if run.planning or not any(place[0] == spec.name for place in self.lookups.wanted):
            return 0
        if not self.capture.survey.has_deleted(spec):
            return 0
        with run.session.transaction():
            deleted = run.session.execute(SQL["mark_deleted"].format(**run.names(spec))).rowcount
            movements.of_run(run, spec.name, Cause.DELETED, -deleted)
            if deleted:
                self.capture.mark_remapped(spec.asset)
        return deleted
