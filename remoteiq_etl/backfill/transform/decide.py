"""The set-wise step of a table: decisions over whole legacy tables, taken before the first write and recorded.

Belongs here: reading a decide step's inputs, running it, recording what it decided. Does not belong here: any rule.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from psycopg.types.json import Jsonb
from sqlalchemy import Select, Table
from sqlalchemy.sql import visitors

from remoteiq_etl.backfill.change_capture.capture import Capture, ReadPlan
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.source.extract import select_query
from remoteiq_etl.backfill.transform.decision_records import keep_rows, keep_warnings
from remoteiq_etl.backfill.transform.lookups import Lookups
from remoteiq_etl.backfill.transform.write_history import writes_to
from remoteiq_etl.frames.dtypes import arrow_type, from_arrow
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.decisions import TAKES_ROW_OF, Decide, Decided, Decision, StoredDecisions
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.state.map_queries import hand_over

SQL = statements(__file__)


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
            run.transform_context, lookups=self._lookups(), time_zones=run.time_zones(spec), optional=optional
        )

    def _work_out(self, step: Decide, context: Context, reading: ReadPlan) -> tuple[StoredDecisions, Decided]:
        run = self.run
        recorded = run.state.recorded(run.session, run.source_record.id, self.spec)
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
                _write(
                    run, run.spec(entity), [decision for decision in new if (decision.entity or spec.name) == entity]
                )
                self.lookups.forget(entity)
            keep_rows(run, step, decided)
            keep_warnings(run, spec, decided)
        return len(new)


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


def _write(run: RunContext, spec: TableSpec, decisions: Iterable[Decision]) -> None:
    run.state.ensure_map(run.session, spec)
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
    run.session.execute_many(SQL["decision"].format(**run.names(spec)), rows)
    for decision in recorded:
        if TAKES_ROW_OF in decision.values:
            former, successor = decision.values[TAKES_ROW_OF], (decision.legacy_table, decision.legacy_key)
            hand_over(run, spec, run.id, tuple(former), successor)
