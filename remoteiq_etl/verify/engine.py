"""A verification: table after table, each believed only after a second look, kept as soon as it is known.

It takes no lock of the source, so that runs go on. What looks like a BUG is read again with fresh snapshots, and while a run
is in work the verification waits for its end before it does. A table of which nothing has moved since it was verified is not
read again, so that a verification that was stopped or killed goes on where it was. Belongs here: that order. Does not belong
here: what is checked of a table (see table), when it waits (see pace).
"""

import contextlib
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import psycopg
from psycopg import sql

from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.backfill.context.progress import Listener, Silent, TableProgress
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.throttle.pacer import Pacer
from remoteiq_etl.errors import ConnectionFailed, RemoteIQError, SnapshotTooOld, SourceWaits, StopRequested
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.failures import describe, follows, is_interruption
from remoteiq_etl.state.locks import lock_verification
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify import mass_guard
from remoteiq_etl.verify.causes.table_changes import TableChanges, is_overtaken, options_of_table
from remoteiq_etl.verify.checks import sequences
from remoteiq_etl.verify.coverage import Coverage
from remoteiq_etl.verify.expected.expectation import expectations
from remoteiq_etl.verify.expected.legacy_copy import RANGE_ROWS
from remoteiq_etl.verify.incremental import watermarks
from remoteiq_etl.verify.mass_guard import ExcuseFigures
from remoteiq_etl.verify.pace import VerificationPace
from remoteiq_etl.verify.snapshots import SnapshotPair, VerificationContext, verification_context
from remoteiq_etl.verify.table import Keys, TableVerification
from remoteiq_etl.verify.verdicts import store
from remoteiq_etl.verify.verdicts.model import DATABASE, Finding, Label, Status, TableVerdict, VerificationVerdict
from remoteiq_etl.verify.verdicts.tally import FindingCounter
from schemas.state.maps import map_name

#: Looks at what nothing explains, when each time a run begins between the snapshots of the two databases: milliseconds.
MOST_LOOKS = 5
#: So many rows of a large table are read again by key; beyond that the whole table is.
MOST_SUSPECTS = 20_000


def verify(
    plan: RunPlan,
    tables: Sequence[str] | None = None,
    *,
    full: bool = False,
    quick: bool = False,
    confirmed: Collection[str] = (),
    listener: Listener | None = None,
    range_rows: int = RANGE_ROWS,
) -> VerificationVerdict:
    """Verify these target tables (default: every one that is declared) and keep what was found.

    `full`: also those of which nothing has moved. `quick`: compare what both servers add up, and in detail only what differs;
    that is no verdict, and none is kept. `confirmed`: tables of which edits, deletions and changes explain any number of rows.
    A table that no run has completed as this program does is INCOMPLETE, one that cannot be verified FAILED; the others are
    verified all the same. Raises VerifyError when nothing was ever migrated, LockedError when another verification of the
    source is in work, SourcePaused when it is paused, StopRequested when somebody tells it to stop; what it found is kept.
    """
    with verification_context(plan, range_rows) as place:
        verification = Verification(place, listener or Silent(), full=full, quick=quick, confirmed=frozenset(confirmed))
        return replace(verification.of(list(tables or [*place.declared(), DATABASE])), named=bool(tables))


@dataclass
class Verification:
    """One verification in work."""

    verification_context: VerificationContext
    listener: Listener
    full: bool = False
    quick: bool = False
    confirmed: frozenset[str] = frozenset()
    number: int = field(default=0, init=False)
    _gaps: Mapping[str, str] = field(default_factory=dict, init=False)
    _loaded: frozenset[str] = field(default=frozenset(), init=False)
    _pace: VerificationPace = field(init=False)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack, init=False)
    _cause: Exception | None = field(default=None, init=False)
    _failures: dict[str, str] = field(default_factory=dict, init=False)  # the first table of which it was said
    _verify_table: SnapshotPair | None = field(default=None, init=False)
    _pacer: Pacer | None = field(default=None, init=False)

    def of(self, tables: Sequence[str]) -> VerificationVerdict:
        """Verify these tables, one after the other."""
        self._begin()
        with contextlib.closing(self):
            self._take_stock()
            if self.quick:
                tables = [table for table in tables if table != DATABASE]
                return VerificationVerdict(self._believed([self._kept(table) for table in tables]))
            self.number = store.begin(self._control, self._state, self._source_id, self.pair.snapshot.horizon)
            try:
                verdict = VerificationVerdict(self._believed([self._kept(table) for table in tables]))
            except BaseException as error:
                ended = KeyboardInterrupt() if is_interruption(error) else error
                self._record_end(ended)
                if ended is not error:
                    raise ended from None
                raise
            store.end(self._control, self._state, self.number, _STATUS.get(verdict.word, "passed"))
        return verdict

    def _begin(self) -> None:
        """Take the lock of verifications, as the only one of the source. Raises SourcePaused, LockedError."""
        VerificationPace(self.verification_context, self.listener).refuse_paused()
        lock_verification(self._control, self.verification_context.source_record)
        store.mark_interrupted(self._control, self._state, self._source_id)
        self._pace = VerificationPace(self.verification_context, self.listener)

    def _take_stock(self) -> None:
        """Which tables are not there as a whole, and why."""
        plan = self.verification_context.plan
        coverage = Coverage.read(self._control, self._state, self._source_id)
        specs = {asset: self.pair.spec(asset) for asset in plan.specs if asset in coverage.completed}
        self._gaps = {**coverage.outdated(plan, specs), **coverage.gaps(plan.specs)}
        self._loaded = coverage.tables(plan.specs)

    def _believed(self, verdicts: Sequence[TableVerdict]) -> tuple[TableVerdict, ...]:
        """The same verdicts; of tables in which more is excused than can be believed, incomplete ones."""
        figures = [
            ExcuseFigures(one.table, mass_guard.excused(one), self._mapped(one.table))
            for one in verdicts
            if one.rows_compared and one.table != DATABASE
        ]
        doubts = mass_guard.doubted(figures, self.confirmed)
        return tuple(self._doubted(one, doubts[one.table]) if one.table in doubts else one for one in verdicts)

    def _doubted(self, verdict: TableVerdict, why: str) -> TableVerdict:
        if verdict.status is not Status.VERIFIED:
            return verdict
        doubted = replace(verdict, status=Status.INCOMPLETE, error=why)
        if not self.quick:
            store.write(self._control, self._state, self._source_id, self.number, doubted)
        return doubted

    def _mapped(self, table: str) -> int:
        """Rows that a table has by its map."""
        query = sql.SQL("SELECT count(*) FROM {} WHERE source_id = %s AND state IN ('live', 'deleted')")
        return int(self._control.value(query.format(self._state.name(map_name(table))), [self._source_id]))

    def _record_end(self, error: BaseException) -> None:
        """Write what ended the verification, by a session that is in the middle of nothing; what ended it stays the error."""
        with (
            contextlib.suppress(psycopg.Error, ConnectionFailed),
            contextlib.closing(self._state.target.connect()) as session,
        ):
            store.end(session, self._state, self.number, _ending(error), describe(error))

    # --- looks --------------------------------------------------------------------------------------------------

    @property
    def pair(self) -> SnapshotPair:
        """The look in use; opened when it is asked for first."""
        if self._verify_table is None:
            self._verify_table = self._stack.enter_context(self.verification_context.pair())
            self._pacer = self._stack.enter_context(contextlib.closing(self._pace.pacer(self._verify_table)))
        return self._verify_table

    def close(self) -> None:
        """Let go of the snapshot and of the copies."""
        self._verify_table = self._pacer = None
        self._stack.close()

    @property
    def _state(self) -> State:
        return self.verification_context.state

    @property
    def _control(self) -> Session:
        return self.verification_context.control

    @property
    def _source_id(self) -> int:
        return self.verification_context.source_id

    # --- one table ----------------------------------------------------------------------------------------------

    def _kept(self, table: str) -> TableVerdict:
        """The verdict of a table, kept; that of an earlier verification where nothing has moved since."""
        began = time.monotonic()
        try:
            self._wait_before(table)
            former = None if table == DATABASE else self._former(table)
            if former is not None and self._still_stands(former):
                store.confirm(self._control, self._state, self._source_id, self.number, former)
                self._report(table, 0, time.monotonic() - began)
                return former
            verdict = self._of_database() if table == DATABASE else self._looked_at(table, former)
        except StopRequested:
            raise
        except (RemoteIQError, psycopg.Error) as error:
            if is_interruption(error):
                raise
            verdict = self._failed(table, error, time.monotonic() - began)
            self.close()  # the copies of a look that failed cannot be relied on
        if not self.quick:
            store.write(self._control, self._state, self._source_id, self.number, verdict)
        self._report(table, verdict.rows_compared, verdict.seconds)
        return verdict

    def _looked_at(self, table: str, former: TableVerdict | None) -> TableVerdict:
        """The verdict of a table, incomplete where it is not there as a whole; of what was never completed nothing is compared."""
        why = self._gaps.get(table)
        if why is None:
            return self._renewed(table, former)
        if table not in self._loaded:
            now, snapshot = datetime.now(UTC), self.pair.snapshot.horizon
            return TableVerdict(table, Status.INCOMPLETE, now, snapshot, error=why, verification_id=self.number)
        return replace(self._renewed(table, None), status=Status.INCOMPLETE, error=why)

    def _of_database(self) -> TableVerdict:
        began, found = time.monotonic(), sequences.DatabaseLook(self.pair)
        counter = FindingCounter().add(found.findings())
        return TableVerdict(
            DATABASE,
            Status.VERIFIED,
            datetime.now(UTC),
            self.pair.snapshot.horizon,
            time.monotonic() - began,
            counts=counter.counts,
            checks=counter.checks(found.looked),
            findings=counter.findings,
        )

    def _renewed(self, table: str, former: TableVerdict | None) -> TableVerdict:
        """The verdict of a table. A look that legacy can bear no longer is let go, and the table looked at in a new one.

        Once: a second one is an error, unless it was a pause that made the first one too old.
        """
        is_last = False
        while True:
            try:
                return self._verified(table, former)
            except (SnapshotTooOld, SourceWaits):
                self.close()
                if self._pace.wait_for_resume():
                    continue
                if is_last:
                    raise
                is_last = True

    def _former(self, table: str) -> TableVerdict | None:
        """The last verdict of a table, where what has moved since can be told from it."""
        found = {one.table: one for one in store.read(self._control, self._state, self._source_id)}.get(table)
        if self.full or self.quick or table in self._gaps or found is None or not found.passed or found.inputs is None:
            return None
        with self.pair.of_table(options_of_table(self.pair, table)):
            comparable = watermarks.are_comparable(self.pair, watermarks.inputs_of(self.pair, table), found.inputs)
        return found if comparable else None

    def _still_stands(self, former: TableVerdict) -> bool:
        if former.inputs is None or Label.CHANGED_IN_LEGACY in former.labels:
            return False  # whether a run has caught up shows in no row of the table
        if any(spec.asset in self.verification_context.plan.blocked for spec in self.pair.writers(former.table)):
            return False  # what a run may not read cannot be looked at here either
        with self.pair.of_table(options_of_table(self.pair, former.table)):
            return watermarks.stand(self.pair, watermarks.inputs_of(self.pair, former.table), former.inputs)

    def _verified(self, table: str, former: TableVerdict | None) -> TableVerdict:
        began = time.monotonic()
        first = TableVerification(self.pair, table, step=self._step(table, began), quick=self.quick, former=former)
        suspects: list[Finding] = []
        counter = FindingCounter().add(_watched(first.findings(), suspects))
        inputs = first.taken
        snapshot, verified_at = self.pair.snapshot.horizon, datetime.now(UTC)
        if counter.bugs:
            counter = self._second(first, counter, suspects)
        return TableVerdict(
            table=table,
            status=Status.VERIFIED,
            verified_at=verified_at,
            snapshot=snapshot,
            seconds=time.monotonic() - began,
            rows_compared=first.rows,
            counts=counter.counts,
            checks=counter.checks(first.looked),
            findings=counter.findings,
            matrices=former.matrices if former and first.is_increment else first.matrices.plain(),
            whole_at=(former.whole_at or former.verified_at) if former and first.is_increment else None,
            aggregates=tuple(first.aggregates),
            inputs=None if counter.bugs else inputs,
            verification_id=self.number,
        )

    def _second(self, first: TableVerification, counter: FindingCounter, suspects: list[Finding]) -> FindingCounter:
        """What a fresh look says of the differences that nothing explains, one that sees nothing of a run in work."""
        for _ in range(MOST_LOOKS):
            fence = self._pace.wait_for_run(first.table, self.close)
            judged, seen = self._looked_again(first, counter, suspects)
            if not judged.bugs or seen == fence:
                break
        return judged

    def _looked_again(
        self, first: TableVerification, counter: FindingCounter, suspects: list[Finding]
    ) -> tuple[FindingCounter, int]:
        """What one more look says of them, and the fencing token of the last run that it saw anything of."""
        only = _keys(first, suspects) if len(suspects) == counter.bugs else None
        with self.verification_context.pair() as pair, contextlib.closing(self._pace.pacer(pair)) as pacer:
            report = TableReport(first.table)
            second = TableVerification(pair, first.table, only, step=lambda _rows: pacer.before_batch(report))
            if only is None:
                first.aggregates = second.aggregates  # filled while it looks
                return FindingCounter().add(second.findings()), second.fence
            again: dict[tuple[str | None, ...], list[Finding]] = {}
            for finding in second.findings():
                again.setdefault(_identity(finding), []).append(finding)
        settled = [finding for label, kept in counter.kept.items() if label is not Label.BUG for finding in kept]
        judged = [one for name in {_identity(suspect) for suspect in suspects} for one in again.get(name, [])]
        return FindingCounter(counts=_without_bugs(counter), kept=_by_label(settled)).add(judged), second.fence

    def _failed(self, table: str, error: Exception, seconds: float) -> TableVerdict:
        """What is said of a table that could not be verified. The first cause is named once."""
        said = describe(error)
        self._cause = self._cause or error
        before = (
            next(iter(self._failures.values()), table)
            if follows(error, self._cause)
            else self._failures.get(said, table)
        )
        self._failures.setdefault(said, table)
        if before != table:
            said = f"for the same reason as {before}"
        snapshot = self._verify_table.snapshot.horizon if self._verify_table else ""
        return TableVerdict(
            table,
            Status.FAILED,
            datetime.now(UTC),
            snapshot,
            seconds,
            error=said,
            verification_id=self.number,
        )

    # --- pace and progress --------------------------------------------------------------------------------------

    def _wait_before(self, table: str) -> None:
        """Obey orders and limits between two tables.

        A look that legacy can bear no longer is let go, and one that is older than what the table was made of.
        """
        if self._pacer is not None:
            try:
                self._pacer.before_table(TableReport(table))
            except (SnapshotTooOld, SourceWaits):
                self.close()
                self._pace.wait_for_resume()
        if self._verify_table is not None and is_overtaken(self._verify_table, table):
            self.close()

    def _step(self, table: str, began: float) -> "Step":
        with self.pair.of_table(options_of_table(self.pair, table)):
            known = TableChanges(self.pair, table)
            total = sum(
                seen.legacy_rows
                for spec in known.writers
                for source in spec.streamed
                if (seen := known.passes.get((spec.asset, source.name)))
            )
        return Step(self, table, total, began)

    def stepped(self, table: str, done: int, total: int, seconds: float) -> None:
        """Between two ranges of rows: tell how far the table is, and wait as orders and limits ask for."""
        self.listener.progressed(TableProgress(table, done, max(done, total), seconds))
        if self._pacer is not None:
            self._pacer.before_batch(TableReport(table))

    def _report(self, table: str, rows: int, seconds: float) -> None:
        report = TableReport(table, seconds=seconds)
        report.account(table, primary=False).read = rows
        self.listener.finished(report)


@dataclass
class Step:
    """Adds up the rows of a table's ranges for the progress."""

    verification: Verification
    table: str
    total: int
    began: float
    done: int = 0

    def __call__(self, rows: int) -> None:
        """One more range of so many rows is done."""
        self.done += rows
        self.verification.stepped(self.table, self.done, self.total, time.monotonic() - self.began)


_STATUS = {"failed": "failed", "BUG": "bug", "incomplete": "incomplete"}
"""How a verification ended, by the word of its verdict; else it passed."""


def _ending(error: BaseException) -> str:
    """The status of a verification that this ended."""
    if isinstance(error, StopRequested):
        return "stopped"
    return "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"


def _watched(findings: Iterator[Finding], suspects: list[Finding]) -> Iterator[Finding]:
    """The same differences; those that nothing explains are noted, as long as they are few."""
    for finding in findings:
        if finding.label is Label.BUG and len(suspects) < MOST_SUSPECTS:
            suspects.append(finding)
        yield finding


def _keys(first: TableVerification, suspects: Sequence[Finding]) -> Keys | None:
    """The rows to look at again where the table is compared range by range; None: the whole table."""
    ranged = {one.rows for one in expectations() if one.target == first.table and one.rows}
    if not ranged or any(one.legacy_table not in ranged or one.legacy_key is None for one in suspects):
        return None
    return {
        table: sorted({one.legacy_key for one in suspects if one.legacy_table == table and one.legacy_key})
        for table in ranged
        if table
    }


def _identity(finding: Finding) -> tuple[str | None, ...]:
    return (finding.check, finding.kind, finding.key, finding.legacy_table, finding.legacy_key)


def _without_bugs(counter: FindingCounter) -> dict[str, dict[str, int]]:
    return {
        check: {label: count for label, count in labels.items() if label != Label.BUG}
        for check, labels in counter.counts.items()
    }


def _by_label(findings: Sequence[Finding]) -> dict[Label, list[Finding]]:
    found: dict[Label, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.label, []).append(finding)
    return found
