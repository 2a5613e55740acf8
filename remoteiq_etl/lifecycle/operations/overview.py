"""What the state schema knows about a source: its runs, its tables, and the rows that wait.

Belongs here: reading the state schema for people. It only reads, and a target that was never migrated is no fault.
Does not belong here: writing state (`remoteiq_etl.backfill`), showing it (the command line).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from psycopg import sql

from remoteiq_etl.backfill.context.report import ArchiveCount
from remoteiq_etl.lifecycle.operations import changes
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.orders import Control, Orders
from remoteiq_etl.state.schema import State

SQL = statements(__file__)


@dataclass(frozen=True)
class RunRow:
    """One run. `seconds` is None where its end is not known, as for a plan; `rows_read` counts committed batches."""

    id: int
    status: str
    orchestrator_run_id: str | None
    started_at: datetime
    seconds: float | None
    rows_read: int
    tables: int
    error: str | None


@dataclass(frozen=True)
class TableRow:
    """One target table: how it was last brought up to date, and its open rows.

    `last_run`: the last one that completed it or committed a batch of it. `passed_at`: the snapshot that was last read to the
    end, and `behind`: seconds since then. `full_pass_at`, `swept_at`: when all of its legacy rows were last read, and compared.
    `ignored`: of the quarantined rows; `oldest_quarantined_at`: of the others. `changed`: legacy rows written since, where
    they were counted and that can be told.
    """

    name: str
    last_run: int | None
    last_commit: datetime | None
    passed_at: datetime | None
    behind: float | None
    full_pass_at: datetime | None
    swept_at: datetime | None
    quarantined: int
    ignored: int
    oldest_quarantined_at: datetime | None
    held: int
    conflicts: int
    mapped: int = 0
    changed: int | None = None


_TABLES = ("runs", "ledger", "quarantine", "held", "conflicts", "legacy_archive", "archive_counts", "passes", "assets")
_Row = TypeVar("_Row", RunRow, TableRow, ArchiveCount)


@dataclass(frozen=True)
class Overview:
    """The state of one source of one target."""

    session: Session
    state: State
    source_id: int

    @classmethod
    def of(cls, session: Session, state: State, source: str) -> "Overview | None":
        """The overview of a source; None when no run of it ever began."""
        if not state.exists(session):
            return None
        state.ensure(session)  # adds what an older program did not know
        find = sql.SQL("SELECT id FROM {} WHERE name = %s").format(state.name("sources"))
        found = session.value(find, [source])
        return None if found is None else cls(session, state, int(found))

    def runs(self, limit: int) -> list[RunRow]:
        """The latest runs, the last one first."""
        return self._rows(RunRow, "runs", {"limit": limit})

    def orders(self) -> Orders:
        """What people have told the runs."""
        return Control(self.session, self.state, self.source_id).orders()

    def tables(self, legacy: Session | None = None) -> list[TableRow]:
        """Every target table that was touched or has open rows, by name. With `legacy` its changed rows are counted."""
        mapped, changed = self._mapped(), {} if legacy is None else self._changed(legacy)
        found = self._rows(TableRow, "tables", {})
        return [replace(row, mapped=mapped.get(row.name, 0), changed=changed.get(row.name)) for row in found]

    def _changed(self, legacy: Session) -> dict[str, int | None]:
        return changes.count_changed(legacy, changes.read_passes(self.session, self.state, self.source_id))

    def archived(self, tables: Sequence[str] | None = None, run: int | None = None) -> list[ArchiveCount]:
        """What the archive holds per legacy column and rule, of these tables (target or legacy ones), None meaning all.

        As it is now, or as a run recorded it.
        """
        filters = {"tables": list(tables) if tables else None}
        if run is None:
            return self._rows(ArchiveCount, "archive", filters)
        return self._rows(ArchiveCount, "archive_of_run", {**filters, "run": run})

    def _mapped(self) -> dict[str, int]:
        """Legacy keys that lead to a live target row, per target table."""
        counted = sql.SQL("SELECT count(*) FROM {} WHERE source_id = %s AND state IN ('live', 'merged')")
        return {
            name.removeprefix("legacy_").removesuffix("_map"): int(
                self.session.value(counted.format(self.state.name(name)), [self.source_id])
            )
            for name in sorted(self.state.maps(self.session))
        }

    def _rows(self, row_type: type[_Row], what: str, parameters: dict[str, Any]) -> list[_Row]:
        names = {name: self.state.name(name) for name in _TABLES}
        query = SQL[what].format(**names)
        return self.session.objects(row_type, query, {"source_id": self.source_id, **parameters})
