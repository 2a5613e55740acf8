"""Why an asset is read as a whole, although some of it may be as before.

Belongs here: the reasons. Does not belong here: what is read otherwise (see capture).
"""

from remoteiq_etl.backfill.change_capture.decision_inputs import DecisionInputs
from remoteiq_etl.backfill.change_capture.fingerprint import is_current
from remoteiq_etl.backfill.change_capture.row_counts import RowCounts
from remoteiq_etl.backfill.change_capture.survey import TableSurvey
from remoteiq_etl.backfill.change_capture.sweep import Sweep
from remoteiq_etl.backfill.change_capture.watermarks import Completed, Watermarks
from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.source.ages import OLDEST_HORIZON
from remoteiq_etl.backfill.source.relation_shape import altered
from remoteiq_etl.spec.dependencies import Inputs, inputs_of
from remoteiq_etl.spec.table import TableSpec
from schemas.state.watermarks import FORGOTTEN, UNSETTLED


class FullPass:
    """The reasons for full passes of one run."""

    def __init__(
        self,
        run: RunContext,
        watermarks: Watermarks,
        counts: RowCounts,
        inputs: DecisionInputs,
        sweep: Sweep,
        survey: TableSurvey,
    ) -> None:
        self.run = run
        self.watermarks = watermarks
        self.counts = counts
        self.inputs = inputs
        self.sweep = sweep
        self.survey = survey

    def why(self, spec: TableSpec, inputs: Inputs) -> str | None:
        """Why an asset is read as a whole; None when it need not be."""
        before = self.watermarks.completed.get(spec.asset)
        if before is None or any((spec.asset, table) not in self.watermarks.passes for table in inputs.legacy):
            return "first pass"
        return (
            self._why_this_run(before, spec)
            or ("target and map are empty" if self._is_empty(spec) else None)
            or self._why_these_horizons(spec, inputs)
            or self._why_these_tables(spec, inputs)
            or self._why_these_inputs(spec, inputs, before)
        )

    def _why_this_run(self, before: Completed, spec: TableSpec) -> str | None:
        plan = self.run.plan
        if plan.mode == Mode.FULL or spec.asset in plan.recreate or spec.asset in plan.redecide:
            return "asked for"
        if before.fingerprint == FORGOTTEN:
            return "reset"
        if before.fingerprint == UNSETTLED:
            return "a table that it refers to failed in the run that loaded it"
        if before.database != self.run.snapshot.database:
            return "another database than before (a restored copy, another server behind the same URL, or a failover)"
        if not is_current(before.fingerprint, spec, self.run.plan):
            return "its rules, words or options have changed"
        return None

    def _is_empty(self, spec: TableSpec) -> bool:
        return not self.run.planning and self.run.has_target(spec.name) and self.survey.is_unmapped(spec)

    def _why_these_horizons(self, spec: TableSpec, inputs: Inputs) -> str | None:
        horizons = [self.watermarks.passes[spec.asset, table].horizon for table in inputs.legacy]
        if any(horizon > self.run.snapshot.xmax for horizon in horizons):
            return "the source's transactions are older than at the last run (a restored backup)"
        if any(self.run.snapshot.xmax - horizon > OLDEST_HORIZON for horizon in horizons):
            return "the last run is too many transactions ago"
        return None

    def _why_these_tables(self, spec: TableSpec, inputs: Inputs) -> str | None:
        """Rows that read otherwise, or were put there, without a write that gives them a newer xmin."""
        for table in inputs.legacy:
            before = self.watermarks.passes[spec.asset, table]
            if change := altered(before.shape, self.run.snapshot.shapes.get(table)):
                return f"{table} was altered since ({change})"
            rows, newer = self.counts.count(table, before.horizon)
            if rows - before.legacy_rows > newer:
                return f"{table} has more rows than were written since"
        return None

    def _why_these_inputs(self, spec: TableSpec, inputs: Inputs, before: Completed) -> str | None:
        changed = self._changed_reads(spec, inputs, before)
        if not spec.log_like or not inputs.narrowable:
            changed += [f"the map of {entity}" for entity in self._changed_maps(inputs, before)]
        if not inputs.narrowable:
            changed += [table for table in inputs.sources if self.counts.has_lost_rows(spec, table)]
        changed += [table for table in inputs.followed if self.sweep.late(table)]
        return f"{', '.join(changed)} changed" if changed else None

    def _changed_reads(self, spec: TableSpec, inputs: Inputs, before: Completed) -> list[str]:
        """Other legacy tables of which the decide step reads something else than before."""
        changed = {table for table in inputs.others if self.counts.has_changed(spec, table)}
        if not changed:
            return []
        unseen = changed.difference(*inputs.reads.values())
        digests = self.inputs.digests(spec, inputs)
        told = {
            table
            for name, tables in inputs.reads.items()
            if digests[name] != before.digests.get(name)
            for table in tables & changed
        }
        return sorted(unseen | told)

    def _changed_maps(self, inputs: Inputs, before: Completed) -> list[str]:
        """Maps that lead elsewhere than when the asset was last completed; a recalled one may change after it in a run."""
        changed = {asset: done.changed_run for asset, done in self.watermarks.completed.items()}
        writers = self.run.writers
        later = {e for e in inputs.maps if any(changed.get(name, 0) > before.run_id for name in writers(e))}
        recalled = {e for e in inputs.recalled if any(changed.get(name, 0) >= before.run_id for name in writers(e))}
        return sorted(later | recalled)

    def seen_up_to(self, spec: TableSpec, table: str) -> int | None:
        """The horizon up to which an asset has seen a legacy table; None when that says nothing about its rows."""
        before, seen = self.watermarks.completed.get(spec.asset), self.watermarks.passes.get((spec.asset, table))
        if before is None or seen is None or self._why_this_run(before, spec):
            return None
        if self._why_these_horizons(spec, inputs_of(spec)):
            return None
        return None if altered(seen.shape, self.run.snapshot.shapes.get(table)) else seen.horizon
