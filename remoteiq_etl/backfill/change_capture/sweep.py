"""The sweep: key and hash of every legacy row against what was last read of it, to find what change capture has missed.

Rows written since the last pass are the capture's; any other row that differs was found late, and there must be none. It is
asked for by the mode of a run, and each legacy table is swept once, before the first table that is made of it is loaded.
Belongs here: the comparison. Does not belong here: loading what it finds (see capture, which adds it to what is read), and
rows that are gone (see gone).
"""

from collections.abc import Callable, Iterator

import pyarrow as pa
from psycopg import sql

from remoteiq_etl.backfill.change_capture import key_scan
from remoteiq_etl.backfill.change_capture.key_scan import CHUNK_ROWS, KeyStage, keys_of
from remoteiq_etl.backfill.context.live_columns import without_absent
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.backfill.source.extract import rebatched
from remoteiq_etl.frames.dtypes import key_array
from remoteiq_etl.postgres.row_hash import row_hash
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.state.maps import map_of

SQL = statements(__file__)

#: The horizon up to which an asset has seen a legacy table; None when that says nothing about its rows.
SeenUpTo = Callable[[TableSpec, str], int | None]
NOTHING: frozenset[str] = frozenset()


class Sweep:
    """What one run's sweep found, by legacy table."""

    def __init__(self, run: RunContext, seen_up_to: SeenUpTo, *, active: bool) -> None:
        self.run = run
        self.seen_up_to = seen_up_to
        self.active = active
        self.swept: dict[str, frozenset[str]] = {}
        self.compared: set[str] = set()  # tables of which it was known what was last read

    def late(self, table: str) -> frozenset[str]:
        """The legacy keys of a table whose rows were found late. Swept when it is asked for first; nothing without a sweep."""
        if not self.active:
            return NOTHING
        if table not in self.swept:
            place = self._place(table)
            self.swept[table] = NOTHING if place is None else self._found(*place)
            self.compared |= {table} if place else set()
        return self.swept[table]

    def found_late(self, spec: TableSpec) -> int:
        """Rows found late that a table accounts for."""
        return sum(len(self.late(source.name)) for source in spec.streamed if source.primary)

    def record(self, spec: TableSpec) -> None:
        """Remember, in the caller's transaction, that every legacy table that an asset is made of was swept."""
        if not spec.streamed or not {source.name for source in spec.streamed} <= self.compared:
            return
        update = sql.SQL("UPDATE {} SET swept_at = %s, found_late = %s WHERE source_id = %s AND table_name = %s")
        values = [self.run.started_at, self.found_late(spec), self.run.source_record.id, spec.asset]
        self.run.session.execute(update.format(self.run.state.name("assets")), values)

    def _place(self, table: str) -> tuple[TableSpec, Source, int] | None:
        """The asset that accounts for a table's rows, and up to where it has seen them; None where that is not known."""
        for declared in self.run.plan.specs.values():
            spec = without_absent(declared, self.run.plan.absent)
            source = next((one for one in spec.streamed if one.primary and one.name == table), None)
            horizon = self.seen_up_to(spec, table)
            if source is not None and horizon is not None:
                return spec, source, horizon
        return None

    def _found(self, spec: TableSpec, source: Source, horizon: int) -> frozenset[str]:
        stage = self._staged(spec, source, horizon)
        names = {**self.run.names(spec, source.name), "stage": stage.identifier}
        try:
            rows = self.run.session.rows(SQL["found_late"].format(**names))
        finally:
            key_scan.drop(self.run, stage)
        return frozenset(row[0] for row in rows)

    def _staged(self, spec: TableSpec, source: Source, horizon: int) -> KeyStage:
        key_type = str(map_of(spec).columns["legacy_key"].type).lower()
        columns = {"_key": key_type, "_hash": "bytea", "_fresh": "boolean"}
        name = f"sweep_{len(self.swept)}"
        return key_scan.staged(self.run, self._rows(source, key_type, horizon), columns, name)

    def _rows(self, source: Source, key_type: str, horizon: int) -> Iterator[pa.Table]:
        """Key, hash and freshness of each row, a chunk at a time."""
        for rows in rebatched(self.run.reader.batches(self._query(source, horizon)), CHUNK_ROWS):
            keys = keys_of(rows.select(range(len(source.key_columns))))
            yield pa.table(
                {"_key": key_array(keys, key_type), "_hash": rows.column("_hash"), "_fresh": rows.column("_fresh")}
            )

    def _query(self, source: Source, horizon: int) -> str:
        columns = [column.name for column in source.table.columns if column.name not in source.absent]
        more = sql.SQL("{} AS _hash, {} AS _fresh").format(
            row_hash([sql.Identifier(name) for name in columns]), is_newer(sql.SQL("xmin"), horizon)
        )
        return key_scan.key_query(self.run.legacy, source.table, source.key_columns, more)
