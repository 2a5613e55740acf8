"""Writes rows back as before images have them.

Of several images of a row the oldest has the last word, column by column. Belongs here: what a row gets back, and the
statements. Does not belong here: which rows (see judge), transactions (see batches).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql
from sqlalchemy import Column
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.backfill.outcomes.before_images import outside, place_of, text_join
from remoteiq_etl.errors import UndoError
from remoteiq_etl.frames import json_text
from remoteiq_etl.lifecycle.undo.access import UndoContext
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.spec.table import TableSpec

SQL = statements(__file__)


@dataclass
class RestoredValues:
    """What one row gets back: its values by column."""

    new_key: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Restorer:
    """The rows of the batch (the temporary table `undo_batch`) of one table."""

    undo: UndoContext
    spec: TableSpec

    def restore(self) -> int:
        """Give the rows their former values. Returns how many had others."""
        names, rows = self.undo.of(self.spec.name), self._formers()
        plain = [name for name in self._columns(self.undo.live[self.spec.name]) if name not in self.spec.primary_key]
        statement = SQL["restore"].format(
            **names,
            row_join=text_join(self.spec, "v"),
            assignments=sql.SQL(", ").join(sql.SQL("{0} = f.{0}").format(sql.Identifier(name)) for name in plain),
            same_key=_same_key(self.spec),
        )
        return self.undo.session.execute(statement, {"rows": _as_text(rows)}).rowcount

    def insert(self) -> int:
        """Make the rows again; a column that they did not have gets its default. Returns how many."""
        by_columns: dict[tuple[str, ...], list[RestoredValues]] = {}
        for row in self._formers():
            by_columns.setdefault(tuple(self._columns(row.values)), []).append(row)
        return sum(self._insert(columns, rows) for columns, rows in by_columns.items())

    def park(self) -> int:
        """Take the unique values off the rows of the batch, so that they can change hands. Returns rows written."""
        parked = dict(filter(None, map(self._parked, self.undo.unique[self.spec.name])))
        if not parked:
            return 0
        sets = [sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in sorted(parked.items())]
        update = sql.SQL("UPDATE {target} AS t SET {sets} FROM undo_batch AS r WHERE {row_join}")
        statement = update.format(
            **self.undo.of(self.spec.name), sets=sql.SQL(", ").join(sets), row_join=text_join(self.spec, "r")
        )
        return self.undo.session.execute(statement).rowcount

    def _parked(self, columns: tuple[str, ...]) -> tuple[str, sql.Composable] | None:
        """Of the columns of a unique constraint one that can hold a value that nobody wants, and this value."""
        found = [self.spec.target.columns[name] for name in columns]
        texts = [column for column in found if str(column.type) in {"TEXT", "CITEXT"} and not column.foreign_keys]
        uuids = [column for column in found if isinstance(column.type, pg.UUID) and not column.foreign_keys]
        for column in texts:
            return column.name, _own_text(self.spec, column.name)
        for column in uuids:
            return column.name, sql.SQL("md5({})::uuid").format(_own_text(self.spec, column.name))
        empty = next(((column.name, sql.SQL("NULL")) for column in found if column.nullable), None)
        return empty or next(((column.name, self._free(column)) for column in found if column.foreign_keys), None)

    def _free(self, column: Column[Any]) -> sql.Composable:
        """A row of the parent that nobody refers to: nothing else can stand in a foreign key that may not be null."""
        parent = next(iter(column.foreign_keys)).column
        return SQL["free_parent"].format(
            **self.undo.of(self.spec.name),
            parent=self.undo.target.table(parent.table.name),
            key=sql.Identifier(parent.name),
            column=sql.Identifier(column.name),
            column_name=sql.Literal(column.name),
        )

    def _insert(self, columns: tuple[str, ...], rows: list[RestoredValues]) -> int:
        statement = SQL["insert"].format(
            **self.undo.of(self.spec.name),
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
            values=sql.SQL(", ").join(sql.Identifier("f", name) for name in columns),
        )
        return self.undo.session.execute(statement, {"rows": _as_text(rows)}).rowcount

    def _formers(self) -> list[RestoredValues]:
        rows: dict[str, RestoredValues] = {}
        for new_key, image_id, image, withheld, sealed, idle, lost in self.undo.session.rows(
            SQL["images"].format(**self.undo.of(self.spec.name))
        ):
            former = rows.setdefault(new_key, RestoredValues(new_key))
            former.values |= image
            former.values |= self._opened(image_id, new_key, sealed or {})
            kept_as_is = {*(withheld or ()), *lost, *(() if idle else outside(self.spec))}
            former.values = {name: value for name, value in former.values.items() if name not in kept_as_is}
        return list(rows.values())

    def _opened(self, image_id: int, new_key: str, sealed: Mapping[str, str]) -> dict[str, Any]:
        if not sealed:
            return {}
        sealer = self.undo.sealer
        if sealer is None:
            raise UndoError("former secrets are sealed, and no key is given. Set REMOTEIQ_SEALING_KEY.")
        table = self.spec.name
        return {
            name: json_text.parse(sealer.open(text, place_of(image_id, table, new_key, name)))
            for name, text in sealed.items()
        }

    def _columns(self, names: Iterable[str]) -> list[str]:
        """Those of the names that the table has, and that can be written."""
        table, live = self.spec.name, self.undo.live[self.spec.name]
        return sorted(name for name in names if name in live and (table, name) not in self.undo.generated)


def _as_text(rows: Iterable[RestoredValues]) -> str:
    return json_text.dumps([{"new_key": row.new_key, "image": row.values} for row in rows])


def _same_key(spec: TableSpec) -> sql.Composable:
    return sql.SQL(" AND ").join(sql.SQL("t.{0} = f.{0}").format(sql.Identifier(name)) for name in spec.primary_key)


def _own_text(spec: TableSpec, column: str) -> sql.Composable:
    """A text that no other row has: the value of a column, and the key of the row (t)."""
    values = [sql.SQL("t.{}::text").format(sql.Identifier(name)) for name in (column, *spec.primary_key)]
    return sql.SQL("concat_ws('~', {})").format(sql.SQL(", ").join(values))
