"""Writes to one legacy table: rows inserted, updated and deleted as a person with SQL would, so that its triggers, checks and
foreign keys hold.

Belongs here: the statements, and which rows legacy refuses. Does not belong here: the order of tables and the record of what was
done (see carry).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Table

from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.fallback.model import Change, Kind, LeftBehind
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.errors.row_errors import is_about_rows, reason_of
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.verify.expected.compare import target_key

SQL = statements(__file__)

_MOVED = "changed in legacy since the fence"


@dataclass(frozen=True)
class LegacyWrites:
    """One legacy table that `session` may write. `horizon`: rows that are newer are somebody's, but for transactions of `own`.

    `wrote`: the transactions (xmin) of the rows that were written; each savepoint has one of its own.
    """

    session: Session
    table: Table
    horizon: int
    own: Collection[int] = ()
    wrote: set[int] = field(default_factory=set)

    def write(self, changes: Sequence[Change]) -> Iterator[LeftBehind]:
        """Write changes of one kind within the caller's transaction; gives those rows that legacy refused, or that have moved."""
        for _, grouped in groupby(sorted(changes, key=lambda one: one.columns), key=lambda one: one.columns):
            yield from self._written(list(grouped))

    def set_sequences(self, inserted: Iterable[Change]) -> None:
        """Set the sequences of the table beyond the numbers that these rows have."""
        rows = list(inserted)
        for column, sequence in self.session.rows(SQL["sequences"], {"table": self._place.as_string(None)}):
            statement = SQL["beyond"].format(sequence=sql.Literal(sequence), sequence_name=sql.SQL(sequence))
            numbers = [int(value) for one in rows if (value := one.values.get(column)) is not None]
            if numbers:
                self.session.execute(statement, {"highest": max(numbers)})

    def _written(self, changes: list[Change]) -> Iterator[LeftBehind]:
        """All at once; where legacy refuses that, half by half, down to the rows that it is about."""
        try:
            with self.session.transaction():
                done = self._execute(changes)
        except psycopg.Error as error:
            if not is_about_rows(error):
                raise
            if len(changes) == 1:
                yield LeftBehind(self.table.name, changes[0].key, reason_of(error, self.table.name), changes[0].columns)
                return
            middle = len(changes) // 2
            yield from self._written(changes[:middle])
            yield from self._written(changes[middle:])
            return
        yield from (LeftBehind(one.table, one.key, _MOVED, one.columns) for one in changes if one.key not in done)

    def _execute(self, changes: list[Change]) -> set[str]:
        statement = {Kind.INSERT: self._insert, Kind.UPDATE: self._update, Kind.DELETE: self._delete}[changes[0].kind]
        rows = Jsonb([{"#key": one.key, **one.values} for one in changes])
        done = self.session.rows(statement(changes[0]), {"rows": rows})
        self.wrote.update(xmin for _, xmin in done)
        return {key for key, _ in done}

    # --- statements ---------------------------------------------------------------------------------------------------

    def _insert(self, change: Change) -> sql.Composed:
        names = [name for name in change.values if name in self._columns]
        return SQL["insert"].format(
            table=self._place,
            columns=sql.SQL(", ").join(map(sql.Identifier, names)),
            values=sql.SQL(", ").join(self._value(name, or_default=True) for name in names),
            key=target_key(self._key, self.table.name),
        )

    def _update(self, change: Change) -> sql.Composed:
        set_to = sql.SQL("{} = {}")
        names = [name for name in change.columns if name in self._columns]
        return SQL["update"].format(
            **self._addressed(),
            assignments=sql.SQL(", ").join(set_to.format(sql.Identifier(name), self._value(name)) for name in names),
        )

    def _delete(self, _change: Change) -> sql.Composed:
        return SQL["delete"].format(**self._addressed())

    def _addressed(self) -> dict[str, sql.Composable]:
        key = target_key(self._key, "l")
        own = sorted(self.own)
        unchanged = sql.SQL("(NOT ({}) OR l.xmin::text::bigint = ANY ({}::bigint[]))")
        return {
            "table": self._place,
            "key": key,
            "same": self._same(),
            "unchanged": unchanged.format(is_newer(sql.SQL("l.xmin"), self.horizon), sql.Literal(own)),
        }

    def _same(self) -> sql.Composable:
        """Whether a row has the key of a change, by its index."""
        if len(self._key) == 1:
            kind = sql.SQL(self._columns[self._key[0]][0])
            return sql.SQL("{} = (r.row ->> '#key')::{}").format(sql.Identifier("l", self._key[0]), kind)
        parts = [
            sql.SQL("{} = ((r.row ->> '#key')::jsonb ->> {})::{}").format(
                sql.Identifier("l", name), sql.Literal(position), sql.SQL(self._columns[name][0])
            )
            for position, name in enumerate(self._key)
        ]
        return sql.SQL(" AND ").join(parts)

    def _value(self, name: str, *, or_default: bool = False) -> sql.Composable:
        kind, default = self._columns[name]
        value = sql.SQL("(r.row ->> {})::{}").format(sql.Literal(name), sql.SQL(kind))
        if default is None or not or_default:
            return value
        return sql.SQL("coalesce({}, {})").format(
            value, sql.SQL(default.replace("{", "{{").replace("}", "}}")).format()
        )

    # --- the table ----------------------------------------------------------------------------------------------------

    @property
    def _key(self) -> list[str]:
        return [column.name for column in self.table.primary_key.columns]

    @property
    def _place(self) -> sql.Identifier:
        return self.session.database.table(self.table.name)

    @cached_property
    def _columns(self) -> dict[str, tuple[str, str | None]]:
        """The type of each column, and its default where it must not be null."""
        rows: Iterable[tuple[str, str, str | None]] = self.session.rows(
            SQL["columns"], {"table": self._place.as_string(None)}
        )
        return {name: (kind, default) for name, kind, default in rows}
