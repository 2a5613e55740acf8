"""The set-wise step of a table: decisions over whole legacy tables, taken before the first write and recorded.

Belongs here: reading a decide step's inputs, running it, recording what it decided. Does not belong here: any rule.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Select, Table
from sqlalchemy.sql import visitors

from remoteiq_etl.backfill.change_capture.capture import Reading
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.backfill.source.extract import select_query
from remoteiq_etl.backfill.transform.decision_records import keep_rows, keep_warnings
from remoteiq_etl.backfill.transform.write_history import writes_to
from remoteiq_etl.frames.dtypes import arrow_type, from_arrow
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.decisions import INHERITS, Decide, Decided, Decision, Recorded
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.spec.transform_context import Context
from remoteiq_etl.state.maps import map_of

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run

SQL = statements(__file__)


def decide(
    run: "Run", spec: TableSpec, report: TableReport, reading: Reading
) -> tuple[Context, dict[str, pd.DataFrame]]:
    """Take and record a table's decisions. Returns the context for its transforms, and its derived rows by source name."""
    context = _context(run, spec)
    if spec.decide is None:
        return context, {}
    recorded, decided = _work_out(run, spec, spec.decide, context, reading)
    report.decision_warnings = Counter(decided.warned)
    report.decided = _record(run, spec, spec.decide, recorded, decided)
    tables = {decision.legacy_table for decision in decided.decisions if (decision.entity or spec.name) == spec.name}
    lookups = {**context.lookups, **_own(run, spec, tables)}
    return replace(context, lookups=lookups, prepared=decided.prepared), {
        name: rows.reset_index(drop=True) for name, rows in decided.rows.items()
    }


def derived_now(run: "Run", spec: TableSpec) -> Mapping[str, pd.DataFrame]:
    """The derived rows that the legacy database asks for in this snapshot, by source name. Nothing is recorded."""
    if spec.decide is None:
        return {}
    return _work_out(run, spec, spec.decide, _context(run, spec), Reading("every row"))[1].rows


def _context(run: "Run", spec: TableSpec) -> Context:
    optional = frozenset(column.name for column in spec.target.columns if column.info.get("optional"))
    return replace(run.context_base, lookups=_lookups(run, spec), time_zones=run.time_zones(spec), optional=optional)


def _work_out(
    run: "Run", spec: TableSpec, step: Decide, context: Context, reading: Reading
) -> tuple[Recorded, Decided]:
    recorded = run.state.recorded(run.session, run.registered.id, spec)
    known = recorded.anew(step.anew) if spec.asset in run.plan.redecide else recorded
    return recorded, step.function(_inputs(run, spec, reading, context), known, context)


def _lookups(run: "Run", spec: TableSpec) -> dict[tuple[str, str], Lookup]:
    """The maps that a table's transforms may read: those it declares, the organization's, and its own."""
    own = {table for entity, table in (*spec.lookups, *spec.recalls) if entity == spec.name}
    places = [place for place in (*spec.lookups, *spec.recalls, ("organizations", "derived")) if place[0] != spec.name]
    return {place: run.lookups.get(*place) for place in places} | _own(run, spec, own)


def _own(run: "Run", spec: TableSpec, more: set[str]) -> dict[tuple[str, str], Lookup]:
    """A table's own maps. A log-like table has millions of keys and needs none of them."""
    tables = more | (set() if spec.log_like else {source.name for source in spec.sources})
    return {(spec.name, table): run.lookups.get(spec.name, table, own=True) for table in sorted(tables)}


def _inputs(run: "Run", spec: TableSpec, reading: Reading, context: Context) -> dict[str, pd.DataFrame]:
    step = spec.decide
    if step is None:
        return {}
    inputs = run.capture.frames(spec, reading, context)
    for name, query in step.target_reads.items():
        there = all(run.has_target(part.name) for part in visitors.iterate(query) if isinstance(part, Table))
        inputs[name] = from_arrow(run.arrow.table(select_query(run.target, query))) if there else _empty(query)
    return inputs | {table: writes_to(run, table) for table in step.history}


def _empty(query: Select[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(
        {column.name: pd.Series([], dtype=pd.ArrowDtype(arrow_type(column.type))) for column in query.selected_columns}
    )


def _record(run: "Run", spec: TableSpec, step: Decide, recorded: Recorded, decided: Decided) -> int:
    """Write the decisions that are new or whose plain values changed, and the rows to keep, in one transaction.

    Returns the number of these decisions.
    """
    new = [decision for decision in decided.decisions if not _is_recorded(decision, recorded, spec)]
    if run.planning:
        run.lookups.decided(spec.name, decided.decisions)
        return len(new)
    with run.session.transaction():
        run.check_fence()
        for entity in sorted({decision.entity or spec.name for decision in new}):
            _write(run, run.spec(entity), [decision for decision in new if (decision.entity or spec.name) == entity])
            run.lookups.forget(entity)
        keep_rows(run, step, decided)
        keep_warnings(run, spec, decided)
    return len(new)


def _is_recorded(decision: Decision, recorded: Recorded, spec: TableSpec) -> bool:
    before = recorded.get(decision.legacy_table, decision.legacy_key)
    if before is None or (decision.entity or spec.name) != spec.name:
        return False
    return (before.rule, dict(before.values)) == (decision.rule, dict(decision.values)) and decision.new_key in (
        None,
        before.new_key,
    )


def _write(run: "Run", spec: TableSpec, decisions: Iterable[Decision]) -> None:
    table = run.state.ensure_map(run.session, spec)
    names = {
        "map": run.state.name(table.name),
        "map_key": sql.SQL(", ").join(sql.Identifier(column.name) for column in map_of(spec).primary_key.columns),
        "source_id": sql.Literal(run.registered.id),
        "run_id": sql.Literal(run.id),
    }
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
    run.session.execute_many(SQL["decision"].format(**names), rows)
    for decision in recorded:
        if INHERITS in decision.values:
            _inherit(run, decision, names)


def _inherit(run: "Run", decision: Decision, names: dict[str, sql.Composable]) -> None:
    """Let a key take over the row of another one. Nothing happens where that one has no row."""
    table, key = decision.values[INHERITS]
    former = {"former_table": table, "former_key": key}
    state = run.session.value(load_sql("step_back").format(**names), former)
    if state is not None:
        heir = {"legacy_table": decision.legacy_table, "legacy_key": decision.legacy_key}
        run.session.execute(load_sql("inherit").format(**names), {**former, **heir, "state": state})
