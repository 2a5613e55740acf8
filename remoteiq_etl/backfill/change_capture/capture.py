"""Change capture: which legacy rows a run has to read, told by the xmin of each row, with no write to the source.

An asset is skipped when nothing that it reads has changed, read in part when only rows of its own have, and read as a
whole in every other case. Belongs here: that choice and its reason, and what is remembered for the next run. Does not
belong here: the rows themselves (see extract) and what is done with them (see load).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd
from psycopg import sql

from remoteiq_etl.backfill.change_capture.fingerprint import digest, fingerprint
from remoteiq_etl.backfill.change_capture.reread import FORGOTTEN, close_resets, forgotten_rows, to_be_sealed, to_return
from remoteiq_etl.backfill.change_capture.row_counts import MOST_KEYS
from remoteiq_etl.backfill.change_capture.watermarks import (
    Completed,
    read_completed,
    read_passes,
    write_completed,
    write_passes,
)
from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import NOTHING_CHANGED
from remoteiq_etl.backfill.source.extract import select_query
from remoteiq_etl.backfill.source.selection import OLDEST_HORIZON, Keys, Selection, followed_by, is_newer
from remoteiq_etl.frames.dtypes import from_arrow
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.dependencies import Inputs, inputs_of
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.spec.transform_context import Context

if TYPE_CHECKING:
    from remoteiq_etl.backfill.run import Run

SQL = statements(__file__)


@dataclass(frozen=True)
class Reading:
    """What an asset reads in this run, and why. `selections`: per legacy table the rows to read; none where all are read.

    `partial`: not all rows of the sources are read, so that a row that is not read says nothing.
    """

    reason: str
    partial: bool = False
    nothing: bool = False
    selections: Mapping[str, Selection] = field(default_factory=dict)

    def selection(self, legacy_table: str) -> Selection | None:
        """The rows to read of one legacy table; None: all."""
        return self.selections.get(legacy_table)


def of_keys(spec: TableSpec, keys: Keys, reason: str = "rows named by key") -> Reading:
    """Read these rows and no others; where a legacy row becomes several that are replaced together, all of them."""
    if spec.replaces:
        return Reading(f"full: {reason}")
    selections = {source.name: Selection(keys=frozenset(keys.get(source.name, ()))) for source in spec.sources}
    return Reading(reason, partial=True, selections=selections)


class Capture:
    """What earlier runs of the source read, and what has changed in the legacy database since."""

    def __init__(self, run: "Run") -> None:
        self.run = run
        self.completed = read_completed(run)
        self.passes = read_passes(run)
        self._counted: dict[tuple[str, int | None], tuple[int, int]] = {}
        self._newer: dict[tuple[str, int | None], tuple[str, ...]] = {}
        self._single: set[str] | None = None
        self._frames: dict[tuple[str, str], pd.DataFrame] = {}

    # --- the choice ---------------------------------------------------------------------------------------------

    def reading(self, spec: TableSpec) -> Reading:
        """What to read for one asset."""
        inputs = inputs_of(spec)
        reason = self._why_full(spec, inputs)
        if reason is not None:
            return Reading(f"full: {reason}")
        again = self._to_look_at_again(spec)
        released = self._released(spec, inputs)
        changed = [table for table in (*inputs.sources, *inputs.followed) if self._has_changed(spec, table)]
        if not changed and not any(again.values()) and not released and not inputs.always:
            return Reading(NOTHING_CHANGED, partial=True, nothing=True)
        if sum(map(len, [*again.values(), *released.values()])) > MOST_KEYS:
            return Reading("full: too many rows wait to be named one by one")
        if inputs.narrowable:
            return self._narrowed(spec, again, released)
        changed += sorted(released)
        if changed or inputs.always:
            return Reading(f"full: {', '.join(changed)} changed" if changed else "full: made of what other tables hold")
        return of_keys(spec, again, "rows that wait")

    def legacy_rows(self, spec: TableSpec) -> int:
        """Rows of the legacy tables that an asset streams."""
        return sum(self.count(table, None)[0] for table in inputs_of(spec).sources)

    def _why_full(self, spec: TableSpec, inputs: Inputs) -> str | None:
        before = self.completed.get(spec.asset)
        if before is None or any((spec.asset, table) not in self.passes for table in inputs.legacy):
            return "first pass"
        return (
            self._why_this_run(before, spec)
            or ("target and map are empty" if self.run.is_first_load(spec) else None)
            or self._why_these_horizons(spec, inputs)
            or self._why_these_inputs(spec, inputs, before)
        )

    def _why_this_run(self, before: Completed, spec: TableSpec) -> str | None:
        plan = self.run.plan
        if plan.mode == Mode.FULL or spec.asset in plan.recreate or spec.asset in plan.redecide:
            return "asked for"
        if before.fingerprint == FORGOTTEN:
            return "reset"
        if before.database != self.run.snapshot.database:
            return "another database than before (a restored copy, another server behind the same URL, or a failover)"
        if before.fingerprint != fingerprint(spec, self.run.plan):
            return "its rules, words or options have changed"
        return None

    def _why_these_horizons(self, spec: TableSpec, inputs: Inputs) -> str | None:
        horizons = [self.passes[spec.asset, table].horizon for table in inputs.legacy]
        if any(horizon > self.run.snapshot.xmax for horizon in horizons):
            return "the source's transactions are older than at the last run (a restored backup)"
        if any(self.run.snapshot.xmax - horizon > OLDEST_HORIZON for horizon in horizons):
            return "the last run is too many transactions ago"
        return None

    def _why_these_inputs(self, spec: TableSpec, inputs: Inputs, before: Completed) -> str | None:
        changed = self._changed_reads(spec, inputs, before)
        if not spec.log_like or not inputs.narrowable:
            changed += [f"the map of {entity}" for entity in self._changed_maps(inputs, before)]
        if not inputs.narrowable:
            changed += [table for table in inputs.sources if self._has_lost_rows(spec, table)]
        changed += [table for table in inputs.followed if self.run.sweep.late(table)]
        return f"{', '.join(changed)} changed" if changed else None

    def _changed_reads(self, spec: TableSpec, inputs: Inputs, before: Completed) -> list[str]:
        """Other legacy tables of which the decide step reads something else than before."""
        changed = {table for table in inputs.others if self._has_changed(spec, table)}
        if not changed:
            return []
        unseen = changed.difference(*inputs.reads.values())
        digests = self._digests(spec, inputs)
        told = {
            table
            for name, tables in inputs.reads.items()
            if digests[name] != before.digests.get(name)
            for table in tables & changed
        }
        return sorted(unseen | told)

    def _digests(self, spec: TableSpec, inputs: Inputs) -> dict[str, str]:
        return {name: digest(self._frame(spec, name)) for name in inputs.reads}

    def _changed_maps(self, inputs: Inputs, before: Completed) -> list[str]:
        """Maps that lead elsewhere than when the asset was last completed; a recalled one may change after it in a run."""
        changed = {asset: done.changed_run for asset, done in self.completed.items()}
        writers = self.run.writers
        later = {e for e in inputs.maps if any(changed.get(name, 0) > before.run_id for name in writers(e))}
        recalled = {e for e in inputs.recalled if any(changed.get(name, 0) >= before.run_id for name in writers(e))}
        return sorted(later | recalled)

    # --- what a decide step reads ---------------------------------------------------------------------------------

    def frames(self, spec: TableSpec, reading: Reading, context: Context) -> dict[str, pd.DataFrame]:
        """What the decide step of an asset reads of the legacy database, by name: of followed tables what is followed."""
        queries = {} if spec.decide is None else spec.decide.reads
        return {name: self._followed(spec, name, reading, context) for name in queries}

    def _frame(self, spec: TableSpec, name: str) -> pd.DataFrame:
        """One read of the decide step as a whole. Read once."""
        if (spec.asset, name) not in self._frames:
            queries = {} if spec.decide is None else spec.decide.reads
            query = select_query(self.run.legacy, queries[name])
            self._frames[spec.asset, name] = from_arrow(self.run.reader.table(query))
        return self._frames[spec.asset, name]

    def _followed(self, spec: TableSpec, name: str, reading: Reading, context: Context) -> pd.DataFrame:
        queries = {} if spec.decide is None else spec.decide.reads
        condition = followed_by(self.run.legacy, spec, queries[name], reading.selections, context)
        if condition is None:
            return self._frame(spec, name)
        query = queries[name].where(condition)
        return from_arrow(self.run.reader.table(select_query(self.run.legacy, query)))

    # --- what has changed ---------------------------------------------------------------------------------------

    def count(self, table: str, horizon: int | None) -> tuple[int, int]:
        """Rows of a legacy table, and how many of them are newer than a horizon. Counted once per run."""
        if (table, horizon) not in self._counted:
            self._counted[table, horizon] = self._count(table, horizon)
        return self._counted[table, horizon]

    def _count(self, table: str, horizon: int | None) -> tuple[int, int]:
        session, name = self.run.snapshot.session, self.run.legacy.table(table)
        if horizon is None:
            rows = int(session.value(sql.SQL("SELECT count(*) FROM {}").format(name)))
            return rows, rows
        query = load_sql("newer_rows").format(
            newer=is_newer(sql.SQL("l.xmin"), horizon), table=name, most=sql.Literal(MOST_KEYS)
        )
        found = session.rows(query)[0]
        if self._is_one(table) and found[1] <= MOST_KEYS:
            self._newer[table, horizon] = tuple(found[2] or ())
        return int(found[0]), int(found[1])

    def _is_one(self, table: str) -> bool:
        """Whether a legacy table is one relation, in which a place names one row."""
        if self._single is None:
            query = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' AND NOT relhassubclass"
            schema = sql.Identifier(self.run.legacy.schema).as_string(None)
            self._single = {row[0] for row in self.run.snapshot.session.rows(query, [schema])}
        return table in self._single

    def seen_up_to(self, spec: TableSpec, table: str) -> int | None:
        """The horizon up to which an asset has seen a legacy table; None when that says nothing about its rows."""
        before, seen = self.completed.get(spec.asset), self.passes.get((spec.asset, table))
        if before is None or seen is None or self._why_this_run(before, spec):
            return None
        return None if self._why_these_horizons(spec, inputs_of(spec)) else seen.horizon

    def _has_changed(self, spec: TableSpec, table: str) -> bool:
        return (
            bool(self.run.sweep.late(table))
            or self.count(table, self.passes[spec.asset, table].horizon)[1] > 0
            or self._has_lost_rows(spec, table)
        )

    def _has_lost_rows(self, spec: TableSpec, table: str) -> bool:
        """Whether fewer rows are there than can be: a row that is gone leaves no xmin."""
        before = self.passes[spec.asset, table]
        return self.count(table, before.horizon)[0] != before.legacy_rows

    def _to_look_at_again(self, spec: TableSpec) -> dict[str, set[str]]:
        """Legacy keys by legacy table that every run looks at: they wait, are to be sealed or put back, or were forgotten."""
        found: dict[str, set[str]] = {}
        own = {source.name for source in spec.sources}
        names = {name: self.run.state.name(name) for name in ("quarantine", "held", "conflicts")}
        parameters = {"source_id": self.run.registered.id, "table": spec.name}
        for table, key in self.run.session.rows(SQL["open_rows"].format(**names), parameters):
            if table in own:
                found.setdefault(table, set()).add(key)
        for table, key in [
            *to_be_sealed(self.run, spec),
            *to_return(self.run, spec),
            *forgotten_rows(self.run, spec),
        ]:
            found.setdefault(table, set()).add(key)
        for source in spec.streamed:
            if late := self.run.sweep.late(source.name):
                found.setdefault(source.name, set()).update(late)
        return found

    def _released(self, spec: TableSpec, inputs: Inputs) -> dict[str, frozenset[str]]:
        """Keys of followed rows, by legacy table, that waited when the asset was completed, and no longer do.

        Nothing was written in legacy since, but what they hand on is another now: the row that had kept its last good state.
        """
        if not inputs.followed:
            return {}
        names = {name: self.run.state.name(name) for name in ("quarantine", "held")}
        parameters = {
            "source_id": self.run.registered.id,
            "tables": list(inputs.followed),
            "run": self.completed[spec.asset].run_id,
        }
        rows = self.run.session.rows(SQL["released_since"].format(**names), parameters)
        return {row[0]: frozenset(row[1]) for row in rows}

    def _narrowed(
        self, spec: TableSpec, again: Mapping[str, set[str]], released: Mapping[str, frozenset[str]]
    ) -> Reading:
        selections = {source.name: self._selection(spec, source, again, released) for source in spec.streamed}
        return Reading("changed rows", partial=True, selections=selections)

    def _selection(
        self,
        spec: TableSpec,
        source: Source,
        again: Mapping[str, set[str]],
        released: Mapping[str, frozenset[str]],
    ) -> Selection:
        """The rows of one source that changed, wait, or follow a changed row; found at once where they are few."""
        horizons = {follow: self.passes[spec.asset, follow.table.name].horizon for follow in source.follows}
        selection = Selection(
            self.passes[spec.asset, source.name].horizon,
            frozenset(again.get(source.name, ())),
            {follow: horizon for follow, horizon in horizons.items() if self.count(follow.table.name, horizon)[1]},
            {follow: released[follow.table.name] for follow in source.follows if follow.table.name in released},
        )
        places = self._places(source, selection)
        return selection if places is None else replace(selection, places=places)

    def _places(self, source: Source, selection: Selection) -> tuple[str, ...] | None:
        """Where these rows lie; None where they are many, or the table is made of several."""
        newer = self._newer.get((source.name, selection.horizon))
        if newer is None:
            return None
        query = sql.SQL("SELECT l.ctid::text FROM {} AS l WHERE {} LIMIT {}").format(
            self.run.legacy.table(source.name),
            replace(selection, horizon=None).condition(self.run.legacy, source),
            sql.Literal(MOST_KEYS),
        )
        by_key = selection.keys or selection.follows or selection.released
        others = [row[0] for row in self.run.snapshot.session.rows(query)] if by_key else []
        return None if len(others) == MOST_KEYS else tuple({*newer, *others})

    # --- what is remembered -------------------------------------------------------------------------------------

    def complete(self, spec: TableSpec, reading: Reading, *, changed: bool) -> None:
        """Remember that an asset was completed. In a plan only for the assets that come after it."""
        before = self.completed.get(spec.asset)
        run_id = self.run.id
        done = Completed(
            run_id,
            before.full_run if before and reading.partial else run_id,
            run_id if changed or before is None else before.changed_run,
            self.run.snapshot.database,
            fingerprint(spec, self.run.plan),
            before.digests if before and reading.nothing else self._digests(spec, inputs_of(spec)),
        )
        self._frames.clear()
        self.completed[spec.asset] = done
        if not self.run.planning:
            rows = {table: self._rows_of(table) for table in inputs_of(spec).legacy}
            write_completed(self.run, spec.asset, done)
            write_passes(self.run, spec.asset, rows)
            close_resets(self.run, spec)
            self.run.sweep.record(spec)

    def lead_elsewhere(self, asset: str) -> None:
        """Remember that keys of an asset lead nowhere any more, so that what refers to them is looked at again."""
        if asset in self.completed:
            self.completed[asset] = replace(self.completed[asset], changed_run=self.run.id)
            write_completed(self.run, asset, self.completed[asset])

    def _rows_of(self, table: str) -> int:
        """Rows of a legacy table, as counted for whatever purpose."""
        known = [rows for (name, _), (rows, _) in self._counted.items() if name == table]
        return known[0] if known else self.count(table, None)[0]
