"""What stands of the tables that a run is about to look at, asked of all at once: over a network each question costs its way.

Nearly all tables of a re-sync are as they were, and what tells so is asked of each in the same words. A table that is loaded is
asked about again, because its load changes the answers; so is one that was not announced. Belongs here: asking, and which
answers still hold. Does not belong here: what follows from them (see capture, full_pass, load_table).
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Generic, TypeVar

from remoteiq_etl.backfill.context.report import ArchiveCount, Waiting
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.outcomes.archive import last_counts
from remoteiq_etl.backfill.outcomes.open_rows import count_waiting
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.map_queries import deleted_in_target, unmapped

SQL = statements(__file__)
T = TypeVar("T")


class _Question(Generic[T]):
    """One question about tables; `ask` answers by asset."""

    def __init__(self, ask: Callable[[Sequence[TableSpec]], Mapping[str, T]]) -> None:
        self.ask = ask
        self.answers: Mapping[str, T] | None = None
        self.asked_at = 0.0

    def of(self, spec: TableSpec, announced: Mapping[str, TableSpec]) -> tuple[T, float]:
        """The answer about one table, and how many seconds ago it was given."""
        if spec.asset not in announced:
            return self.ask([spec])[spec.asset], 0.0
        if self.answers is None:
            self.answers, self.asked_at = self.ask(list(announced.values())), time.monotonic()
        return self.answers[spec.asset], time.monotonic() - self.asked_at


class TableSurvey:
    """The answers of one run."""

    def __init__(self, run: RunContext) -> None:
        self.run = run
        self._announced: dict[str, TableSpec] = {}
        self._make_questions()

    def _make_questions(self) -> None:
        run = self.run
        self._again: _Question[Sequence[tuple[str, str]]] = _Question(self._rows_to_read_again)
        self._deleted: _Question[bool] = _Question(partial(deleted_in_target, run))
        self._unmapped: _Question[bool] = _Question(partial(unmapped, run))
        self._waiting: _Question[Waiting] = _Question(partial(count_waiting, run))
        self._archived: _Question[list[ArchiveCount]] = _Question(partial(last_counts, run))

    def announce(self, specs: Iterable[TableSpec]) -> None:
        """The run is about to look at these tables. A plan asks of each by itself: it may lack tables and maps."""
        run = self.run
        self._make_questions()
        self._announced = {
            spec.asset: spec
            for spec in specs
            if not run.planning and spec.no_source is None and run.has_target(spec.name)
            if run.state.has_map(run.session, spec.name)
        }

    def forget(self, spec: TableSpec) -> bool:
        """The load of a table begins. Returns whether it was announced: what was answered then may be old by now."""
        before = len(self._announced)
        self._announced = {asset: one for asset, one in self._announced.items() if one.name != spec.name}
        return len(self._announced) < before

    def rows_to_read_again(self, spec: TableSpec) -> Sequence[tuple[str, str]]:
        """Legacy table and key of each row that waits, differs from the target without being settled, or was forgotten."""
        return self._again.of(spec, self._announced)[0]

    def has_deleted(self, spec: TableSpec) -> bool:
        """Whether rows that were written are gone from the target, and not yet noted as deleted."""
        return self._deleted.of(spec, self._announced)[0]

    def is_unmapped(self, spec: TableSpec) -> bool:
        """Whether neither the target table nor the map of the source has a row."""
        return self._unmapped.of(spec, self._announced)[0]

    def waiting(self, spec: TableSpec) -> Waiting:
        """What is open of the rows that an asset reads."""
        found, seconds = self._waiting.of(spec, self._announced)
        return replace(found, behind=found.behind + seconds)

    def archived(self, spec: TableSpec) -> list[ArchiveCount]:
        """What the last run that loaded the table recorded of the archive."""
        return self._archived.of(spec, self._announced)[0]

    def _rows_to_read_again(self, specs: Sequence[TableSpec]) -> Mapping[str, Sequence[tuple[str, str]]]:
        parameters = {
            "source_id": self.run.source_record.id,
            "tables": sorted({spec.name for spec in specs}),
            "assets": [spec.asset for spec in specs],
        }
        found: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for kind, name, legacy_table, key in self.run.session.rows(
            SQL["rows_to_read_again"].format(**self.run.state.names), parameters
        ):
            found.setdefault((kind, name), []).append((legacy_table, key))
        return {
            spec.asset: [*found.get(("table", spec.name), ()), *found.get(("asset", spec.asset), ())] for spec in specs
        }
