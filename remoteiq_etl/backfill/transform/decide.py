"""The set-wise step of a table: decisions over whole legacy tables, taken before the first write and recorded.

Belongs here: reading a decide step's inputs, running it, recording what it decided. Does not belong here: any rule.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Select, Table
from sqlalchemy.sql import visitors

from remoteiq_etl.backfill.change_capture.capture import Capture, ReadPlan
from remoteiq_etl.backfill.context.live_columns import further_labels
from remoteiq_etl.backfill.context.prepared import PreparedBatch
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.outcomes.open_rows import OpenRows
from remoteiq_etl.backfill.outcomes.quarantine import RowLists
from remoteiq_etl.backfill.source.extract import select_query
from remoteiq_etl.backfill.transform.decision_records import keep_rows, keep_warnings
from remoteiq_etl.backfill.transform.lookups import Lookups
from remoteiq_etl.backfill.transform.write_history import writes_to
from remoteiq_etl.frames.dtypes import TEXT, arrow_type, from_arrow
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.row_errors import is_about_rows, reason_of, rule_of
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.batch import KEY, Disposal
from remoteiq_etl.spec.decisions import TAKES_ROW_OF, Decide, Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.outcomes import Outcome
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.state.map_queries import hand_over
from remoteiq_etl.state.maps import ensure_map, recorded_decisions

SQL = statements(__file__)

Refused = tuple[Decision, psycopg.Error]


@dataclass(frozen=True)
class DecideStep:
    """The set-wise step of one table in one run."""

    run: RunContext
    capture: Capture
    lookups: Lookups
    spec: TableSpec

    def decide(self, report: TableReport, reading: ReadPlan) -> tuple[Context, dict[str, pd.DataFrame]]:
        """Take and record the decisions. Returns the context for the transforms, and the derived rows by source name."""
        context, spec = self._context(), self.spec
        if spec.decide is None:
            return context, {}
        recorded, decided = self._work_out(spec.decide, context, reading)
        report.decision_warnings = Counter(decided.warned)
        report.decided = self._record(spec.decide, recorded, decided)
        tables = {one.legacy_table for one in decided.decisions if (one.entity or spec.name) == spec.name}
        lookups = {**context.lookups, **self._own(tables)}
        return replace(context, lookups=lookups, prepared=decided.prepared), {
            name: rows.reset_index(drop=True) for name, rows in decided.rows.items()
        }

    def derived_now(self) -> Mapping[str, pd.DataFrame]:
        """The derived rows that the legacy database asks for in this snapshot, by source name. Nothing is recorded."""
        if self.spec.decide is None:
            return {}
        return self._work_out(self.spec.decide, self._context(), ReadPlan("every row"))[1].rows

    def _context(self) -> Context:
        run, spec = self.run, self.spec
        optional = frozenset(column.name for column in spec.target.columns if column.info.get("optional"))
        return replace(
            run.transform_context,
            lookups=self._lookups(),
            time_zones=run.time_zones(spec),
            optional=optional,
            further_labels=further_labels(spec.target),
            options={name: value for name, value in run.plan.options.items() if name in spec.run_options},
        )

    def _work_out(self, step: Decide, context: Context, reading: ReadPlan) -> tuple[StoredDecisions, Decided]:
        run = self.run
        recorded = recorded_decisions(run.state, run.session, run.source_record.id, self.spec)
        known = recorded.redecided(step.redecided) if self.spec.asset in run.plan.redecide else recorded
        return recorded, step.function(self._inputs(step, reading, context), known, context)

    def _lookups(self) -> dict[tuple[str, str], Lookup]:
        """The maps that a table's transforms may read: those it declares, the organization's, and its own."""
        spec = self.spec
        own = {table for entity, table in (*spec.lookups, *spec.recalls) if entity == spec.name}
        wanted = (*spec.lookups, *spec.recalls, ("organizations", "derived"))
        return {place: self.lookups.get(*place) for place in wanted if place[0] != spec.name} | self._own(own)

    def _own(self, more: set[str]) -> dict[tuple[str, str], Lookup]:
        """A table's own maps. A log-like table has millions of keys and needs none of them."""
        spec = self.spec
        tables = more | (set() if spec.log_like else {source.name for source in spec.sources})
        return {(spec.name, table): self.lookups.get(spec.name, table, own=True) for table in sorted(tables)}

    def _inputs(self, step: Decide, reading: ReadPlan, context: Context) -> dict[str, pd.DataFrame]:
        run = self.run
        inputs = self.capture.inputs.frames(self.spec, reading.selections, context)
        for name, query in step.target_reads.items():
            there = all(run.has_target(part.name) for part in visitors.iterate(query) if isinstance(part, Table))
            inputs[name] = from_arrow(run.arrow.table(select_query(run.target, query))) if there else _empty(query)
        return inputs | {table: writes_to(run, table) for table in step.history}

    def _record(self, step: Decide, recorded: StoredDecisions, decided: Decided) -> int:
        """Write the decisions that are new or whose plain values changed, and the rows to keep, in one transaction.

        Returns the number of these decisions.
        """
        run, spec = self.run, self.spec
        new = [decision for decision in decided.decisions if not _is_recorded(decision, recorded, spec)]
        if run.planning:
            self.lookups.decided(spec.name, decided.decisions)
            return len(new)
        with run.session.transaction():
            run.check_fence()
            for entity in sorted({decision.entity or spec.name for decision in new}):
                of_entity = [decision for decision in new if (decision.entity or spec.name) == entity]
                self._refuse(entity, _write(run, run.spec(entity), of_entity), decided)
                self.lookups.forget(entity)
            if new:
                self.capture.mark_remapped(spec.asset)
            keep_rows(run, step, decided)
            keep_warnings(run, spec, decided)
        return len(new)

    def _refuse(self, entity: str, refused: Sequence[Refused], decided: Decided) -> None:
        """Quarantine what decisions were about that cannot be recorded; a derived row of the same key is, when it is written."""
        run = self.run
        rows = {(name, str(key)) for name, frame in decided.rows.items() for key in frame[KEY]}
        spec = run.spec(entity)
        for legacy_table in sorted({decision.legacy_table for decision, _ in refused}):
            disposals = [
                Disposal(one.legacy_key, Outcome.QUARANTINED, rule_of(error), (), reason_of(error, entity))
                for one, error in refused
                if one.legacy_table == legacy_table and (legacy_table, one.legacy_key) not in rows
            ]
            nothing = pd.DataFrame({KEY: pd.Series([], dtype=TEXT)})
            batch = PreparedBatch(legacy_table, 0, nothing, nothing, disposals)
            RowLists(run, spec, OpenRows(run)).write(batch, disposals)


def _empty(query: Select[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(
        {column.name: pd.Series([], dtype=pd.ArrowDtype(arrow_type(column.type))) for column in query.selected_columns}
    )


def _is_recorded(decision: Decision, recorded: StoredDecisions, spec: TableSpec) -> bool:
    before = recorded.get(decision.legacy_table, decision.legacy_key)
    if before is None or (decision.entity or spec.name) != spec.name:
        return False
    return (before.rule, dict(before.values)) == (decision.rule, dict(decision.values)) and decision.new_key in (
        None,
        before.new_key,
    )


def _write(run: RunContext, spec: TableSpec, decisions: Iterable[Decision]) -> list[Refused]:
    """Record decisions in the map of a table. Returns those that it does not take, with the reason."""
    ensure_map(run.state, run.session, spec)
    recorded = list(decisions)
    rows: list[Any] = [
        {
            "legacy_table": d.legacy_table,
            "legacy_key": d.legacy_key,
            "new_key": d.new_key,
            "rule": d.rule,
            "values": Jsonb(dict(d.values)),
        }
        for d in recorded
    ]
    statement = SQL["decision"].format(**run.names(spec))
    refused = [(recorded[row], error) for row, error in _execute_each(run.session, statement, rows, 0)]
    left_out = {(decision.legacy_table, decision.legacy_key) for decision, _ in refused}
    for decision in recorded:
        if TAKES_ROW_OF in decision.values and (decision.legacy_table, decision.legacy_key) not in left_out:
            former, successor = decision.values[TAKES_ROW_OF], (decision.legacy_table, decision.legacy_key)
            hand_over(run, spec, run.id, tuple(former), successor)
    return refused


def _execute_each(
    session: Session, statement: sql.Composable, rows: Sequence[Any], number: int
) -> list[tuple[int, psycopg.Error]]:
    """Run a statement for each row, numbered from `number`; those that are refused are found by halving."""
    if not rows:
        return []
    try:
        with session.transaction():
            session.execute_many(statement, rows)
    except psycopg.Error as error:
        if not is_about_rows(error):
            raise
        if len(rows) == 1:
            return [(number, error)]
        middle = len(rows) // 2
        return _execute_each(session, statement, rows[:middle], number) + _execute_each(
            session, statement, rows[middle:], number + middle
        )
    return []
