"""How many rows a legacy table has, and how many are newer than an asset has seen. Each is counted once per run.

Belongs here: counting, and where the newer rows lie when they are few. Does not belong here: what follows from it (see
capture, full_pass).
"""

import contextlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from remoteiq_etl.backfill.change_capture.sweep import Sweep
from remoteiq_etl.backfill.change_capture.watermarks import Watermarks
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec

SQL = statements(__file__)

#: Bytes up to which a table is counted in one statement with others; between larger ones a run may be paused.
SMALL = 16 * 2**20
#: So many keys are named one by one in an extract; beyond that the table is read as a whole.
MOST_KEYS = 20_000


class RowCounts:
    """Counts of legacy rows in the snapshot of a run."""

    def __init__(self, run: RunContext, watermarks: Watermarks, sweep: Sweep) -> None:
        self.run = run
        self.watermarks = watermarks
        self.sweep = sweep
        self._counted: dict[tuple[str, int | None], tuple[int, int]] = {}
        self._newer: dict[tuple[str, int | None], tuple[str, ...]] = {}
        self._single: dict[str, bool] | None = None  # by table that is one relation: whether it is small

    def newer_places(self, table: str, horizon: int | None) -> tuple[str, ...] | None:
        """Where the rows newer than a horizon lie; None where they are many, or were not counted."""
        return self._newer.get((table, horizon))

    def count(self, table: str, horizon: int | None) -> tuple[int, int]:
        """Rows of a legacy table, and how many of them are newer than a horizon. Counted once per run."""
        if (table, horizon) not in self._counted:
            self._counted[table, horizon] = self._count(table, horizon)
        return self._counted[table, horizon]

    def count_ahead(self, wanted: Collection[tuple[str, int]]) -> None:
        """Count the small ones of these tables (name, horizon), all at once. What cannot be read says so when it is asked for."""
        pairs = [pair for pair in sorted(wanted) if pair not in self._counted and self._relations().get(pair[0])]
        if not pairs:
            return
        parts = [self._newer_rows(table, horizon, number) for number, (table, horizon) in enumerate(pairs)]
        with contextlib.suppress(psycopg.Error), self.run.snapshot.session.transaction():
            for number, *found in self.run.snapshot.session.rows(sql.SQL(" UNION ALL ").join(parts)):
                self._keep(*pairs[number], found)

    def _count(self, table: str, horizon: int | None) -> tuple[int, int]:
        session, name = self.run.snapshot.session, self.run.legacy.table(table)
        if horizon is None:
            rows = int(session.value(sql.SQL("SELECT count(*) FROM {}").format(name)))
            return rows, rows
        return self._keep(table, horizon, session.rows(self._newer_rows(table, horizon))[0][1:])

    def _newer_rows(self, table: str, horizon: int, number: int = 0) -> sql.Composed:
        newer = is_newer(sql.SQL("l.xmin"), horizon)
        names = {"newer": newer, "table": self.run.legacy.table(table), "most": sql.Literal(MOST_KEYS)}
        return SQL["newer_rows"].format(**names, number=sql.Literal(number))

    def _keep(self, table: str, horizon: int, found: Sequence[Any]) -> tuple[int, int]:
        self._counted[table, horizon] = int(found[0]), int(found[1])
        if table in self._relations() and found[1] <= MOST_KEYS:
            self._newer[table, horizon] = tuple(found[2] or ())
        return self._counted[table, horizon]

    def _relations(self) -> Mapping[str, bool]:
        """The legacy tables that are one relation, in which a place names one row; whether each is small."""
        if self._single is None:
            schema = sql.Identifier(self.run.legacy.schema).as_string(None)
            self._single = dict(self.run.snapshot.session.rows(SQL["relations"], {"schema": schema, "small": SMALL}))
        return self._single

    def has_changed(self, spec: TableSpec, table: str) -> bool:
        """Whether an asset has not seen a legacy table as it is: rows are newer, were found late, or are gone."""
        return (
            bool(self.sweep.late(table))
            or self.count(table, self.watermarks.passes[spec.asset, table].horizon)[1] > 0
            or self.has_lost_rows(spec, table)
        )

    def has_lost_rows(self, spec: TableSpec, table: str) -> bool:
        """Whether fewer rows are there than can be: a row that is gone leaves no xmin."""
        before = self.watermarks.passes[spec.asset, table]
        return self.count(table, before.horizon)[0] != before.legacy_rows

    def rows_of(self, table: str) -> int:
        """Rows of a legacy table, as counted for whatever purpose."""
        known = [rows for (name, _), (rows, _) in self._counted.items() if name == table]
        return known[0] if known else self.count(table, None)[0]
