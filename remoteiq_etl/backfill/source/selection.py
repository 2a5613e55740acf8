"""Which rows of a legacy table an extract selects: those newer than a horizon, and some by key.

Belongs here: the condition as SQL. Does not belong here: which rows those are (see capture).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql
from sqlalchemy import Column, ColumnElement, Select, String, Table, Text, cast, or_, text
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.sql import visitors

from remoteiq_etl.backfill.source.ages import is_newer
from remoteiq_etl.frames.derived_ids import LONGEST_KEY, digest_of
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.spec.table import Follow, Source, TableSpec
from remoteiq_etl.spec.transform_context import Context

#: Legacy keys by legacy table.
Keys = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Selection:
    """Some rows of one legacy table: newer than `horizon` (64 bit, None: none of them), of these keys, or following a
    row of another table that is newer than that one's horizon, or that is one of those `released`: it waited, and no
    longer does. `places`: where all of them lie (ctid), when it is known: a hundred rows of a million are then fetched
    without looking at the others again.
    """

    horizon: int | None = None
    keys: frozenset[str] = frozenset()
    follows: Mapping[Follow, int] = field(default_factory=dict)
    released: Mapping[Follow, frozenset[str]] = field(default_factory=dict)
    places: tuple[str, ...] | None = None

    def condition(self, database: Database, source: Source) -> sql.Composable:
        """The condition under which a row (alias l) is selected."""
        if self.places is not None:
            return sql.SQL("l.ctid = ANY ({}::tid[])").format(sql.Literal(list(self.places)))
        parts = [] if self.horizon is None else [is_newer(sql.SQL("l.xmin"), self.horizon)]
        if self.keys:
            parts.append(is_one_of(source, self.keys))
        newer = {follow: is_newer(sql.SQL("f.xmin"), horizon) for follow, horizon in self.follows.items()}
        parts += [_follows(database, source, follow, condition) for follow, condition in newer.items()]
        again = {follow: _has_key(follow, keys) for follow, keys in self.released.items()}
        parts += [_follows(database, source, follow, condition) for follow, condition in again.items()]
        return sql.SQL("({})").format(sql.SQL(" OR ").join(parts)) if parts else sql.SQL("false")


def is_one_of(source: Source, keys: Collection[str]) -> sql.Composed:
    """Whether a row (alias l) has one of these legacy keys."""
    return _is_keyed("l", [source.table.columns[name] for name in source.key_columns], keys)


def _has_key(follow: Follow, keys: Collection[str]) -> sql.Composed:
    """Whether a followed row (alias f) has one of these legacy keys."""
    return _is_keyed("f", list(follow.table.primary_key.columns), keys)


def _is_keyed(alias: str, columns: Sequence[Column[Any]], keys: Collection[str]) -> sql.Composed:
    if len(columns) == 1:
        kind, column = columns[0].type, sql.Identifier(alias, columns[0].name)
        if isinstance(kind, pg.ENUM | Text):
            return _has_text(sql.SQL("{}::text" if isinstance(kind, pg.ENUM) else "{}").format(column), keys)
        cast = kind.compile(pg.dialect())  # type: ignore[no-untyped-call]
        return sql.SQL("{} = ANY ({}::{}[])").format(column, sql.Literal(sorted(keys)), sql.SQL(cast))
    parts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(alias, column.name)) for column in columns)
    wanted = sql.SQL("SELECT {} FROM unnest({}::text[]) AS k (key)").format(
        sql.SQL(", ").join(sql.SQL("k.key::jsonb ->> {}").format(sql.Literal(at)) for at in range(len(columns))),
        sql.Literal(sorted(keys)),
    )
    return sql.SQL("({}) IN ({})").format(parts, wanted)


def _has_text(shown: sql.Composable, keys: Collection[str]) -> sql.Composed:
    """Whether a text is one of these keys, or one whose short form is among them: that is found by its digest.

    The short form itself is not sent: it has a character that not every encoding has.
    """
    digests = {key: digest for key in keys if (digest := digest_of(key))}
    whole = sql.SQL("{} = ANY ({}::text[])").format(shown, sql.Literal(sorted(set(keys) - digests.keys())))
    if not digests:
        return whole
    long = sql.SQL(
        "({whole} OR CASE WHEN length({text}) > {longest} THEN encode(sha256(convert_to({text}, 'UTF8')), 'hex') = ANY ({digests}) END)"
    )
    return long.format(
        whole=whole, text=shown, longest=sql.Literal(LONGEST_KEY // 4), digests=sql.Literal(sorted(digests.values()))
    )


def followed_by(
    database: Database, spec: TableSpec, query: Select[Any], selections: Mapping[str, Selection], context: Context
) -> ColumnElement[bool] | None:
    """The rows of a followed table that the selected rows name; None where the query is over anything else, too."""
    tables = {part for part in visitors.iterate(query) if isinstance(part, Table)}
    conditions = [
        _is_named(database, source, follow, selections[source.name], context)
        for source in spec.streamed
        for follow in source.follows
        if {follow.table} == tables and source.name in selections
    ]
    return or_(*conditions) if conditions else None


def _is_named(
    database: Database, source: Source, follow: Follow, selection: Selection, context: Context
) -> ColumnElement[bool]:
    same = _same_type(source, follow)
    named = sql.SQL("SELECT l.{} FROM {} AS l WHERE {}").format(
        _as_text(follow.column, same), database.table(source.name), selection.condition(database, source)
    )
    column = follow.table.columns[follow.key]
    key = column if same else cast(column, String)
    by_rows = key.in_(text(named.as_string(None).replace(":", "\\:")))
    if follow.recorded is None:
        return by_rows
    return by_rows | cast(column, String).in_(_recorded(follow.recorded, context))


def _recorded(place: tuple[str, str, str], context: Context) -> list[str]:
    """The keys that recorded decisions name."""
    entity, legacy_table, name = place
    values = (decision.get(name) for decision in context.lookup(entity, legacy_table).decisions.values())
    return sorted({str(value) for value in values if value is not None})


def _follows(database: Database, source: Source, follow: Follow, condition: sql.Composable) -> sql.Composed:
    same = _same_type(source, follow)
    other = sql.SQL("SELECT f.{} FROM {} AS f WHERE {}").format(
        _as_text(follow.key, same), database.table(follow.table.name), condition
    )
    return sql.SQL("l.{} IN ({})").format(_as_text(follow.column, same), other)


def _same_type(source: Source, follow: Follow) -> bool:
    """Whether both columns can be compared as they are, by an index where there is one."""
    return str(source.table.columns[follow.column].type) == str(follow.table.columns[follow.key].type)


def _as_text(column: str, same: bool) -> sql.Composed:
    return sql.SQL("{}" if same else "{}::text").format(sql.Identifier(column))
