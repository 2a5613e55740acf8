"""The commit of one batch: target rows, map, ledger, quarantine, held rows and archive in one transaction.

Belongs here: what is inside that transaction, and what happens when a row breaks a constraint of the target. Does not
belong here: the statements of the merge (see merge), or the order of batches (see load).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import psycopg
from psycopg import sql

from remoteiq_etl.backfill.change_capture.capture import Capture
from remoteiq_etl.backfill.context.prepared import PreparedBatch
from remoteiq_etl.backfill.context.report import OF_ACTION, OF_DISPOSAL, BatchAccount, Ledger, TableReport
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.load.batch_merge import PlannedMerge, remember_planned
from remoteiq_etl.backfill.load.casts import refuse_type_errors
from remoteiq_etl.backfill.load.merge_statements import Merge
from remoteiq_etl.backfill.load.survivors import take_over
from remoteiq_etl.backfill.load.target_triggers import CHANGED_BY_TARGET, NotTaken, warn
from remoteiq_etl.backfill.outcomes import archive, ledger, movements
from remoteiq_etl.backfill.outcomes.movements import Cause
from remoteiq_etl.backfill.outcomes.open_rows import OpenRows
from remoteiq_etl.backfill.outcomes.quarantine import RowLists
from remoteiq_etl.errors import ConflictError, ConservationError
from remoteiq_etl.postgres.errors.row_errors import is_about_rows
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.batch import Disposal
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.maps import short_key_of
from remoteiq_etl.state.written_columns import remember_written

SQL = statements(__file__)


class _PlanOnly(Exception):  # not an error: it takes the transaction of a plan back
    pass


class BatchWriter:
    """Writes the batches of one table of one run."""

    def __init__(
        self, run: RunContext, spec: TableSpec, report: TableReport, open_rows: OpenRows, capture: Capture
    ) -> None:
        self.run = run
        self.spec = spec
        self.report = report
        self.open_rows = open_rows
        self.capture = capture
        self.number = 0
        self.may_wait = True
        self.waiting: list[PreparedBatch] = []
        self._deferred: list[int] = []
        self._open_conflicts: bool | None = None
        self._remapped = False

    def write(self, prepared: PreparedBatch, merge: Merge | None) -> None:
        """Commit one batch whole, or nothing of it. In a plan: work out what would be done, and take it back."""
        account = BatchAccount(
            prepared.legacy_table, self._is_primary(prepared.legacy_table), read=prepared.read, bytes=prepared.bytes
        )
        if prepared.batch is not None:
            account.warnings += prepared.batch.warnings
        disposals = list(prepared.disposals)
        remapped = self._remapped
        try:
            with self.run.session.transaction():
                self._write(prepared, merge, account, disposals)
                if self.run.planning:
                    raise _PlanOnly
        except _PlanOnly:
            pass
        except ConflictError:
            self._list_conflicts(prepared, merge)
            raise
        except psycopg.Error:
            self._remapped = remapped  # the caller may write the rows in parts
            raise
        prepared.disposals = disposals
        self.report.account(account.legacy_table, primary=account.primary).add(account)

    def write_merged(self, merged: Iterable[tuple[str, str, str, str]]) -> int:
        """Let each merged row's key lead to its winner's new key. Returns how many lead elsewhere now."""
        was_live: list[bool] = []
        for legacy_table, key, rule, into in merged:
            statement = SQL["map_merged"].format(**self.run.names(self.spec, legacy_table))
            was_live += [row[0] for row in self.run.session.rows(statement, {"key": key, "rule": rule, "into": into})]
        movements.of_run(self.run, self.spec.name, Cause.MERGED, -sum(was_live))
        return len(was_live)

    # --- one batch ----------------------------------------------------------------------------------------------

    def _write(
        self, prepared: PreparedBatch, merge: Merge | None, account: BatchAccount, disposals: list[Disposal]
    ) -> None:
        run = self.run
        run.check_fence()
        run.session.execute("SELECT set_config('remoteiq_etl.preserve_updated_at', 'on', true)")
        self._deferred = []
        actions = self._merge(prepared, merge, account, disposals)
        for action, count in actions.items():
            account.outcomes[OF_ACTION[action]] += count
        for disposal in disposals:
            account.outcomes[OF_DISPOSAL[disposal.outcome]] += 1
            account.rules[(OF_DISPOSAL[disposal.outcome], disposal.rule)] += 1
        self._check(account, prepared)
        archived = archive.entries(prepared, archive.columns_of(self.spec, prepared.legacy_table), run.sealer)
        account.warnings += Counter({archive.WITHHELD: sum(entry.withheld for entry in archived)})
        if run.planning:
            remember_planned(run, self.spec, prepared, merge)
        else:
            self._release(merge, prepared.legacy_table)
            if merge is not None:
                remember_written(run, self.spec, prepared.legacy_table, merge.compared_columns)
            RowLists(run, self.spec, self.open_rows).write(prepared, disposals)
            archive.write(run, self.spec.asset, prepared.legacy_table, archived)
            self._write_ledger(account)
            self._mark_remapped(account)

    def _merge(
        self, prepared: PreparedBatch, merge: Merge | None, account: BatchAccount, disposals: list[Disposal]
    ) -> Counter[str]:
        if merge is None:
            return Counter({"inserted": len(prepared.rows)}) if len(prepared.rows) else Counter()
        refused = refuse_type_errors(self.run.session, merge)
        if self.report.first_load and not self.run.planning and not refused and not merge.triggers:
            inserted = self._load_first(merge, len(prepared.rows))
            if inserted is not None:
                return Counter({"inserted": inserted})
        return self._merge_planned(prepared, merge, account, disposals, refused)

    def _load_first(self, merge: Merge, rows: int) -> int | None:
        """Rows inserted without a comparison; None when the target refuses one and they must be looked at one by one."""
        try:
            with self.run.session.transaction():
                inserted = merge.load_first(self.run.session, rows)
                movements.of_run(self.run, self.spec.name, Cause.INSERTED, inserted)
                return inserted
        except NotTaken:
            return None
        except psycopg.Error as error:
            if not is_about_rows(error):
                raise
            return None

    def _merge_planned(
        self,
        prepared: PreparedBatch,
        merge: Merge,
        account: BatchAccount,
        disposals: list[Disposal],
        type_errors: Mapping[int, Sequence[str]],
    ) -> Counter[str]:
        """Write what is planned; rows per action. Rows that wait for the end of the table are no part of this batch."""
        planned = self._planned(prepared, merge, type_errors)
        actions = planned.write()
        if not self.run.planning:
            movements.of_batch(self.run, self.spec)
        self.report.recreated += actions["recreated"]
        self.report.removed += planned.joined
        disposals += planned.refused
        if planned.moved and not self.run.planning:
            self.capture.mark_remapped(self.spec.asset)
        if planned.altered:
            warn(self.run, self.spec, prepared.legacy_table, sorted(planned.altered))
            account.warnings[CHANGED_BY_TARGET] += max(planned.altered.values())
        if merge.shares_rows and not self.run.planning:
            self._keep_shared(prepared, merge)
        if planned.waiting:
            account.read -= len(planned.waiting)
            self.waiting.append(prepared.only(planned.waiting))
            self._deferred = planned.waiting
        return actions

    def _planned(self, prepared: PreparedBatch, merge: Merge, type_errors: Mapping[int, Sequence[str]]) -> PlannedMerge:
        take_over(self.run, self.spec, prepared.legacy_table, merge)
        if self._open_conflicts is None:
            self._open_conflicts = self.open_rows.has_conflicts(self.spec.name)
        return PlannedMerge(self.run, self.spec, prepared, merge, type_errors, self.may_wait, self._open_conflicts)

    def _list_conflicts(self, prepared: PreparedBatch, merge: Merge | None) -> None:
        """List what made the policy fail: the batch itself was taken back."""
        if merge is not None:
            with self.run.session.transaction():
                self.run.check_fence()
                self._planned(prepared, merge, refuse_type_errors(self.run.session, merge)).list_conflicts()

    def _keep_shared(self, prepared: PreparedBatch, merge: Merge) -> None:
        """Archive the legacy rows that have no place beside a row of another source, whole."""
        keys = merge.of_another_source(self.run.session)
        if keys and prepared.batch is not None and self.spec.source(prepared.legacy_table) is not None:
            prepared.batch.keep_whole(prepared.batch.keys.isin(keys), "row_of_another_source")

    def _check(self, account: BatchAccount, prepared: PreparedBatch) -> None:
        """Read = accounted for, where each legacy row becomes at most one row."""
        if account.primary and account.accounted != account.read:
            raise ConservationError(
                f"{self.spec.name} from {prepared.legacy_table}: a batch of {account.read} rows accounts for"
                f" {account.accounted} ({dict(account.outcomes)})."
                " The batch was not committed. This is a fault of the program; report it with the ledger."
            )

    def _mark_remapped(self, account: BatchAccount) -> None:
        """What refers to this table looks again, also when the load fails after this batch."""
        outcomes = account.outcomes
        waits = outcomes[Ledger.QUARANTINED] or outcomes[Ledger.HELD] or self.open_rows.waiting(self.spec.name)
        if self._remapped or not (
            outcomes[Ledger.INSERTED] or outcomes[Ledger.ADOPTED] or (waits and self.open_rows.has_new(self.spec))
        ):
            return
        self._remapped = True
        self.capture.mark_remapped(self.spec.asset)

    # --- what did not become a row ------------------------------------------------------------------------------

    def _release(self, merge: Merge | None, legacy_table: str) -> None:
        """Rows that waited and are written now wait no longer. Those that wait for the end of the table do so till then."""
        if merge is None:
            return
        deferred = {"deferred": self._deferred}
        listed_key = short_key_of(sql.SQL("s._key::text"))
        names = {**self.run.names(self.spec, legacy_table), "stage": merge.stage.identifier, "listed_key": listed_key}
        for waiting in self.open_rows.waiting(self.spec.name):
            release = SQL["release"].format(**names, waiting=self.run.state.name(waiting))
            self.run.session.execute(release, deferred)
        if self.open_rows.has_left_out(self.spec.name):
            self.run.session.execute(SQL["taken_in"].format(**names))

    def _write_ledger(self, account: BatchAccount) -> None:
        self.number += 1
        ledger.write_account(self.run, self.spec.name, self.number, account)

    def _is_primary(self, legacy_table: str) -> bool:
        source = self.spec.source(legacy_table)
        return source is not None and source.primary
