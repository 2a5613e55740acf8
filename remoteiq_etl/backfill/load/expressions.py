"""The expressions of one batch of one table: the incoming, the present and the last written value of each column.

Belongs here: what the statements of the merge are made of. In all of them s is the staged row, p its plan, t the target
row and m its map. Does not belong here: the statements (see merge, comparison, parking, conflicts).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from psycopg import sql
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.load.staging import StagingTable
from remoteiq_etl.frames.dtypes import cast_type, is_cast_later
from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.sensitive.sealing import Sealer
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.written_columns import (
    NEVER_COMPARED,
    SECRET_PARTS,
    T_column,
    default_of,
    differs_from_written,
    recorded,
    secret_parts,
    written_hash,
)

_TEXTS = frozenset({"text", "citext", "character", "character varying"})


@dataclass(frozen=True)
class Expressions:
    """What one staging table, one target table and their map hold, as SQL. Grain: one per table, legacy table and stage.

    `recreate`: the legacy keys of rows to be made again although they were deleted in the target; empty: all; None: none.
    """

    spec: TableSpec
    stage: StagingTable
    legacy_table: str
    state_schema: str
    target: sql.Identifier
    map: Table
    source_id: int
    run_id: int
    target_schema: str
    recreate: frozenset[str] | None = None
    sealer: Sealer | None = None

    @cached_property
    def names(self) -> dict[str, sql.Composable]:
        """What every statement may name."""
        state = self.state_schema
        return {
            "stage": self.stage.identifier,
            "target": self.target,
            "map": sql.Identifier(state, self.map.name),
            "map_key": listed([column.name for column in self.map.primary_key.columns]),
            "before_images": sql.Identifier(state, "before_images"),
            "conflicts": sql.Identifier(state, "conflicts"),
            "source_id": sql.Literal(self.source_id),
            "run_id": sql.Literal(self.run_id),
            "legacy_table": sql.Literal(self.legacy_table),
            "table_name": sql.Literal(self.spec.name),
        }

    @property
    def single(self) -> bool:
        """Whether the primary key is one column."""
        return len(self.spec.primary_key) == 1

    @cached_property
    def pk(self) -> list[sql.Identifier]:
        """The columns of the primary key, quoted."""
        return [sql.Identifier(name) for name in self.spec.primary_key]

    @cached_property
    def columns(self) -> list[str]:
        """The staged columns."""
        return list(self.stage.columns)

    @cached_property
    def compared(self) -> list[Column[Any]]:
        """The columns over which what comes in, what was written and what is there are compared."""
        left_out = {*self.spec.primary_key, *self.spec.insert_only, *self.spec.activity, *NEVER_COMPARED}
        return [self.spec.target.columns[name] for name in self.columns if name not in left_out]

    @property
    def compared_columns(self) -> list[str]:
        """The names of the columns that the hash of what was written covers, in its order."""
        return [column.name for column in self.compared]

    @cached_property
    def changed_by_update(self) -> list[Column[Any]]:
        """The columns that an update writes."""
        left_out = {*self.spec.primary_key, *self.spec.insert_only, *self.spec.activity}
        return [self.spec.target.columns[name] for name in self.columns if name not in left_out]

    @cached_property
    def activity(self) -> list[Column[Any]]:
        """The columns of which the later time wins."""
        return [self.spec.target.columns[name] for name in self.spec.activity if name in self.columns]

    @cached_property
    def incoming(self) -> list[sql.Composable]:
        """The incoming values that are compared, in the order of `compared`."""
        return [self.value(column, kept=True) for column in self.compared]

    @cached_property
    def values(self) -> list[sql.Composable]:
        """The values of an insert, in the order of `columns`."""
        return [self.value(self.spec.target.columns[name]) for name in self.columns]

    def value(self, column: Column[Any], *, kept: bool = False) -> sql.Composable:
        """The incoming value in the column's type; a null where the column needs one becomes what is there, else the default."""
        value: sql.Composable = sql.SQL("s.{}").format(sql.Identifier(column.name))
        if is_cast_later(column):
            value = sql.SQL("{}::{}").format(value, sql.SQL(cast_type(column)))
        default = default_of(column)
        if default is None:
            return value
        choices = [value, T_column(column), default] if kept else [value, default]
        return sql.SQL("coalesce({})").format(sql.SQL(", ").join(choices))

    def guarded(self, column: Column[Any]) -> sql.Composable:
        """The value that a row which is there gets: the incoming one, or its own where a door is shut."""
        value = self.value(column, kept=True)
        if column.name not in self.guards:
            return value
        shut = sql.SQL("CASE WHEN {} = ANY (p.shut) THEN {} ELSE {} END")
        return shut.format(sql.Literal(column.name), T_column(column), value)

    @cached_property
    def guards(self) -> dict[str, sql.Composable]:
        """By column: when the target's value stays, whoever wins."""
        never = self.spec.adopt.never_filled if self.spec.adopt else ()
        guards: dict[str, list[sql.Composable]] = {name: [sql.SQL("p.adopted")] for name in never}
        for guard in self.spec.column_guards:
            guards.setdefault(guard.column, []).append(guard.shut(self))
        staged = {column.name for column in self.compared}
        return {name: sql.SQL(" OR ").join(conditions) for name, conditions in guards.items() if name in staged}

    def edited(self, column: Column[Any]) -> sql.Composable:
        """Whether the target's value is another than the one last written. Only where the values are kept."""
        return differs_from_written(column, T_column(column), self.state_schema)

    def incoming_of(self, column: str) -> sql.Composable:
        """What legacy gives for a column, in its type."""
        return self.value(self.spec.target.columns[column])

    def edited_in_target(self, column: str) -> sql.Composable:
        """Whether the target's value of a column is another than the one last written."""
        return self.edited(self.spec.target.columns[column])

    def other_table(self, table: str) -> sql.Identifier:
        """Another table of the target."""
        return sql.Identifier(self.target_schema, table)

    def hashed(self, values: Sequence[sql.Composable]) -> sql.Composable:
        """The hash of these values of the compared columns."""
        return written_hash(list(zip(self.compared, values, strict=True)))

    @property
    def current_hash(self) -> sql.Composable:
        """The hash of the target row as it is."""
        return self.hashed([T_column(column) for column in self.compared])

    def join(self, pattern: str) -> sql.Composable:
        """The primary key of the target row (t) by a pattern."""
        return sql.SQL(" AND ").join(sql.SQL("t.{0} = " + pattern).format(name) for name in self.pk)

    @cached_property
    def planned_join(self) -> sql.Composable:
        """The target row (t) of a planned one (p, s)."""
        return self.join("p.new_key" if self.single else "s.{0}")

    def filled(self, column: Column[Any]) -> sql.Composable:
        """What an adopted row's column becomes: the present value, or ours where the present one is empty."""
        managed, present = self.value(column, kept=True), T_column(column)
        default = (self.spec.adopt.application_defaults if self.spec.adopt else {}).get(column.name)
        if isinstance(column.type, pg.JSONB):
            joined = sql.SQL(
                "CASE WHEN jsonb_typeof({0}) = 'object' AND jsonb_typeof({1}) = 'object' THEN {1} || {0} ELSE coalesce({0}, {1}) END"
            )
            return joined.format(present, managed)
        empty = [sql.SQL("{} IS NULL").format(present)]
        if str(column.type) in {"TEXT", "CITEXT"} and cast_type(column).split("(")[0].lower() in _TEXTS:
            empty += (
                [sql.SQL("{} = ''").format(present), sql.SQL("{} = {}").format(present, sql.Literal(default))]
                if default is not None
                else [sql.SQL("{} = ''").format(present)]
            )
        return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(sql.SQL(" OR ").join(empty), managed, present)

    def last_written(self, values: Sequence[sql.Composable]) -> sql.Composable:
        """The values last written, for tables that people edit; a secret as its keyed hash."""
        if self.spec.log_like:
            return sql.SQL("NULL::jsonb")
        pairs = list(zip(self.compared, values, strict=True)) + [
            (column, self.value(column)) for column in self.activity
        ]
        parts = [
            (column, value) for column, value in pairs if isinstance(column.type, pg.JSON) and not is_secret(column)
        ]
        return self._with_secret_parts(self.object(pairs, hashed=True), parts)

    def _with_secret_parts(
        self, written: sql.Composable, pairs: Sequence[tuple[Column[Any], sql.Composable]]
    ) -> sql.Composable:
        """What is written, with the keyed hash of each JSON value that stands there without its secrets."""
        if not pairs:
            return written
        items = [
            sql.SQL("{}, {}").format(sql.Literal(column.name), secret_parts(column, value, self.state_schema))
            for column, value in pairs
        ]
        hashes = sql.SQL("nullif(jsonb_strip_nulls(jsonb_build_object({})), '{{}}')").format(sql.SQL(", ").join(items))
        return sql.SQL("{} || jsonb_strip_nulls(jsonb_build_object({}, {}))").format(
            written, sql.Literal(SECRET_PARTS), hashes
        )

    def object(self, pairs: Iterable[tuple[Column[Any], sql.Composable]], *, hashed: bool = False) -> sql.Composable:
        """Columns with their values as a JSON object; a secret redacted, or as its keyed hash."""
        items = [
            sql.SQL("{}, {}").format(sql.Literal(column.name), self.shown(column, value, hashed))
            for column, value in pairs
        ]
        # jsonb_build_object takes at most 100 arguments.
        parts = [
            sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(items[i : i + 50]))
            for i in range(0, len(items), 50)
        ]
        return sql.SQL(" || ").join(parts) if parts else sql.SQL("'{{}}'::jsonb").format()

    def shown(self, column: Column[Any], value: sql.Composable, hashed: bool = False) -> sql.Composable:
        """A value as the state schema may hold it."""
        if is_secret(column) and not hashed:
            return sql.Literal("[redacted]")
        return recorded(column, value, self.state_schema)


def listed(names: Iterable[str]) -> sql.Composed:
    """Names, quoted, with commas between them."""
    return sql.SQL(", ").join(map(sql.Identifier, names))
