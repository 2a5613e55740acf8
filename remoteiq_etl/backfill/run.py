"""The run: opening it, loading its tables in order, closing it.

One run per source at a time: an advisory lock refuses the second, and a fencing token keeps a run that lost its lock
from committing. Belongs here: lock, fence, snapshot and sessions in this order, the parts that the tables of a run share, the
record of how it ended. Does not belong here: how one table is loaded (see load_table), any step.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import partial
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.backfill.change_capture.capture import Capture
from remoteiq_etl.backfill.change_capture.sweep import Sweep
from remoteiq_etl.backfill.context.live_columns import without_absent
from remoteiq_etl.backfill.context.plan import Mode, RunPlan
from remoteiq_etl.backfill.context.progress import Listener, Silent
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.deletes.detect import DeletePass
from remoteiq_etl.backfill.load.staging import StagingTables
from remoteiq_etl.backfill.load_table import TableLoad
from remoteiq_etl.backfill.outcomes.drift_archive import RULE, archive_extras
from remoteiq_etl.backfill.outcomes.open_rows import OpenRows
from remoteiq_etl.backfill.source.selection import Keys
from remoteiq_etl.backfill.source.snapshot import Snapshot
from remoteiq_etl.backfill.throttle.pacer import Pacer, Worker
from remoteiq_etl.backfill.throttle.probes import SOURCE, TARGET, Probe, Sampler
from remoteiq_etl.backfill.transform.lookups import Lookups
from remoteiq_etl.errors import ConfigurationError, PrepareError, RunStopped, TableBlocked
from remoteiq_etl.postgres import row_hash
from remoteiq_etl.postgres.arrow import connect_arrow, connect_beside
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.postgres.session_checks import refuse_hidden_rows, refuse_shared
from remoteiq_etl.spec.dependencies import in_order, legacy_columns
from remoteiq_etl.spec.run_options import CUT_OVER, ROLE_GRANTS, ROLE_META_FIRST, UNION
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.cutovers import remembered_options
from remoteiq_etl.state.locks import lock, take_over
from remoteiq_etl.state.maps import ensure_maps
from remoteiq_etl.state.orders import KEPT_BATCHES, Control, refuse_stopped
from remoteiq_etl.state.schema import State, program_version
from remoteiq_etl.state.sources import SourceRecord, record_end, register, remembered_grants


@dataclass
class Run:
    """An open run. Use open_run."""

    context: RunContext
    lookups: Lookups = field(init=False)
    pacer: Pacer = field(init=False)
    capture: Capture = field(init=False)
    sweep: Sweep = field(init=False)
    stages: StagingTables = field(init=False)
    open_rows: OpenRows = field(init=False)
    reports: dict[str, TableReport] = field(default_factory=dict)

    def __post_init__(self) -> None:
        context = self.context
        self.pacer = _pacer(context)
        self.lookups = Lookups(context, [place for spec in context.plan.specs.values() for place in spec.lookups])
        self.sweep = Sweep(context, self._seen_up_to, active=context.plan.mode == Mode.SWEEP)
        self.capture = Capture(context, self.sweep)
        self.stages = StagingTables(context)
        self.open_rows = OpenRows(context)

    @property
    def deletes(self) -> DeletePass:
        """The pass for rows whose legacy rows are gone."""
        return DeletePass(self.context, self.capture, self.lookups, self.pacer, self.open_rows)

    def load(self, spec: TableSpec, keys: Keys | None = None) -> TableReport:
        """Load one table; its dependencies must have been loaded by this run or an earlier one.

        With `keys` (legacy keys by legacy table) only these rows are read.
        Raises TableBlocked when the legacy database lacks what it needs; then nothing about the table is touched.
        """
        context = self.context
        self._refuse_blocked(spec)
        if not context.planning and spec.no_source is None and not context.has_target(spec.name):
            raise PrepareError(
                f"the target has no table {context.target.schema}.{spec.name}: prepare it first (remoteiq-etl run does)."
            )
        load = TableLoad(
            context,
            self.capture,
            self.sweep,
            self.lookups,
            self.pacer,
            self.stages,
            self.open_rows,
            context.with_live_columns(without_absent(spec, context.plan.absent)),
            keys,
        )
        try:
            report = load.execute()
        except BaseException:
            # What it has committed stays, and who is loaded after it in this run sees that.
            self.lookups.forget(spec.name)
            self.capture.mark_failed(spec)
            raise
        self.capture.failed.discard(spec.asset)
        self.reports[spec.asset] = report
        return report

    def load_all(self, names: Collection[str] | None = None) -> dict[str, TableReport]:
        """Archive what was accepted and load these tables (default: all), parents first; a blocked one says so in its report."""
        context = self.context
        if context.plan.extras:
            self.archive_extras()
        chosen = [spec for spec in in_order(context.plan.specs) if names is None or spec.asset in names]
        self.announce(chosen)
        for spec in chosen:
            with contextlib.suppress(TableBlocked):
                self.load(spec)
        return self.reports

    def announce(self, specs: Sequence[TableSpec]) -> None:
        """These tables will be loaded one after the other: what is asked of each is asked of all at once."""
        context = self.context
        ensure_maps(context.state, context.session, [spec for spec in specs if spec.no_source is None])
        self.capture.announce(
            [
                context.with_live_columns(without_absent(spec, context.plan.absent))
                for spec in specs
                if spec.no_source is None
            ]
        )

    def archive_extras(self) -> TableReport:
        """Archive what was accepted of the legacy database's drift."""
        self.reports[RULE] = archive_extras(self.context, self.pacer)
        return self.reports[RULE]

    def recover(self) -> None:
        """After an error: let what comes next in this run read the snapshot still, as long as its sessions stand."""
        self.context.snapshot.recover(self.context.reader)

    def release_snapshot(self) -> None:
        """End the transactions on the legacy database after the last load: an index build there waits for them."""
        self.context.reader.close()
        self.context.snapshot.close()
        self.pacer.snapshot_released()

    def _seen_up_to(self, spec: TableSpec, table: str) -> int | None:
        return self.capture.full_pass.seen_up_to(spec, table)

    def _refuse_blocked(self, spec: TableSpec) -> None:
        """Report a blocked table and raise TableBlocked; its rows, map and quarantine stay as they are."""
        reason = self.context.plan.blocked.get(spec.asset)
        if reason is not None:
            self.reports[spec.asset] = TableReport(spec.asset, blocked=reason)
            self.context.listener.finished(self.reports[spec.asset])
            raise TableBlocked(f"{spec.asset} was not loaded, and nothing of it was touched: {reason}")


@contextlib.contextmanager
def open_run(plan: RunPlan, listener: Listener | None = None) -> Iterator[Run]:
    """An open run; what fails inside is recorded as its end.

    Its options are those of the plan, and those that the state remembers. Raises LockedError when the
    source is busy, SourcePaused when it is paused, DriftError when the target hides rows.
    """
    _refuse_cut_over(plan)
    _refuse_unknown_grants(plan)
    state = State(plan.target, plan.state_schema)
    with contextlib.ExitStack() as stack:
        control = plan.target.connect()
        stack.callback(control.close)
        refuse_shared(control)
        refuse_hidden_rows(control, plan.target.schema, plan.state_schema)
        state.ensure(control)
        source_record = register(control, state, plan.source, plan.organization_slug)
        Control(control, state, source_record.id).refuse_paused()
        lock(control, source_record)
        plan = replace(plan, options=_options(plan, control, state, source_record.id))
        run = Run(_context(plan, listener or Silent(), state, control, source_record, stack))
        stack.callback(_quietly, run.stages.drop)
        stack.callback(run.pacer.close)
        try:
            run.stages.drop_leftovers()
            yield run
        except BaseException as error:
            # The run's own session may be in the middle of a statement that a signal cut short.
            status = "stopped" if isinstance(error, RunStopped) else "failed"
            _quietly(_record_end, run.context, control, status, describe(error))
            raise
        _record_end(run.context, run.context.session, *_ending(run.reports))


def _refuse_cut_over(plan: RunPlan) -> None:
    """No run takes part in a cut-over because it was told so: the next one would take that back."""
    if CUT_OVER in plan.options:
        raise ConfigurationError(
            f"{CUT_OVER} is no option of a run: remoteiq-etl cutover begins it, and later runs remember. Leave it out."
        )


def _refuse_unknown_grants(plan: RunPlan) -> None:
    if plan.options.get(ROLE_GRANTS, UNION) not in (UNION, ROLE_META_FIRST):
        raise ConfigurationError(
            f"the option {ROLE_GRANTS} is {plan.options[ROLE_GRANTS]!r}; expected {UNION} or {ROLE_META_FIRST}."
        )


def _options(plan: RunPlan, control: Session, state: State, source_id: int) -> dict[str, Any]:
    """What this run was told, what an earlier one was told of grants, and from the cut-over on what that brings."""
    remembered = remembered_grants(control, state, source_id)
    return {**remembered, **plan.options, **remembered_options(control, state, source_id)}


def _record_end(context: RunContext, session: Session, status: str, error: str | None) -> None:
    if not context.planning:
        record_end(session, context.state, context.id, context.fence, status, error)


def _ending(reports: Mapping[str, TableReport]) -> tuple[str, str | None]:
    """Status and error of a run that came to its end: failed where a table was blocked."""
    blocked = [report.table for report in reports.values() if report.blocked]
    return ("failed", f"not loaded: {', '.join(blocked)}") if blocked else ("succeeded", None)


def _context(
    plan: RunPlan,
    listener: Listener,
    state: State,
    control: Session,
    source_record: SourceRecord,
    stack: contextlib.ExitStack,
) -> RunContext:
    settings = row_hash.session_settings(source_record.hash_key)
    legacy, target = plan.legacy.with_settings(settings), plan.target.with_settings(settings)
    fence = take_over(control, state, source_record)
    snapshot = stack.enter_context(Snapshot(legacy, legacy_columns(plan.specs)))
    session = target.connect()
    stack.callback(session.close)
    arrow = connect_arrow(target)
    stack.callback(arrow.close)
    writer = connect_beside(target, arrow)
    stack.callback(writer.close)
    reader = snapshot.reader()
    stack.callback(reader.close)
    insert = sql.SQL(
        "INSERT INTO {} (source_id, orchestrator_run_id, status, snapshot, system_identifier, fence, program_version, options)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id, started_at"
    )
    status = "plan" if plan.planning else "running"
    run_id, started_at = control.rows(
        insert.format(state.name("runs")),
        [
            source_record.id,
            plan.orchestrator_run_id,
            status,
            snapshot.horizon,
            snapshot.database.partition("/")[0],
            fence,
            program_version(),
            Jsonb(dict(plan.options)),
        ],
    )[0]
    return RunContext(
        plan,
        listener,
        state,
        session,
        arrow,
        reader,
        writer,
        snapshot.legacy,
        target,
        source_record,
        run_id,
        fence,
        snapshot,
        started_at.astimezone(UTC),
    )


def _pacer(context: RunContext) -> Pacer:
    """The pace of a run, with its limits, on probes of both of its servers."""
    plan, snapshot = context.plan, context.snapshot
    probes = [
        Probe(SOURCE, plan.legacy, snapshot.pids, snapshot.xmin),
        Probe(TARGET, plan.target, [context.session.pid]),
    ]
    control = Control(context.session, context.state, context.source_record.id)
    worker = Worker("run", KEPT_BATCHES, "run", partial(refuse_stopped, fence=context.fence))
    return Pacer(plan.limits, control, Sampler(probes, plan.limits.probe_seconds), context.listener, worker)


def _quietly(function: Any, *arguments: object) -> None:
    """Clean up without hiding the error that ended the run: the target may be gone."""
    with contextlib.suppress(psycopg.Error):
        function(*arguments)
