"""Staging: a batch of target rows as Arrow, copied in binary form into an unlogged table of the state schema.

Belongs here: the staging table and its Arrow form. Does not belong here: what is done with the staged rows (see merge).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from adbc_driver_manager import Error as AdbcError
from psycopg import sql
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.context.prepared import ADOPTED, NEW, ROW, RULE
from remoteiq_etl.backfill.context.run_context import RunContext
from remoteiq_etl.frames.dtypes import _uuid_array, is_cast_later, key_array, to_arrow
from remoteiq_etl.postgres.arrow import ArrowSession
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.row_errors import is_about_rows
from remoteiq_etl.spec.batch import HASH, KEY
from remoteiq_etl.spec.table import CHANGED_AT, OWNER, TableSpec
from remoteiq_etl.state.maps import map_of


@dataclass(frozen=True)
class StagingTable:
    """One staging table: which target columns it carries, and the type of its legacy key."""

    schema: str
    name: str
    target: Table
    columns: tuple[str, ...]
    key_type: str
    changed_at: bool = False  # whether it tells when legacy changed a guarded value

    @property
    def identifier(self) -> sql.Identifier:
        """The quoted name."""
        return sql.Identifier(self.schema, self.name)

    def create(self, session: ArrowSession, target: sql.Identifier) -> None:
        """Make the table, empty; columns take the types that the live target has, but for forms that are cast later."""
        session.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(self.identifier).as_string(None))
        own = sql.SQL(
            "NULL::int AS _row, NULL::{} AS _key, NULL::bytea AS _hash, NULL::text AS _rule, NULL::boolean AS _adopted,"
            " NULL::text AS _owner, NULL::text AS _new"
        ).format(sql.SQL(self.key_type))
        if self.changed_at:
            own += sql.SQL(", NULL::timestamptz AS _changed_at")
        columns = [own, *[self._column(self.target.columns[name]) for name in self.columns]]
        create = sql.SQL("CREATE UNLOGGED TABLE {} AS SELECT {} FROM {} AS t LIMIT 0")
        session.execute(create.format(self.identifier, sql.SQL(", ").join(columns), target).as_string(None))

    def fill(self, session: ArrowSession, rows: pd.DataFrame) -> int:
        """Replace the contents by these rows; committed at once. Returns the bytes sent."""
        table = self.arrow(rows)
        session.execute(sql.SQL("TRUNCATE {}").format(self.identifier).as_string(None))
        session.append(self.schema, self.name, table)
        return int(table.nbytes)

    def drop(self, session: Session) -> None:
        """Remove the table."""
        session.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(self.identifier))

    def arrow(self, rows: pd.DataFrame) -> pa.Table:
        """The rows in the binary forms that PostgreSQL receives: uuid as 16 bytes, numbers and times as they are, else text."""
        count = len(rows)
        own = {
            ROW: pa.array(np.arange(count, dtype=np.int32)),
            KEY: key_array(rows[KEY], self.key_type),
            HASH: _optional(rows, HASH, pa.binary()),
            RULE: _optional(rows, RULE, pa.string()),
            ADOPTED: _optional(rows, ADOPTED, pa.bool_()),
            OWNER: _optional(rows, OWNER, pa.string()),
            NEW: _optional(rows, NEW, pa.string()),
        }
        if self.changed_at:
            own[CHANGED_AT] = to_arrow(rows[CHANGED_AT])
        columns = {name: _array(rows[name], self.target.columns[name]) for name in self.columns}
        return pa.table({**own, **columns})

    def _column(self, column: Column[Any]) -> sql.Composable:
        if is_cast_later(column):
            return sql.SQL("NULL::text AS {}").format(sql.Identifier(column.name))
        return sql.SQL("t.{}").format(sql.Identifier(column.name))


def _array(values: pd.Series, column: Column[Any]) -> pa.Array:
    return _uuid_array(values) if isinstance(column.type, pg.UUID) else to_arrow(values)


def _optional(rows: pd.DataFrame, name: str, wanted: pa.DataType) -> pa.Array:
    return to_arrow(rows[name]).cast(wanted) if name in rows else pa.nulls(len(rows), wanted)


class StagingTables:
    """The staging tables of one run, made when they are asked for first."""

    def __init__(self, run: RunContext) -> None:
        self.run = run
        self._stages: dict[str, StagingTable] = {}
        self._turn = RLock()

    def stage(self, spec: TableSpec, legacy_table: str, slot: int, columns: tuple[str, ...]) -> StagingTable:
        """A staging table of this run for these columns. Called by the second thread."""
        run = self.run
        name = f"stage_{run.source_record.id}_{run.id}_{slot}_{spec.name}"[:63]
        found = self._stages.get(name)
        if found is None or found.columns != columns:
            key_type = str(map_of(spec).columns["legacy_key"].type).lower()
            timed = any(guard.timed for guard in spec.column_guards)
            found = StagingTable(run.state.schema, name, spec.target, columns, key_type, timed)
            with self._turn:
                found.create(run.writer, run.target_name(spec.name))
            self._stages[name] = found
        return found

    def fill(self, stage: StagingTable, rows: pd.DataFrame) -> tuple[int, Mapping[int, AdbcError]]:
        """Fill a staging table, and give the bytes sent; or the rows (by number) that it does not take, and why, of which it
        may hold anything.

        The second thread and the first, which narrows a refusal, take turns.
        """
        with self._turn:
            try:
                return stage.fill(self.run.writer, rows), {}
            except AdbcError as error:
                if not is_about_rows(error):
                    raise
                return 0, dict(self._refused(stage, rows, 0, len(rows), error))

    def _refused(
        self, stage: StagingTable, rows: pd.DataFrame, first: int, end: int, error: AdbcError
    ) -> Iterator[tuple[int, AdbcError]]:
        """The rows from first to before end that the staging table does not take; found by halving."""
        if end - first == 1:
            yield first, error
            return
        middle = (first + end) // 2
        for part in ((first, middle), (middle, end)):
            try:
                stage.fill(self.run.writer, rows.iloc[slice(*part)].reset_index(drop=True))
            except AdbcError as found:
                if not is_about_rows(found):
                    raise
                yield from self._refused(stage, rows, *part, found)

    def drop(self) -> None:
        """Remove the staging tables of this run."""
        for stage in self._stages.values():
            stage.drop(self.run.session)
        self._stages.clear()

    def drop_leftovers(self) -> None:
        """Remove the staging tables that killed runs of this source left. Only while the source is locked."""
        run = self.run
        pattern = f"stage\\_{run.source_record.id}\\_%"
        query = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename LIKE %s"
        for (name,) in run.session.rows(query, [run.state.schema, pattern]):
            run.session.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(run.state.name(name)))
