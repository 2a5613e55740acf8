"""The commit of one batch: target rows, map, ledger, quarantine, held rows and archive in one transaction.

Belongs here: what is inside that transaction, and what happens when a row breaks a constraint of the target. Does not
belong here: the statements of the merge (see merge), or the order of batches (see load).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from remoteiq_etl.backfill import archive, history, jsons, ledger
from remoteiq_etl.backfill.accounts import OF_ACTION, OF_DISPOSAL, Account, TableReport
from remoteiq_etl.backfill.batch import HASH, KEY, Disposal, Outcome
from remoteiq_etl.backfill.castable import refuse_uncastable
from remoteiq_etl.backfill.database import load_sql
from remoteiq_etl.backfill.identity import derive
from remoteiq_etl.backfill.merge import Merge
from remoteiq_etl.backfill.prepare_batch import Prepared
from remoteiq_etl.backfill.redact import redacted_row
from remoteiq_etl.backfill.spec import Source, TableSpec
from remoteiq_etl.backfill.state import map_of
from remoteiq_etl.backfill.written import remember_written
from remoteiq_etl.errors import ConservationError

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run

#: Earlier reasons that a waiting row keeps: enough to see what was tried, and no row grows with every run.
MOST_HISTORY = 20

_RULES = {
    psycopg.errors.UniqueViolation: "unique_violation",
    psycopg.errors.ForeignKeyViolation: "foreign_key_violation",
    psycopg.errors.CheckViolation: "check_violation",
    psycopg.errors.NotNullViolation: "not_null_violation",
}


class _PlanOnly(Exception):  # not an error: it takes the transaction of a plan back
    pass


class BatchWriter:
    """Writes the batches of one table of one run."""

    def __init__(self, run: "Run", spec: TableSpec, report: TableReport) -> None:
        self.run = run
        self.spec = spec
        self.report = report
        self.number = 0

    def write(self, prepared: Prepared, merge: Merge | None) -> None:
        """Commit one batch whole, or nothing of it. In a plan: work out what would be done, and take it back."""
        account = Account(
            prepared.legacy_table, self._is_primary(prepared.legacy_table), read=prepared.read, bytes=prepared.bytes
        )
        if prepared.batch is not None:
            account.warnings += prepared.batch.warnings
        disposals = list(prepared.disposals)
        try:
            with self.run.session.transaction():
                self._write(prepared, merge, account, disposals)
                if self.run.planning:
                    raise _PlanOnly
        except _PlanOnly:
            pass
        prepared.disposals = disposals
        self.report.account(account.legacy_table, primary=account.primary).add(account)

    def write_merged(self, merged: Iterable[tuple[str, str, str, str]]) -> int:
        """Let each merged row's key lead to its winner's new key. Returns how many lead elsewhere now."""
        rerouted = 0
        for legacy_table, key, rule, into in merged:
            statement = load_sql("map_merged").format(**self._names(legacy_table))
            rerouted += self.run.session.execute(statement, {"key": key, "rule": rule, "into": into}).rowcount
        return rerouted

    # --- one batch ----------------------------------------------------------------------------------------------

    def _write(self, prepared: Prepared, merge: Merge | None, account: Account, disposals: list[Disposal]) -> None:
        run = self.run
        run.check_fence()
        run.session.execute("SELECT set_config('remoteiq_etl.preserve_updated_at', 'on', true)")
        actions = self._merge(prepared, merge, disposals)
        for action, count in actions.items():
            account.outcomes[OF_ACTION[action]] += count
        for disposal in disposals:
            account.outcomes[OF_DISPOSAL[disposal.outcome]] += 1
            account.rules[(OF_DISPOSAL[disposal.outcome], disposal.rule)] += 1
        self._check(account, prepared)
        archived = archive.entries(prepared, archive.columns_of(self.spec, prepared.legacy_table), run.sealer)
        account.warnings += Counter({archive.WITHHELD: sum(entry.withheld for entry in archived)})
        if run.planning:
            history.remember_planned(run, self.spec, prepared, merge)
        else:
            self._release(merge, prepared.legacy_table)
            if merge is not None:
                remember_written(run, self.spec, prepared.legacy_table, merge.compared_columns)
            self._write_disposals(prepared, disposals)
            archive.write(run, self.spec.asset, prepared.legacy_table, archived)
            self._write_ledger(account)

    def _merge(self, prepared: Prepared, merge: Merge | None, disposals: list[Disposal]) -> Counter[str]:
        if merge is None:
            return Counter({"inserted": len(prepared.rows)}) if len(prepared.rows) else Counter()
        refused = refuse_uncastable(self.run.session, merge)
        if self.report.first_load and not self.run.planning and not refused:
            inserted = self._load_first(merge)
            if inserted is not None:
                return Counter({"inserted": inserted})
        return self._merge_planned(prepared, merge, disposals, refused)

    def _load_first(self, merge: Merge) -> int | None:
        """Rows inserted without a comparison; None when a row breaks a constraint and they must be looked at one by one."""
        try:
            with self.run.session.transaction():
                return merge.load_first(self.run.session)
        except (psycopg.errors.IntegrityError, psycopg.errors.DataError):
            return None

    def _merge_planned(
        self, prepared: Prepared, merge: Merge, disposals: list[Disposal], refused: Mapping[int, Sequence[str]]
    ) -> Counter[str]:
        session = self.run.session
        actions = merge.classify(session)
        for row, columns in refused.items():
            detail = "; ".join(f"{name}: no value of the column's type in the target" for name in columns)
            self._quarantine(prepared, row, actions, disposals, ("cast_refused", tuple(columns), detail))
        if actions.pop("collision", 0):
            keys = merge.collisions(session)
            namespace = self.run.context_base.namespace
            merge.resolve_collisions(
                session, {key: derive(namespace, self.spec.name, prepared.legacy_table, key) for key in keys}
            )
            actions["inserted"] += len(keys)
        if self.run.planning:
            return actions
        for row, error in self._apply(merge, 0, len(prepared.rows) - 1):
            detail = f"constraint {error.diag.constraint_name or 'unknown'} of {self.spec.name}"
            self._quarantine(prepared, row, actions, disposals, (_rule_of(error), (), detail))
        merge.finish(session)
        if merge.shares_rows:
            self._keep_shared(prepared, merge)
        return +actions

    def _quarantine(
        self,
        prepared: Prepared,
        row: int,
        actions: Counter[str],
        disposals: list[Disposal],
        why: tuple[str, tuple[str, ...], str],
    ) -> None:
        """Take one planned row out of the plan, for this rule, these columns and this reason."""
        session = self.run.session
        actions[session.value("SELECT action FROM merge_plan WHERE _row = %s", [row])] -= 1
        session.execute("UPDATE merge_plan SET action = 'quarantined' WHERE _row = %s", [row])
        disposals.append(Disposal(str(prepared.rows[KEY].iloc[row]), Outcome.QUARANTINED, *why))

    def _apply(self, merge: Merge, first: int, last: int) -> list[tuple[int, psycopg.Error]]:
        """Write rows first to last; those that break a constraint are found by halving, and nothing of them is written."""
        if first > last:
            return []
        try:
            with self.run.session.transaction():
                merge.apply(self.run.session, first, last)
        except (psycopg.errors.IntegrityError, psycopg.errors.DataError) as error:
            if first == last:
                return [(first, error)]
            middle = (first + last) // 2
            return self._apply(merge, first, middle) + self._apply(merge, middle + 1, last)
        return []

    def _keep_shared(self, prepared: Prepared, merge: Merge) -> None:
        """Archive the legacy rows that have no place beside a row of another source, whole."""
        keys = merge.of_another_source(self.run.session)
        if keys and prepared.batch is not None and self._source(prepared.legacy_table) is not None:
            prepared.batch.keep_whole(prepared.batch.keys.isin(keys), "row_of_another_source")

    def _check(self, account: Account, prepared: Prepared) -> None:
        """Read = accounted for, where each legacy row becomes at most one row."""
        if account.primary and account.accounted != account.read:
            raise ConservationError(
                f"{self.spec.name} from {prepared.legacy_table}: a batch of {account.read} rows accounts for"
                f" {account.accounted} ({dict(account.outcomes)})."
                " The batch was not committed. This is a fault of the program; report it with the ledger."
            )

    # --- what did not become a row ------------------------------------------------------------------------------

    def _release(self, merge: Merge | None, legacy_table: str) -> None:
        """Rows that waited and are written now wait no longer."""
        if merge is None:
            return
        names = {**self._names(legacy_table), "stage": merge.stage.identifier}
        for waiting in self.run.waiting(self.spec.name):
            self.run.session.execute(load_sql("release").format(**names, waiting=self.run.state.name(waiting)))
        if self.run.has_left_out(self.spec.name):
            self.run.session.execute(load_sql("taken_in").format(**names))

    def _write_disposals(self, prepared: Prepared, disposals: Sequence[Disposal]) -> None:
        names = self._names(prepared.legacy_table)
        refused = [disposal for disposal in disposals if disposal.outcome == Outcome.QUARANTINED]
        held = [disposal for disposal in disposals if disposal.outcome == Outcome.HELD]
        rows = self._redacted(prepared, {disposal.key for disposal in refused})
        hashes = _hashes(prepared, {disposal.key for disposal in disposals})
        self._write_rows(
            load_sql("quarantine").format(**names),
            {
                d.key: {
                    "legacy_key": d.key,
                    "rule": d.rule,
                    "columns": d.columns,
                    "detail": d.detail,
                    "row": rows.get(d.key, {}),
                    "hash": hashes.get(d.key),
                }
                for d in refused
            },
        )
        self._write_rows(
            load_sql("held").format(**names),
            {
                d.key: {
                    "legacy_key": d.key,
                    "parent_table": d.parent[0],
                    "parent_key": d.parent[1],
                    "column": ", ".join(d.columns),
                    "hash": hashes.get(d.key),
                }
                for d in held
                if d.parent is not None
            },
        )
        self._write_left_out(prepared, disposals, hashes)

    def _write_left_out(self, prepared: Prepared, disposals: Sequence[Disposal], hashes: Mapping[str, str]) -> None:
        """Remember the rows that became nothing of their own, and forget of those that wait that they once were such."""
        waiting = [d.key for d in disposals if d.outcome in (Outcome.QUARANTINED, Outcome.HELD)]
        if waiting and self.run.has_left_out(self.spec.name):
            forget = load_sql("waits_again").format(**self._names(prepared.legacy_table))
            self.run.session.execute(forget, [waiting])
        self._write_rows(
            load_sql("left_out").format(**self._names(prepared.legacy_table)),
            {
                d.key: {"legacy_key": d.key, "outcome": d.outcome.value, "rule": d.rule, "hash": hashes.get(d.key)}
                for d in disposals
                if d.outcome not in (Outcome.QUARANTINED, Outcome.HELD)
            },
        )

    def _write_rows(self, statement: sql.Composable, rows: Mapping[object, Mapping[str, Any]]) -> None:
        """Rows by their key in one statement: one round trip, and one parse, for what may be every row of a batch."""
        if rows:
            self.run.session.execute(statement, {"rows": jsons.dumps(list(rows.values()))})

    def _redacted(self, prepared: Prepared, keys: set[str]) -> dict[str, dict[str, Any]]:
        if not keys:
            return {}
        source = self._source(prepared.legacy_table)
        picked = prepared.legacy[prepared.legacy[KEY].isin(list(keys))]
        rows = [{str(name): cell for name, cell in row.items()} for row in picked.to_dict("records")]
        return {row[KEY]: {} if source is None else redacted_row(source.table, row) for row in rows}

    def _write_ledger(self, account: Account) -> None:
        self.number += 1
        ledger.write_account(self.run, self.spec.name, self.number, account)

    # --- names --------------------------------------------------------------------------------------------------

    def _names(self, legacy_table: str) -> dict[str, sql.Composable]:
        state = self.run.state
        table = map_of(self.spec)
        return {
            "map": state.name(table.name),
            "map_key": sql.SQL(", ").join(sql.Identifier(column.name) for column in table.primary_key.columns),
            "quarantine": state.name("quarantine"),
            "recent": load_sql("recent").format(most=sql.Literal(MOST_HISTORY)),
            "as_ignored": load_sql("as_ignored").format(),
            "held": state.name("held"),
            "left_out": state.name("left_out"),
            "source_id": sql.Literal(self.run.registered.id),
            "run_id": sql.Literal(self.run.id),
            "legacy_table": sql.Literal(legacy_table),
            "table_name": sql.Literal(self.spec.name),
        }

    def _source(self, legacy_table: str) -> Source | None:
        return next(
            (source for source in self.spec.sources if isinstance(source, Source) and source.name == legacy_table), None
        )

    def _is_primary(self, legacy_table: str) -> bool:
        source = self._source(legacy_table)
        return source is not None and source.primary


def _hashes(prepared: Prepared, keys: set[str]) -> dict[str, str]:
    """The hash of each of these legacy rows as hexadecimal text; rows of a decide step have none."""
    if not keys or HASH not in prepared.legacy:
        return {}
    picked = prepared.legacy[prepared.legacy[KEY].isin(list(keys))]
    return {key: value.hex() for key, value in zip(picked[KEY], picked[HASH], strict=True)}


def _rule_of(error: psycopg.Error) -> str:
    return next((rule for kind, rule in _RULES.items() if isinstance(error, kind)), "value_refused")
