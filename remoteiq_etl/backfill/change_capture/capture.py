"""Change capture: which legacy rows a run has to read, told by the xmin of each row, with no write to the source.

An asset is skipped when nothing that it reads has changed, read in part when only rows of its own have, and read as a
whole in every other case. Belongs here: that choice and its reason, and what is remembered for the next run. Does not
belong here: the rows themselves (see extract) and what is done with them (see load).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from psycopg import sql

from remoteiq_etl.backfill.change_capture.decision_inputs import DecisionInputs
from remoteiq_etl.backfill.change_capture.fingerprint import fingerprint
from remoteiq_etl.backfill.change_capture.full_pass import FullPass
from remoteiq_etl.backfill.change_capture.reread import to_be_sealed, to_return
from remoteiq_etl.backfill.change_capture.row_counts import MOST_KEYS, RowCounts
from remoteiq_etl.backfill.change_capture.survey import TableSurvey
from remoteiq_etl.backfill.change_capture.sweep import Sweep
from remoteiq_etl.backfill.change_capture.watermarks import Completed, Watermarks, complete, write_completed
from remoteiq_etl.backfill.context.report import NOTHING_CHANGED
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.source.selection import Keys, Selection
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.dependencies import Inputs, inputs_of
from remoteiq_etl.spec.table import Source, TableSpec
from schemas.state.watermarks import UNSETTLED

SQL = statements(__file__)


@dataclass(frozen=True)
class ReadPlan:
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


def of_keys(spec: TableSpec, keys: Keys, reason: str = "rows named by key") -> ReadPlan:
    """Read these rows and no others; where a legacy row becomes several that are replaced together, all of them."""
    if spec.replaces:
        return ReadPlan(f"full: {reason}")
    selections = {source.name: Selection(keys=frozenset(keys.get(source.name, ()))) for source in spec.sources}
    return ReadPlan(reason, partial=True, selections=selections)


class Capture:
    """What earlier runs of the source read, and what has changed in the legacy database since."""

    def __init__(self, run: RunContext, sweep: Sweep) -> None:
        self.run = run
        self.sweep = sweep
        self.watermarks = Watermarks.read(run)
        self.counts = RowCounts(run, self.watermarks, sweep)
        self.inputs = DecisionInputs(run)
        self.survey = TableSurvey(run)
        self.failed: set[str] = set()
        self.full_pass = FullPass(run, self.watermarks, self.counts, self.inputs, sweep, self.survey)

    def announce(self, specs: Collection[TableSpec]) -> None:
        """The run is about to look at these tables, one after the other: what is asked of each is asked of all at once."""
        passes = self.watermarks.passes
        seen = {(spec.asset, table) for spec in specs for table in inputs_of(spec).legacy} & passes.keys()
        self.counts.count_ahead({(table, passes[asset, table].horizon) for asset, table in seen})
        self.survey.announce(specs)

    # --- the choice ---------------------------------------------------------------------------------------------

    def reading(self, spec: TableSpec) -> ReadPlan:
        """What to read for one asset."""
        inputs = inputs_of(spec)
        reason = self.full_pass.why(spec, inputs)
        if reason is not None:
            return ReadPlan(f"full: {reason}")
        again = self._to_look_at_again(spec)
        released = self._released(spec, inputs)
        changed = [table for table in (*inputs.sources, *inputs.followed) if self.counts.has_changed(spec, table)]
        if not changed and not any(again.values()) and not released and not inputs.always:
            return ReadPlan(NOTHING_CHANGED, partial=True, nothing=True)
        if sum(map(len, [*again.values(), *released.values()])) > MOST_KEYS:
            return ReadPlan("full: too many rows wait to be named one by one")
        if inputs.narrowable:
            return self._narrowed(spec, again, released)
        changed += sorted(released)
        if changed or inputs.always:
            return ReadPlan(
                f"full: {', '.join(changed)} changed" if changed else "full: made of what other tables hold"
            )
        return of_keys(spec, again, "rows that wait")

    # --- what has changed ---------------------------------------------------------------------------------------

    def _to_look_at_again(self, spec: TableSpec) -> dict[str, set[str]]:
        """Legacy keys by legacy table that every run looks at: they wait, are to be sealed or put back, or were forgotten."""
        found: dict[str, set[str]] = {}
        own = {source.name for source in spec.sources}
        for table, key in self.survey.rows_to_read_again(spec):
            if table in own:
                found.setdefault(table, set()).add(key)
        for table, key in [*to_be_sealed(self.run, spec), *to_return(self.run, spec)]:
            found.setdefault(table, set()).add(key)
        for source in spec.streamed:
            if late := self.sweep.late(source.name):
                found.setdefault(source.name, set()).update(late)
        return found

    def _released(self, spec: TableSpec, inputs: Inputs) -> dict[str, frozenset[str]]:
        """Keys of followed rows, by legacy table, that waited when the asset was completed, and no longer do.

        Nothing was written in legacy since, but what they hand on is another now: the row that had kept its last good state.
        """
        if not inputs.followed:
            return {}
        parameters = {
            "source_id": self.run.source_record.id,
            "tables": list(inputs.followed),
            "run": self.watermarks.completed[spec.asset].run_id,
        }
        rows = self.run.session.rows(SQL["released_since"].format(**self.run.state.names), parameters)
        return {row[0]: frozenset(row[1]) for row in rows}

    def _narrowed(
        self, spec: TableSpec, again: Mapping[str, set[str]], released: Mapping[str, frozenset[str]]
    ) -> ReadPlan:
        selections = {source.name: self._selection(spec, source, again, released) for source in spec.streamed}
        return ReadPlan("changed rows", partial=True, selections=selections)

    def _selection(
        self,
        spec: TableSpec,
        source: Source,
        again: Mapping[str, set[str]],
        released: Mapping[str, frozenset[str]],
    ) -> Selection:
        """The rows of one source that changed, wait, or follow a changed row; found at once where they are few."""
        horizons = {follow: self.watermarks.passes[spec.asset, follow.table.name].horizon for follow in source.follows}
        selection = Selection(
            self.watermarks.passes[spec.asset, source.name].horizon,
            frozenset(again.get(source.name, ())),
            {
                follow: horizon
                for follow, horizon in horizons.items()
                if self.counts.count(follow.table.name, horizon)[1]
            },
            {follow: released[follow.table.name] for follow in source.follows if follow.table.name in released},
        )
        places = self._places(source, selection)
        return selection if places is None else replace(selection, places=places)

    def _places(self, source: Source, selection: Selection) -> tuple[str, ...] | None:
        """Where these rows lie; None where they are many, or the table is made of several."""
        newer = self.counts.newer_places(source.name, selection.horizon)
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

    def complete(self, spec: TableSpec, reading: ReadPlan, *, changed: bool) -> None:
        """Remember that an asset was completed. In a plan only for the assets that come after it."""
        before = self.watermarks.completed.get(spec.asset)
        run_id = self.run.id
        done = Completed(
            run_id,
            before.full_run if before and reading.partial else run_id,
            run_id if changed or before is None else before.changed_run,
            self.run.snapshot.database,
            UNSETTLED if self._refers_to_failed(spec) else fingerprint(spec, self.run.plan),
            before.digests if before and reading.nothing else self.inputs.digests(spec, inputs_of(spec)),
        )
        self.inputs.forget()
        self.watermarks.completed[spec.asset] = done
        if not self.run.planning:
            rows = {table: self.counts.rows_of(table) for table in inputs_of(spec).legacy}
            complete(self.run, spec.asset, done, rows)
            self.sweep.record(spec)

    def mark_failed(self, spec: TableSpec) -> None:
        """Remember that the load of an asset failed in this run: what refers to it and is loaded all the same looks again."""
        self.failed.add(spec.asset)

    def _refers_to_failed(self, spec: TableSpec) -> bool:
        inputs = inputs_of(spec)
        return any(not self.failed.isdisjoint(self.run.writers(entity)) for entity in inputs.maps | inputs.recalled)

    def mark_remapped(self, asset: str) -> None:
        """Remember that keys of an asset lead elsewhere or nowhere, so that what refers to them is looked at again.

        In the transaction that changes them: a run that fails afterwards has changed them all the same.
        """
        if asset in self.watermarks.completed:
            self.watermarks.completed[asset] = replace(self.watermarks.completed[asset], changed_run=self.run.id)
            write_completed(self.run, asset, self.watermarks.completed[asset])
