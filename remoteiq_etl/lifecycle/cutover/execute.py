"""The conductor of a cut-over: fence, wait, final re-sync, verification, switch, record; or everything as it was.

Before the switch any failure takes the fence away. A process that is killed leaves a record by which the next call does that.
Belongs here: the order, and what follows from a failure. Does not belong here: a step itself, whether it may begin (see Gate).
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import psycopg

from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.backfill.context.progress import Listener, Silent
from remoteiq_etl.backfill.deletes.detect import DeletePolicy
from remoteiq_etl.config.fence_kind import FenceKind
from remoteiq_etl.errors import CutOverError, GateClosed, RemoteIQError, VerifyError
from remoteiq_etl.lifecycle.cutover import open_transactions, settle, switch
from remoteiq_etl.lifecycle.cutover.fence import WriteFence, fence_of, refuse_rights
from remoteiq_etl.lifecycle.cutover.place import CutOverContext, CutOverPlace, opened
from remoteiq_etl.lifecycle.cutover.settle import Settled
from remoteiq_etl.lifecycle.cutover.settle import settle as settled
from remoteiq_etl.lifecycle.cutover.steps import CutOverStep, PlannedStep, planned_steps
from remoteiq_etl.lifecycle.cutover.switch import SchemaNames
from remoteiq_etl.lifecycle.cutover.watch import LegacyWatch, take_marks
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.stage import Stage
from remoteiq_etl.lifecycle.target.finalize import finalize
from remoteiq_etl.postgres.errors.failures import describe, is_interruption
from remoteiq_etl.state import cutovers
from remoteiq_etl.state.cutovers import Phase

COMMAND = "cutover"


class Gate(Protocol):
    """What must be true before a cut-over."""

    def closed_by(self) -> Sequence[str]:
        """Why the gate is closed, one sentence for each rule; empty: it is open."""


class Verdict(Protocol):
    """What a verification came to."""

    @property
    def passed(self) -> bool:
        """Whether every difference is explained, and every table is there as a whole."""

    @property
    def word(self) -> str:
        """The verdict in one word."""


class CutOverListener(Protocol):
    """Who wants to know how far a cut-over is."""

    def begun(self, step: CutOverStep) -> None:
        """A step has begun."""

    def ended(self, step: CutOverStep, seconds: float) -> None:
        """A step is done."""


class Deaf:
    """A listener that hears nothing."""

    def begun(self, step: CutOverStep) -> None:
        """Ignore."""

    def ended(self, step: CutOverStep, seconds: float) -> None:
        """Ignore."""


@dataclass(frozen=True)
class CutOverTools:
    """What a cut-over is given: who decides whether it may begin, who verifies, and who listens to steps and to tables."""

    gate: Gate
    verify: Callable[[RunPlan], Verdict]
    steps: CutOverListener = field(default_factory=Deaf)
    listener: Listener = field(default_factory=Silent)


@dataclass(frozen=True)
class CutOverReport:
    """A cut-over that is done. `downtime`: seconds from the fence to the switch; `connection`: where the new application finds
    its tables; `schemas`: of one database, what they are called now; `settled`: what became of one that had been interrupted;
    `fence_stands`: whether the old application is still kept from writing.
    """

    number: int
    fence: FenceKind
    fence_stands: bool
    downtime: float
    seconds: dict[str, float]
    sessions_ended: int
    connection: dict[str, str]
    schemas: SchemaNames | None
    settled: Settled | None = None


def cut_over(place: CutOverPlace, tools: CutOverTools, kind: FenceKind | None = None) -> CutOverReport | Settled:
    """Cut over, or complete one that was interrupted past its switch. `kind`: the fence, where it is not that of the settings.

    Raises LockedError with the name of who is at it already, StageError where the migration is not finalized, GateClosed,
    FenceError, TransactionsOpen, LegacyWritten, and CutOverError for what ended it otherwise: then nothing has happened.
    """
    with opened(place) as context, store.claim(*context.of_source, COMMAND):
        before = settled(context)
        if before is not None and before.phase is Phase.DONE:
            return before
        if before is not None and before.phase is Phase.FAILED:
            settle.write_as_before(context)
        return _Attempt(context, tools, fence_of(kind or place.settings.fence, place.settings), before).execute()


def plan(place: CutOverPlace, kind: FenceKind | None = None) -> list[PlannedStep]:
    """The steps and what they will take. Changes nothing. Raises FenceError for a fence that lacks its settings."""
    with opened(place) as context:
        fence_of(kind or place.settings.fence, place.settings)
        return planned_steps(context, kind or place.settings.fence)


@dataclass
class _Attempt:
    context: CutOverContext
    tools: CutOverTools
    fence: WriteFence
    before: Settled | None
    number: int = 0
    step: CutOverStep = CutOverStep.CHECKS
    seconds: dict[str, float] = field(default_factory=dict)
    names: SchemaNames | None = None

    def execute(self) -> CutOverReport:
        with self._stepping(CutOverStep.CHECKS):
            self._check()
        try:
            return self._cut_over()
        except BaseException as error:
            self._end_early(error)
            raise

    # --- before the fence ---------------------------------------------------------------------------------------------

    def _check(self) -> None:
        """Whatever can be known before anybody is kept from writing."""
        context, migration = self.context, self.context.place.migration
        store.require(*context.of_source, COMMAND)
        if closed := self.tools.gate.closed_by():
            lines = "\n".join(f"  {reason}" for reason in closed)
            raise GateClosed(f"the gate is closed, so nothing was done:\n{lines}\nremoteiq-etl gate status shows it.")
        open_transactions.refuse_blindness(context.admin, self.fence)
        refuse_rights(self.fence, context.admin)
        if context.one_database:
            self.names = switch.survey(context.admin, migration.legacy.schema, migration.target.schema)
        migration.legacy_drift().report.raise_if_blocking()

    # --- from the fence to the switch ---------------------------------------------------------------------------------

    def _cut_over(self) -> CutOverReport:
        context, began = self.context, time.monotonic()
        with self._stepping(CutOverStep.FENCE):
            fenced_at = self._take_fence()
        with self._stepping(CutOverStep.WAIT):
            settings = context.place.settings
            waited = open_transactions.wait(context.admin, self.fence, fenced_at, settings.wait_seconds, settings.roles)
            watch = LegacyWatch.begin(context.place.migration.legacy, context.admin, is_enforced=self.fence.is_enforced)
        with self._stepping(CutOverStep.RESYNC):
            self._resync()
        with self._stepping(CutOverStep.VERIFY):
            self._verify()
        with self._stepping(CutOverStep.FINALIZE):
            self._finalize()
        with self._stepping(CutOverStep.SWITCH):
            watch.refuse_writes()
            self._switch()
        downtime = time.monotonic() - began
        with self._stepping(CutOverStep.RECORD):
            self._complete(downtime)
        return self._report(downtime, waited.ended)

    def _take_fence(self) -> Any:
        """Record what it will change, take it, and record that it stands."""
        context = self.context
        record = self.fence.survey(context.admin)
        self.number = cutovers.begin(context.control, context.state, context.source_id, record)
        self.fence.take(context.admin, record)
        fenced_at = context.admin.value("SELECT clock_timestamp()")
        cutovers.record(context.control, context.state, self.number, Phase.FENCED, fenced_at=fenced_at)
        return fenced_at

    def _resync(self) -> None:
        """The final run, with deletes; it carries what the mapping does at the cut-over only, as the state says that it is one."""
        with self.context.place.migration.run(listener=self.tools.listener, claimed=True) as run:
            reports = run.load_all()
            blocked = {name: report.blocked for name, report in reports.items() if report.blocked}
            held = {
                name: report.brake for name, report in run.deletes.look(DeletePolicy.PROPAGATE).items() if report.brake
            }
        for name, reason in {**blocked, **held}.items():
            raise CutOverError(f"{name} is not as the legacy database has it: {reason}")

    def _verify(self) -> None:
        migration = self.context.place.migration
        try:
            verdict = self.tools.verify(migration.plan())
        finally:
            migration.after_verification()
        if not verdict.passed:
            raise VerifyError(f"the verification says {verdict.word!r}. remoteiq-etl verify names the differences.")

    def _finalize(self) -> None:
        context = self.context
        finalize(context.control, target_schema=context.place.migration.target.schema, state=context.state)
        entry = store.current(*context.of_source)
        if entry is not None and entry.stage is Stage.VERIFIED:
            with context.control.transaction():
                store.move(*context.of_source, Stage.FINALIZED, reason=f"cut-over {self.number}")
        store.require(*context.of_source, COMMAND)

    def _switch(self) -> None:
        """Marks first: what is newer than they are, the applications have written since."""
        context, settings = self.context, self.context.place.settings
        marks = {"legacy": take_marks(context.admin), "target": take_marks(context.control)}
        names = self.names
        schemas = None if names is None else names.as_json()
        cutovers.record(context.control, context.state, self.number, Phase.SWITCHING, marks=marks, schemas=schemas)
        if names is None:
            switch.call_hook(context.place.migration.target, settings, "switch")
        else:
            switch.switch_schemas(context.admin, names, settings)

    # --- after it -----------------------------------------------------------------------------------------------------

    def _complete(self, downtime: float) -> None:
        context = self.context
        seconds = {**self.seconds, "downtime": downtime}
        cutovers.record(context.control, context.state, self.number, Phase.SWITCHING, seconds=seconds)
        if (record := context.last) is not None:
            settle.complete(context, record)

    def _report(self, downtime: float, ended: int) -> CutOverReport:
        context, names = self.context, self.names
        connection = switch.connection_facts(context.place.migration.target)
        connection |= {} if names is None else {"schema": names.target_after}
        stands = names is None or self.fence.outlives_switch
        return CutOverReport(
            self.number, self.fence.kind, stands, downtime, self.seconds, ended, connection, names, self.before
        )

    # --- or back ------------------------------------------------------------------------------------------------------

    def _end_early(self, error: BaseException) -> None:
        """Bring it to an end by sessions of its own: those that were in use may be what failed. Raises CutOverError."""
        if not self.number:
            return
        found = None
        try:
            with opened(self.context.place) as fresh:
                found = settled(fresh)
                late = None
                if found is not None and found.phase is Phase.FAILED and not is_interruption(error):
                    late = settle.write_as_before(fresh)
        except (RemoteIQError, psycopg.Error) as failure:
            raise CutOverError(
                f"the cut-over was ended in the step {self.step}: {describe(error)}. What it had taken could not be given back:"
                f" {describe(failure)}. The old application may still be kept from writing: call remoteiq-etl cutover --back."
            ) from error
        if not isinstance(error, Exception):
            return
        if found is not None and found.phase is Phase.DONE:
            raise CutOverError(
                f"the cut-over {self.number} is complete, although it was ended after its switch: {describe(error)}."
            ) from error
        self._explain(error, late)

    def _explain(self, error: Exception, late: str | None) -> None:
        """The error again, with the sentence that nothing happened; of ours in its own class."""
        kind = type(error) if isinstance(error, CutOverError) else CutOverError
        said = str(error) if isinstance(error, CutOverError) else describe(error)
        more = f" The next run puts back what a cut-over alone writes to the target ({late})." if late else ""
        raise kind(
            f"{said}\nThe cut-over was ended in the step {self.step}. Nothing has happened: the fence is taken away, and the old"
            f" application writes as before.{more}"
        ) from error

    @contextmanager
    def _stepping(self, step: CutOverStep) -> Iterator[None]:
        self.step = step
        began = time.monotonic()
        self.tools.steps.begun(step)
        yield
        self.seconds[step] = time.monotonic() - began
        self.tools.steps.ended(step, self.seconds[step])
