"""Which declared tables are not in the target as a whole: not loaded, loaded by other rules, left by a failed run or an undo.

What was compared says nothing of what was not there to be compared. Belongs here: those tables, and why. Does not belong
here: comparing (see table), and rows that are excused in such numbers that they are not believed (see mass_guard).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from remoteiq_etl.backfill.change_capture.fingerprint import fingerprint
from remoteiq_etl.backfill.context.plan import RunPlan
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.locks import is_locked, run_lock
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


@dataclass(frozen=True)
class Coverage:
    """What is known of the loads of one source. By asset `completed`: run, fingerprint and options; by target table `undone`
    and `unfinished` (the run that left it so).
    """

    completed: Mapping[str, tuple[int, str, Mapping[str, object]]]
    undone: frozenset[str]
    unfinished: Mapping[str, int]

    @classmethod
    def read(cls, session: Session, state: State, source_id: int) -> "Coverage":
        """As it is committed now."""
        names = {name: state.name(name) for name in ("assets", "runs", "ledger", "undos", "undo_rows")}
        parameters = {"source_id": source_id, "is_running": is_locked(session, run_lock(source_id))}
        completed, undone, unfinished = (
            session.rows(SQL[name].format(**names), parameters) for name in ("completed", "undone", "unfinished")
        )
        return cls(
            {asset: (run_id, digest, options or {}) for asset, run_id, digest, options in completed},
            frozenset(row[0] for row in undone),
            dict(unfinished),
        )

    def tables(self, specs: Mapping[str, TableSpec]) -> frozenset[str]:
        """The target tables of which there is anything to compare."""
        return frozenset(spec.name for spec in specs.values() if spec.asset in self.completed)

    def gaps(self, specs: Mapping[str, TableSpec]) -> dict[str, str]:
        """By target table why it is incomplete, of those declared tables that are."""
        found: dict[str, str] = {}
        for spec in specs.values():
            if spec.no_source is None and (why := self._gap(spec)):
                found.setdefault(spec.name, why)
        return found

    def _gap(self, spec: TableSpec) -> str | None:
        if spec.name in self.undone:
            return "an interrupted undo has taken back some of its rows"
        if spec.asset not in self.completed:
            return "not loaded" if spec.asset == spec.name else f"not loaded: the rows of {spec.asset}"
        run_id = self.unfinished.get(spec.name, 0)
        if run_id > self.completed[spec.asset][0]:
            return f"run {run_id} has changed it, and did not complete it"
        return None

    def outdated(self, plan: RunPlan, specs: Mapping[str, TableSpec]) -> dict[str, str]:
        """By target table why what is loaded is not what this program loads. `specs`: with the columns that are there."""
        return {
            spec.name: "loaded by an older version, or under other words or options: run once more"
            for spec in specs.values()
            if spec.asset in self.completed and self._is_outdated(plan, spec)
        }

    def _is_outdated(self, plan: RunPlan, spec: TableSpec) -> bool:
        _, digest, options = self.completed[spec.asset]
        return digest != fingerprint(spec, replace(plan, options=dict(options)))
