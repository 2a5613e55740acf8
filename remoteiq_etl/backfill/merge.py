"""The merge: staged rows compared with what was last written and what is there now, and written accordingly.

Upserts happen on the mapped key only. Belongs here: the statements of one batch of one table. Does not belong here:
transactions, the ledger and dispositions of rows that never reached the stage (see load).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Any

from psycopg import sql
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.column_values import T_column, assignments, comparable, counted, default_of
from remoteiq_etl.backfill.database import Session, load_sql
from remoteiq_etl.backfill.hashing import row_hash
from remoteiq_etl.backfill.images import Image, ImageWriter
from remoteiq_etl.backfill.redact import is_secret
from remoteiq_etl.backfill.sealing import Sealer
from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.backfill.staging import Stage, cast_type, is_cast_later

S, T = sql.Identifier("s"), sql.Identifier("t")
NEVER_COMPARED = frozenset({"updated_at"})
_TEXTS = frozenset({"text", "citext", "character", "character varying"})


@dataclass(frozen=True)
class Merge:
    """The statements that bring one staging table into one target table. Grain: one per table, legacy table and stage."""

    spec: TableSpec
    stage: Stage
    legacy_table: str
    state_schema: str
    target: sql.Identifier
    map: Table
    source_id: int
    run_id: int
    sealer: Sealer | None = None

    # --- statements ---------------------------------------------------------------------------------------------

    def classify(self, session: Session) -> Counter[str]:
        """Work out what is to be done with each staged row; rows per action. Needs a transaction."""
        session.execute(
            load_sql("classify").format(
                **self._names,
                new_key=self._new_key_known,
                present=sql.SQL("t.{} IS NOT NULL").format(self._pk[0]),
                newer=self._newer,
                incoming_hash=self._hash(self._incoming),
                current_hash=self._hash([T_column(column) for column in self._compared]),
                target_join=self._join("coalesce(m.new_key, s.{0})" if self._single else "s.{0}"),
                target_join_planned=self._join("j.new_key" if self._single else "s.{0}"),
                collision=sql.Literal("collision" if self.derives_ids else "adopted"),
            )
        )
        if self.shares_rows:
            session.execute(load_sql("yield_shared").format(**self._names))
        return Counter(dict(session.rows("SELECT action, count(*) FROM merge_plan GROUP BY action")))

    @property
    def shares_rows(self) -> bool:
        """Whether several sources may have a row in common: where its key is a natural one."""
        return not self.derives_ids

    def of_another_source(self, session: Session) -> list[str]:
        """Legacy keys of the rows that differ from the one that another source has; named so in the list of conflicts."""
        return [row[0] for row in session.rows(load_sql("of_another_source").format(**self._names))]

    def collisions(self, session: Session) -> list[str]:
        """Legacy keys of rows whose id belongs to a target row that we did not write."""
        query = sql.SQL(
            "SELECT s._key::text FROM merge_plan p JOIN {stage} s USING (_row) WHERE p.action = 'collision'"
        )
        return [row[0] for row in session.rows(query.format(**self._names))]

    def resolve_collisions(self, session: Session, new_keys: Mapping[str, str]) -> None:
        """Give these rows (legacy key → new id) another id; they are inserted under it."""
        update = sql.SQL(
            "WITH moved AS (UPDATE {stage} SET {pk} = %s, _rule = 'derived_collision' WHERE _key::text = %s RETURNING _row, {pk})"
            " UPDATE merge_plan p SET new_key = moved.{pk}, action = 'inserted' FROM moved WHERE p._row = moved._row"
        )
        session.execute_many(
            update.format(**self._names, pk=self._pk[0]), [(new, key) for key, new in new_keys.items()]
        )

    def apply(self, session: Session, first: int, last: int) -> None:
        """Write the planned rows numbered first to last, and their map."""
        span = {"first": first, "last": last}
        session.execute(self._insert, span)
        self._images.write(session, self._before_images, span)
        for statement in self._changes:
            session.execute(statement, span)
        session.execute(self._conflicts, span)
        session.execute(self._map_planned, span)

    def planned_writes(self, session: Session) -> list[tuple[str, str | None, str]]:
        """What the planned rows would change: new key, and the row before and after as JSON text, without secrets."""
        after = [
            (
                column,
                sql.SQL("CASE WHEN p.action = 'adopted' THEN {} ELSE {} END").format(
                    self._filled(column), self._value(column, kept=True)
                ),
            )
            for column in self._compared
        ]
        query = sql.SQL(
            "SELECT p.new_key::text, (CASE WHEN p.present THEN {before} END)::text, ({after})::text"
            " FROM {stage} AS s JOIN merge_plan AS p USING (_row) LEFT JOIN {target} AS t ON {joined}"
            " WHERE p.action IN ('inserted', 'updated', 'adopted')"
        )
        before = [(column, T_column(column)) for column in self._compared]
        return session.rows(
            query.format(
                **self._names, before=self._object(before), after=self._object(after), joined=self._planned_join
            )
        )

    def finish(self, session: Session) -> None:
        """Remember the rows of which nothing was written."""
        session.execute(load_sql("map_reread").format(**self._names))

    def load_first(self, session: Session) -> int:
        """Write all staged rows into a target and a map that are empty. Returns the rows inserted."""
        inserted = session.execute(
            load_sql("first_insert").format(
                **self._names,
                columns=_list(self._columns),
                values=sql.SQL(", ").join(self._values),
                key=sql.SQL(", ").join(sql.SQL("s.{}").format(name) for name in self._pk),
            )
        )
        session.execute(
            load_sql("first_map").format(
                **self._names,
                new_key=sql.SQL("s.{}").format(self._pk[0]) if self._single else sql.SQL("s._new"),
                incoming_hash=self._hash([self._value(column) for column in self._compared]),
                last_written=self._last_written([self._value(column) for column in self._compared]),
            )
        )
        return inserted.rowcount

    @property
    def derives_ids(self) -> bool:
        """Whether a row gets another id when its own is taken: only a surrogate key may change."""
        return self.spec.primary_key == ("id",) and isinstance(self.spec.target.columns["id"].type, pg.UUID)

    @property
    def compared_columns(self) -> list[str]:
        """The columns that the hash of what was last written covers, in the order in which they are hashed."""
        return [column.name for column in self._compared]

    # --- pieces -------------------------------------------------------------------------------------------------

    @cached_property
    def _names(self) -> dict[str, sql.Composable]:
        state = self.state_schema
        return {
            "stage": self.stage.identifier,
            "target": self.target,
            "map": sql.Identifier(state, self.map.name),
            "map_key": _list([column.name for column in self.map.primary_key.columns]),
            "before_images": sql.Identifier(state, "before_images"),
            "conflicts": sql.Identifier(state, "conflicts"),
            "source_id": sql.Literal(self.source_id),
            "run_id": sql.Literal(self.run_id),
            "legacy_table": sql.Literal(self.legacy_table),
            "table_name": sql.Literal(self.spec.name),
        }

    @property
    def _single(self) -> bool:
        return len(self.spec.primary_key) == 1

    @cached_property
    def _pk(self) -> list[sql.Identifier]:
        return [sql.Identifier(name) for name in self.spec.primary_key]

    @cached_property
    def _columns(self) -> list[str]:
        return list(self.stage.columns)

    @cached_property
    def _compared(self) -> list[Column[Any]]:
        left_out = {*self.spec.primary_key, *self.spec.insert_only, *self.spec.activity, *NEVER_COMPARED}
        return [self.spec.target.columns[name] for name in self._columns if name not in left_out]

    @cached_property
    def _changed_by_update(self) -> list[Column[Any]]:
        left_out = {*self.spec.primary_key, *self.spec.insert_only, *self.spec.activity}
        return [self.spec.target.columns[name] for name in self._columns if name not in left_out]

    @cached_property
    def _activity(self) -> list[Column[Any]]:
        return [self.spec.target.columns[name] for name in self.spec.activity if name in self._columns]

    @cached_property
    def _incoming(self) -> list[sql.Composable]:
        return [self._value(column, kept=True) for column in self._compared]

    @cached_property
    def _values(self) -> list[sql.Composable]:
        return [self._value(self.spec.target.columns[name]) for name in self._columns]

    def _value(self, column: Column[Any], *, kept: bool = False) -> sql.Composable:
        """The incoming value in the column's type; a null where the column needs one becomes what is there, else the default."""
        value: sql.Composable = sql.SQL("s.{}").format(sql.Identifier(column.name))
        if is_cast_later(column):
            value = sql.SQL("{}::{}").format(value, sql.SQL(cast_type(column)))
        default = default_of(column)
        if default is None:
            return value
        choices = [value, T_column(column), default] if kept else [value, default]
        return sql.SQL("coalesce({})").format(sql.SQL(", ").join(choices))

    @cached_property
    def _new_key_known(self) -> sql.Composable:
        if self._single:
            return sql.SQL("coalesce(m.new_key, s.{})").format(self._pk[0])
        return sql.SQL("s._new")

    def _join(self, pattern: str) -> sql.Composable:
        return sql.SQL(" AND ").join(sql.SQL("t.{0} = " + pattern).format(name) for name in self._pk)

    @cached_property
    def _planned_join(self) -> sql.Composable:
        return self._join("p.new_key" if self._single else "s.{0}")

    @cached_property
    def _newer(self) -> sql.Composable:
        """Whether the activity that comes in is later than what is there, or was changed in legacy alone."""
        if not self._activity:
            return sql.SQL("false")
        time = sql.Identifier(self._activity[0].name)
        later = sql.SQL("(t.{0} IS NULL AND s.{0} IS NOT NULL OR s.{0} > t.{0})").format(time)
        others = [sql.Identifier(column.name) for column in self._activity[1:]]
        if not others:
            return sql.SQL("(t.{} IS NOT NULL AND {})").format(self._pk[0], later)
        as_written = sql.SQL(" AND ").join(
            sql.SQL("coalesce(to_jsonb(t.{0}), 'null') = coalesce(m.last_written -> {1}, 'null')").format(
                name, sql.Literal(column.name)
            )
            for name, column in zip(others, self._activity[1:], strict=True)
        )
        differs = sql.SQL(" OR ").join(
            sql.SQL("t.{0} IS DISTINCT FROM {1}").format(name, self._value(column))
            for name, column in zip(others, self._activity[1:], strict=True)
        )
        return sql.SQL(
            "(t.{pk} IS NOT NULL AND ({later} OR (s.{time} IS NOT DISTINCT FROM t.{time} AND ({differs}) AND {as_written})))"
        ).format(pk=self._pk[0], later=later, time=time, differs=differs, as_written=as_written)

    def _hash(self, values: Sequence[sql.Composable]) -> sql.Composable:
        """The hash of these values of the compared columns.

        A column that a running installation adds counts only where it has another value than its default: when it appears,
        a row that nobody edited still is as it was last written.
        """
        pairs = list(zip(self._compared, values, strict=True))
        further = [(column.name, counted(column, value)) for column, value in pairs if column.info.get("optional")]
        return row_hash(
            [value for column, value in pairs if not column.info.get("optional")], sorted(further, key=itemgetter(0))
        )

    @cached_property
    def _insert(self) -> sql.Composable:
        values = [
            sql.SQL("p.new_key") if self._single and name == self.spec.primary_key[0] else value
            for name, value in zip(self._columns, self._values, strict=True)
        ]
        return load_sql("insert").format(**self._names, columns=_list(self._columns), values=sql.SQL(", ").join(values))

    @cached_property
    def _changes(self) -> list[sql.Composable]:
        changed = [(column, self._value(column, kept=True)) for column in self._changed_by_update]
        touched = [(column, self._value(column, kept=True)) for column in self._activity]
        filled = [(column, self._filled(column)) for column in self._fillable]
        statements: list[sql.Composable] = []
        if changed:
            statements.append(
                load_sql("update").format(
                    **self._names, assignments=assignments(changed), target_join=self._planned_join
                )
            )
        if touched:
            statements.append(
                load_sql("touch").format(
                    **self._names, assignments=assignments(touched), target_join=self._planned_join
                )
            )
        if filled:
            statements.append(
                load_sql("fill").format(
                    **self._names,
                    assignments=assignments(filled),
                    target_join=self._planned_join,
                    current=sql.SQL(", ").join(comparable(column, T_column(column)) for column, _ in filled),
                    filled=sql.SQL(", ").join(comparable(column, value) for column, value in filled),
                )
            )
        return statements

    @cached_property
    def _fillable(self) -> list[Column[Any]]:
        never = self.spec.adopt.never_filled if self.spec.adopt else ()
        return [column for column in self._compared if column.name not in never]

    def _filled(self, column: Column[Any]) -> sql.Composable:
        """What an adopted row's column becomes: the present value, or ours where the present one is empty."""
        ours, present = self._value(column, kept=True), T_column(column)
        default = (self.spec.adopt.application_defaults if self.spec.adopt else {}).get(column.name)
        if isinstance(column.type, pg.JSONB):
            joined = sql.SQL(
                "CASE WHEN jsonb_typeof({0}) = 'object' AND jsonb_typeof({1}) = 'object' THEN {1} || {0} ELSE coalesce({0}, {1}) END"
            )
            return joined.format(present, ours)
        empty = [sql.SQL("{} IS NULL").format(present)]
        if str(column.type) in {"TEXT", "CITEXT"} and cast_type(column).split("(")[0].lower() in _TEXTS:
            empty += (
                [sql.SQL("{} = ''").format(present), sql.SQL("{} = {}").format(present, sql.Literal(default))]
                if default is not None
                else [sql.SQL("{} = ''").format(present)]
            )
        return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(sql.SQL(" OR ").join(empty), ours, present)

    @cached_property
    def _before_images(self) -> sql.Composable:
        image = Image([self.spec.target.columns[name] for name in self._columns], self.state_schema)
        return load_sql("before_images").format(
            **self._names, image=image.shown, hidden=image.hidden, target_join=self._planned_join
        )

    @cached_property
    def _images(self) -> ImageWriter:
        return ImageWriter(self.spec, self.target, sql.Identifier(self.state_schema, "before_images"), self.sealer)

    @cached_property
    def _conflicts(self) -> sql.Composable:
        compared = [(column, self._value(column, kept=True)) for column in self._compared]
        differing = [
            sql.SQL("CASE WHEN {}{} IS DISTINCT FROM {} THEN {} END").format(
                # When a row was made differs for every adopted one, and says nothing about it.
                sql.SQL("p.action <> 'adopted' AND " if column.name == "created_at" else ""),
                comparable(column, T_column(column)),
                comparable(column, value),
                sql.Literal(column.name),
            )
            for column, value in compared
        ]
        return load_sql("conflicts").format(
            **self._names,
            target_join=self._planned_join,
            current=self._object([(column, T_column(column)) for column, _ in compared if not is_secret(column)]),
            incoming=self._object([pair for pair in compared if not is_secret(pair[0])]),
            differing=sql.SQL(", ").join(differing),
        )

    @cached_property
    def _map_planned(self) -> sql.Composable:
        return load_sql("map_planned").format(
            **self._names, target_join=self._planned_join, last_written=self._last_written(self._incoming)
        )

    def _last_written(self, values: Sequence[sql.Composable]) -> sql.Composable:
        """The values last written, for tables that people edit; a secret as its keyed hash."""
        if self.spec.log_like:
            return sql.SQL("NULL::jsonb")
        pairs = list(zip(self._compared, values, strict=True)) + [
            (column, self._value(column)) for column in self._activity
        ]
        return self._object(pairs, hashed=True)

    def _object(self, pairs: Iterable[tuple[Column[Any], sql.Composable]], *, hashed: bool = False) -> sql.Composable:
        items = [
            sql.SQL("{}, {}").format(sql.Literal(column.name), self._shown(column, value, hashed))
            for column, value in pairs
        ]
        # jsonb_build_object takes at most 100 arguments.
        parts = [
            sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(items[i : i + 50]))
            for i in range(0, len(items), 50)
        ]
        return sql.SQL(" || ").join(parts) if parts else sql.SQL("'{{}}'::jsonb").format()

    def _shown(self, column: Column[Any], value: sql.Composable, hashed: bool) -> sql.Composable:
        if is_secret(column):
            return sql.SQL("encode({}, 'hex')").format(row_hash([value])) if hashed else sql.Literal("[redacted]")
        if isinstance(column.type, pg.JSON):
            return sql.SQL("{}({}::jsonb)").format(sql.Identifier(self.state_schema, "redacted"), value)
        return value


def _list(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))
