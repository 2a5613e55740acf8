"""An open run: its sessions, and what the load of a table asks of it.

Belongs here: the state that the tables of one run share. Does not belong here: opening it (see opening), how one table is
loaded (see load).
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from remoteiq_etl.backfill.change_capture.capture import Capture
from remoteiq_etl.backfill.change_capture.sweep import Sweep
from remoteiq_etl.backfill.context.live_columns import LiveColumn, effective, live_columns, without_absent
from remoteiq_etl.backfill.context.plan import Mode, Plan
from remoteiq_etl.backfill.context.progress import Listener, Silent
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.load.staging import Stage
from remoteiq_etl.backfill.load_table import TableLoad
from remoteiq_etl.backfill.outcomes import movements
from remoteiq_etl.backfill.outcomes.drift_archive import archive_extras
from remoteiq_etl.backfill.outcomes.movements import Cause
from remoteiq_etl.backfill.source.selection import Keys
from remoteiq_etl.backfill.source.snapshot import Snapshot
from remoteiq_etl.backfill.throttle.pacer import Pacer
from remoteiq_etl.backfill.transform.lookups import Lookups
from remoteiq_etl.errors import PrepareError, RunStopped, TableBlocked, describe
from remoteiq_etl.postgres import row_hash
from remoteiq_etl.postgres.database import ArrowSession, Database, Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.sealing import Sealer
from remoteiq_etl.spec.column_guards import KeptWhenNewer
from remoteiq_etl.spec.dependencies import in_order, inputs_of
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.state.locks import check_fence, lock, take_over
from remoteiq_etl.state.maps import key_join, map_of
from remoteiq_etl.state.orders import Control
from remoteiq_etl.state.schema import State, program_version
from remoteiq_etl.state.sources import Registered

if TYPE_CHECKING:
    pass

SQL = statements(__file__)


@dataclass
class Run:
    """An open run. Use opening.opened."""

    plan: Plan
    listener: Listener
    state: State
    session: Session
    arrow: ArrowSession  # reads lookups
    reader: ArrowSession  # reads the legacy database, in the snapshot; the main thread's while a table decides, then the second's
    writer: ArrowSession  # fills staging tables; the second thread's
    legacy: Database
    target: Database
    registered: Registered
    id: int
    fence: int
    snapshot: Snapshot
    started_at: datetime
    lookups: Lookups = field(init=False)
    sealer: Sealer | None = field(init=False)
    pacer: Pacer = field(init=False)
    capture: Capture = field(init=False)
    sweep: Sweep = field(init=False)
    reports: dict[str, TableReport] = field(default_factory=dict)
    _stages: dict[str, Stage] = field(default_factory=dict)
    _waiting: dict[str, list[str]] = field(default_factory=dict)
    _left_out: dict[str, bool] = field(default_factory=dict)
    _columns: dict[str, dict[str, LiveColumn]] | None = None
    # (key, before, after) by table, of those whose history another table records.
    planned_writes: dict[str, list[tuple[str, str | None, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = self.plan.sealing_keys
        self.sealer = None if keys is None else Sealer(keys, self.registered.name)
        steps = [spec.decide for spec in self.plan.specs.values() if spec.decide is not None]
        self.planned_writes = {table: [] for step in steps for table in step.history}
        self.pacer = Pacer.of(self)
        self.lookups = Lookups(self, [place for spec in self.plan.specs.values() for place in spec.lookups])
        self.capture = Capture(self)
        self.sweep = Sweep(self, active=self.plan.mode == Mode.SWEEP)

    # --- what a load needs --------------------------------------------------------------------------------------

    @property
    def planning(self) -> bool:
        """Whether only to work out what would be done."""
        return self.plan.planning

    @property
    def batch_rows(self) -> int:
        """Rows of one batch at the most."""
        return self.plan.batch_rows

    @property
    def context_base(self) -> Context:
        """The context of a transform, without lookups."""
        return Context(
            source=self.plan.source,
            organization_slug=self.plan.organization_slug,
            run_started_at=self.started_at,
            words=self.plan.words,
            options=self.plan.options,
        )

    def spec(self, entity: str) -> TableSpec:
        """The declaration of a target table."""
        return self.plan.specs[entity]

    def live_spec(self, entity: str) -> TableSpec:
        """The declaration of a target table with all columns that the target has."""
        return self._with_live_columns(self.spec(entity))

    def _with_live_columns(self, spec: TableSpec) -> TableSpec:
        return effective(spec, self._live().get(spec.name, {}))

    def writers(self, entity: str) -> list[str]:
        """The assets that write rows of an entity: its own, and one for seeds."""
        return [asset for asset, spec in self.plan.specs.items() if spec.name == entity]

    def load(self, spec: TableSpec, keys: Keys | None = None) -> TableReport:
        """Load one table; its dependencies must have been loaded by this run or an earlier one.

        With `keys` (legacy keys by legacy table) only these rows are read.
        Raises TableBlocked when the legacy database lacks what it needs; then nothing about the table is touched.
        """
        refuse(self, spec)
        if not self.planning and spec.no_source is None and not self.has_target(spec.name):
            raise PrepareError(
                f"the target has no table {self.target.schema}.{spec.name}: prepare it first (remoteiq-etl run does)."
            )
        spec = without_absent(spec, self.plan.absent)
        report = TableLoad(self, self._with_live_columns(spec), keys).execute()
        self.reports[spec.asset] = report
        return report

    def load_all(self, names: Collection[str] | None = None) -> dict[str, TableReport]:
        """Archive what was accepted and load these tables (default: all), parents first; a blocked one says so in its report."""
        if self.plan.extras:
            archive_extras(self)
        chosen = [spec for spec in in_order(self.plan.specs) if names is None or spec.asset in names]
        self.state.ensure_maps(self.session, [spec for spec in chosen if spec.no_source is None])
        for spec in chosen:
            with contextlib.suppress(TableBlocked):
                self.load(spec)
        return self.reports

    def target_name(self, table: str) -> sql.Identifier:
        """A table of the target schema, quoted."""
        return self.target.table(table)

    def has_target(self, table: str) -> bool:
        """Whether the target has this table; in a plan it may not."""
        return table in self._live()

    def _live(self) -> dict[str, dict[str, LiveColumn]]:
        if self._columns is None:
            self._columns = live_columns(self.session, self.target.schema)
        return self._columns

    def release_snapshot(self) -> None:
        """End the transactions on the legacy database after the last load: an index build there waits for them."""
        self.reader.close()
        self.snapshot.close()
        self.pacer.snapshot_released()

    def refresh_catalogue(self) -> None:
        """Forget which tables the target has: they have just been created."""
        self._columns = None

    def is_first_load(self, spec: TableSpec) -> bool:
        """Whether neither the target table nor the map of this source has a row, so that there is nothing to compare."""
        if self.planning or not self.has_target(spec.name):
            return False
        query = sql.SQL("SELECT NOT EXISTS (SELECT FROM {}) AND NOT EXISTS (SELECT FROM {} WHERE source_id = %s)")
        return bool(
            self.session.value(
                query.format(self.target_name(spec.name), self.state.name(map_of(spec).name)), [self.registered.id]
            )
        )

    def stage(self, spec: TableSpec, legacy_table: str, slot: int, columns: tuple[str, ...]) -> Stage:
        """A staging table of this run for these columns, made when it is asked for first. Called by the second thread."""
        name = f"stage_{self.registered.id}_{self.id}_{slot}_{spec.name}"[:63]
        found = self._stages.get(name)
        if found is None or found.columns != columns:
            key_type = str(map_of(spec).columns["legacy_key"].type).lower()
            timed = any(isinstance(door, KeptWhenNewer) for door in spec.doors)
            found = Stage(self.state.schema, name, spec.target, columns, key_type, timed)
            found.create(self.writer, self.target_name(spec.name))
            self._stages[name] = found
        return found

    def waiting(self, table: str) -> list[str]:
        """Which of quarantine and held have open rows of this table."""
        if table not in self._waiting:
            exists = "EXISTS (SELECT FROM {} WHERE source_id = %s AND table_name = %s AND released_run IS NULL)"
            names = ("quarantine", "held")
            query = sql.SQL(f"SELECT {exists}, {exists}").format(*map(self.state.name, names))
            found = self.session.rows(query, [self.registered.id, table] * 2)[0]
            self._waiting[table] = [name for name, waits in zip(names, found, strict=True) if waits]
        return self._waiting[table]

    def has_merged(self, spec: TableSpec) -> bool:
        """Whether keys of this table were merged into rows of others."""
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE source_id = %s AND state = 'merged')")
        return bool(self.session.value(query.format(self.state.name(map_of(spec).name)), [self.registered.id]))

    def has_left_out(self, table: str) -> bool:
        """Whether a run has left rows out of this table before."""
        if table not in self._left_out:
            query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE source_id = %s AND table_name = %s)")
            found = self.session.value(query.format(self.state.name("left_out")), [self.registered.id, table])
            self._left_out[table] = bool(found)
        return self._left_out[table]

    def mark_deleted(self, spec: TableSpec) -> int:
        """Note which of the rows that other tables refer to were deleted in the target since. Returns how many."""
        if self.planning or not any(place[0] == spec.name for place in self.lookups.wanted):
            return 0
        names = {
            "map": self.state.name(map_of(spec).name),
            "target": self.target_name(spec.name),
            "key_join": key_join(spec),
            "source_id": sql.Literal(self.registered.id),
            "run_id": sql.Literal(self.id),
        }
        with self.session.transaction():
            deleted = self.session.execute(load_sql("mark_deleted").format(**names)).rowcount
            movements.of_run(self, spec.name, Cause.DELETED, -deleted)
        return deleted

    def has_open_conflicts(self, table: str) -> bool:
        """Whether the conflict list has open entries of this table."""
        query = sql.SQL(
            "SELECT EXISTS (SELECT FROM {} WHERE source_id = %s AND table_name = %s AND resolved_run IS NULL)"
        )
        return bool(self.session.value(query.format(self.state.name("conflicts")), [self.registered.id, table]))

    def release_rest(self, spec: TableSpec) -> None:
        """Once all that waited was read again: what is not quarantined or held any more, for whatever reason, is released."""
        for name in self.waiting(spec.name):
            update = sql.SQL(
                "UPDATE {} SET released_run = %s WHERE source_id = %s AND table_name = %s AND legacy_table = ANY (%s)"
                " AND released_run IS NULL AND last_run < %s"
            )
            read = [source.name for source in spec.sources]
            self.session.execute(
                update.format(self.state.name(name)), [self.id, self.registered.id, spec.name, read, self.id]
            )

    def has_new_waiting(self, spec: TableSpec) -> bool:
        """Whether this run quarantined or held a row of the table for the first time, or released one."""
        exists = (
            "EXISTS (SELECT FROM {} WHERE source_id = %s AND table_name = %s AND (first_run = %s OR released_run = %s))"
        )
        query = sql.SQL(f"SELECT {exists} OR {exists}").format(self.state.name("quarantine"), self.state.name("held"))
        return bool(self.session.value(query, [self.registered.id, spec.name, self.id, self.id] * 2))

    def count_target(self, spec: TableSpec) -> int:
        """Rows in the target table, of anyone."""
        return int(self.session.value(sql.SQL("SELECT count(*) FROM {}").format(self.target_name(spec.name))))

    def time_zones(self, spec: TableSpec) -> frozenset[str]:
        """The time zones that the target knows, where a table asks for them: the server reads a thousand files for it."""
        if not spec.time_zones:
            return frozenset({"UTC"})
        return frozenset(row[0] for row in self.session.rows("SELECT name FROM pg_timezone_names"))

    def check_fence(self) -> None:
        """Make sure, within the transaction about to commit, that no later run has taken over. Raises FencedError."""
        check_fence(self.session, self.state, self.registered, self.fence, f"run {self.id}")

    def follow_same_as(self, spec: TableSpec) -> int:
        """Let keys that a decision says stand for another row of the table lead to it, now that it has its id.

        Returns how many lead elsewhere now.
        """
        names = {
            "map": self.state.name(map_of(spec).name),
            "source_id": sql.Literal(self.registered.id),
            "run_id": sql.Literal(self.id),
        }
        return self.session.execute(load_sql("same_as").format(**names)).rowcount

    # --- end ----------------------------------------------------------------------------------------------------

    def drop_stages(self) -> None:
        """Remove the staging tables of this run."""
        for stage in self._stages.values():
            stage.drop(self.session)
        self._stages.clear()

    def drop_leftovers(self) -> None:
        """Remove the staging tables that killed runs of this source left. Only while the source is locked."""
        pattern = f"stage\\_{self.registered.id}\\_%"
        query = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename LIKE %s"
        for (name,) in self.session.rows(query, [self.state.schema, pattern]):
            self.session.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(self.state.name(name)))

    def interrupted(self) -> list[str]:
        """What the orchestrator calls the last runs of the source that ended without a word."""
        query = sql.SQL(
            "SELECT orchestrator_run_id FROM {} WHERE source_id = %s AND status = 'interrupted'"
            " AND orchestrator_run_id IS NOT NULL ORDER BY id DESC LIMIT 10"
        )
        return [row[0] for row in self.session.rows(query.format(self.state.name("runs")), [self.registered.id])]

    def record_end(self, status: str, error: str | None, session: Session | None = None) -> None:
        """Write how the run ended, with the run's own session unless another one is given."""
        if not self.planning:
            update = sql.SQL(
                "UPDATE {} SET status = %s, finished_at = clock_timestamp(), error = %s WHERE id = %s AND fence = %s"
            )
            name, values = self.state.name("runs"), [status, error, self.id, self.fence]
            (session or self.session).execute(update.format(name), values)


def refuse(run: "Run", spec: TableSpec) -> None:
    """Report a blocked table and raise TableBlocked; do nothing for any other. Its rows, map and quarantine stay as they are."""
    reason = run.plan.blocked.get(spec.asset)
    if reason is None:
        return
    run.reports[spec.asset] = TableReport(spec.asset, blocked=reason)
    run.listener.finished(run.reports[spec.asset])
    raise TableBlocked(f"{spec.asset} was not loaded, and nothing of it was touched: {reason}")


def ending(reports: Mapping[str, TableReport]) -> tuple[str, str | None]:
    """Status and error of a run that came to its end: failed where a table was blocked."""
    blocked = [report.table for report in reports.values() if report.blocked]
    return ("failed", f"not loaded: {', '.join(blocked)}") if blocked else ("succeeded", None)


@contextlib.contextmanager
def opened(plan: Plan, listener: Listener | None = None) -> Iterator[Run]:
    """An open run; what fails inside is recorded as its end.

    Raises LockedError when the source is busy, SourcePaused when it is paused.
    """
    state = State(plan.target, plan.state_schema)
    with contextlib.ExitStack() as stack:
        control = plan.target.connect()
        stack.callback(control.close)
        state.ensure(control)
        registered = state.register(control, plan.source, plan.organization_slug)
        Control(control, state, registered.id).refuse_paused()
        lock(control, registered)
        run = _open(plan, listener or Silent(), state, control, registered, stack)
        stack.callback(_quietly, run.drop_stages)
        stack.callback(run.pacer.close)
        try:
            run.drop_leftovers()
            yield run
        except BaseException as error:
            # The run's own session may be in the middle of a statement that a signal cut short.
            status = "stopped" if isinstance(error, RunStopped) else "failed"
            _quietly(run.record_end, status, describe(error), control)
            raise
        run.record_end(*ending(run.reports))


def _open(
    plan: Plan, listener: Listener, state: State, control: Session, registered: Registered, stack: contextlib.ExitStack
) -> Run:
    settings = row_hash.session_settings(registered.hash_key)
    legacy, target = plan.legacy.with_settings(settings), plan.target.with_settings(settings)
    fence = take_over(control, state, registered)
    tables = {table for spec in plan.specs.values() for table in inputs_of(spec).legacy}
    snapshot = stack.enter_context(Snapshot(legacy, tables))
    session = target.connect()
    stack.callback(session.close)
    arrow = target.connect_arrow()
    stack.callback(arrow.close)
    writer = target.connect_beside(arrow)
    stack.callback(writer.close)
    reader = snapshot.reader()
    stack.callback(reader.close)
    insert = sql.SQL(
        "INSERT INTO {} (source_id, orchestrator_run_id, status, snapshot, system_identifier, fence, program_version, options)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id, started_at"
    )
    status = "plan" if plan.planning else "running"
    row = control.rows(
        insert.format(state.name("runs")),
        [
            registered.id,
            plan.orchestrator_run_id,
            status,
            snapshot.horizon,
            snapshot.database.partition("/")[0],
            fence,
            program_version(),
            Jsonb(dict(plan.options)),
        ],
    )[0]
    return Run(
        plan,
        listener,
        state,
        session,
        arrow,
        reader,
        writer,
        legacy,
        target,
        registered,
        row[0],
        fence,
        snapshot,
        row[1].astimezone(UTC),
    )


def _quietly(function: Any, *arguments: object) -> None:
    """Clean up without hiding the error that ended the run: the target may be gone."""
    with contextlib.suppress(psycopg.Error):
        function(*arguments)
