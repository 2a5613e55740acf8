"""The SELECT of a view, made of an inverse: its placeholders filled for one source of one target.

Belongs here: that, and the index by which a look-up by legacy key finds the row. Does not belong here: reading the files (see
inverse), making views (see views).
"""

from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql as pg

from remoteiq_etl.inverse.inverse import Inverse
from remoteiq_etl.postgres.statements import statements
from schemas import target
from schemas.state.maps import map_name

SQL = statements(__file__)

NUMBERS = "legacy_numbers"
_INTEGERS = ("BIGINT", "INTEGER", "SMALLINT")


@dataclass(frozen=True)
class ViewPlace:
    """Where views are made: the target's schema, our own, the schema of the views, and the source they speak for."""

    target: str
    state: str
    views: str
    source_id: int
    organization: str


@dataclass(frozen=True)
class KeyType:
    """The types of a map's two keys, and of the legacy key in its table."""

    stored: str
    legacy: str


def select(inverse: Inverse, place: ViewPlace, stored: str | None) -> sql.Composed:
    """The SELECT of a view. `stored`: the type of the legacy keys in the map that it names; None where it names none."""
    parts = _fixed(place) | {
        "archived": _archive(inverse, place, "archived"),
        "whole": _archive(inverse, place, "whole"),
    }
    if inverse.keys is not None and stored is not None:
        parts["rows"] = _rows(inverse, place, stored)
    return SQL["view"].format(
        columns=sql.SQL(", ").join(_typed(column, place) for column in inverse.table.columns),
        select=sql.SQL(inverse.statement).format(**parts),
    )


def numbered(inverse: Inverse) -> bool:
    """Whether rows that the new application alone wrote need a number for their legacy key."""
    return inverse.new is not None and _type(_key(inverse)) in _INTEGERS


def key_expression(inverse: Inverse, stored: str, alias: str = "m") -> sql.Composable:
    """The legacy key in a map, in the type of the legacy table. Maps hold keys of other tables, which may be no such value."""
    column = sql.Identifier(alias, "legacy_key") if alias else sql.Identifier("legacy_key")
    wanted = _type(_key(inverse))
    if wanted.lower() == stored:
        return column
    table = sql.Identifier(alias, "legacy_table") if alias else sql.Identifier("legacy_table")
    return sql.SQL("(CASE WHEN {} = {} THEN {}::{} END)").format(
        table, sql.Literal(inverse.name), column, sql.SQL(wanted)
    )


def new_key(inverse: Inverse) -> str:
    """The column of the target's key by which the map knows a row."""
    return next(iter(_target(inverse).primary_key.columns)).name


def type_of(column: Column[object], place: ViewPlace) -> sql.Composable:
    """The type of a legacy column in the view; an enum is one of our own, beside the views."""
    if isinstance(column.type, pg.ENUM):
        return sql.Identifier(place.views, str(column.type.name))
    return sql.SQL(_type(column))


def new_rows(inverse: Inverse, place: ViewPlace) -> sql.Composed:
    """The SELECT of the rows that the new application alone wrote: legacy key and new key, as texts."""
    return SQL["new_rows"].format(**_new_parts(inverse, place))


def _rows(inverse: Inverse, place: ViewPlace, stored: str) -> sql.Composed:
    new: sql.Composable = sql.SQL("") if inverse.new is None else _new(inverse, place)
    return SQL["rows"].format(**_of_map(inverse, place), legacy_key=key_expression(inverse, stored), new=new)


def _new(inverse: Inverse, place: ViewPlace) -> sql.Composable:
    return SQL["new"].format(**_new_parts(inverse, place))


def _new_parts(inverse: Inverse, place: ViewPlace) -> dict[str, sql.Composable]:
    column = new_key(inverse)
    key = sql.Identifier("n", column)
    named = _of_map(inverse, place)
    numbers: sql.Composable = sql.SQL("")
    made: sql.Composable = key
    if _type(_key(inverse)) == "UUID" and not isinstance(_target(inverse).c[column].type, pg.UUID):
        made = sql.SQL("md5({})::uuid").format(key)
    if numbered(inverse):
        table = sql.Identifier(place.state, NUMBERS)
        numbers = SQL["numbers"].format(numbers=table, key=sql.Identifier(column), **named)
        made = sql.SQL("number.legacy_key::{}").format(sql.SQL(_type(_key(inverse))))
    return {
        "map": named["map"],
        "new_legacy_key": made,
        "new_key": key,
        "target_table": sql.Identifier(place.target, str(inverse.keys)),
        "numbers": numbers,
        "condition": condition(inverse, place),
    }


def _of_map(inverse: Inverse, place: ViewPlace) -> dict[str, sql.Composable]:
    return {
        "map": sql.Identifier(place.state, map_name(str(inverse.keys))),
        "source": sql.Literal(place.source_id),
        "legacy_table": sql.Literal(inverse.name),
    }


def condition(inverse: Inverse, place: ViewPlace) -> sql.Composable:
    """Which rows of the target table (alias n) are of this source, though no map knows them."""
    return sql.SQL(inverse.new or "false").format(**_fixed(place))


def _fixed(place: ViewPlace) -> dict[str, sql.Composable]:
    return {
        "target": sql.Identifier(place.target),
        "state": sql.Identifier(place.state),
        "views": sql.Identifier(place.views),
        "source": sql.Literal(place.source_id),
        "organization": sql.SQL("{}::uuid").format(sql.Literal(place.organization)),
    }


def _archive(inverse: Inverse, place: ViewPlace, name: str) -> sql.Composed:
    columns = [
        sql.SQL("{} {}").format(sql.Identifier(one.name), sql.SQL(_archived_type(one))) for one in inverse.table.columns
    ]
    named = {"source": sql.Literal(place.source_id), "legacy_table": sql.Literal(inverse.name)}
    unless: sql.Composable = sql.SQL("")
    if inverse.keys is not None:
        unless = SQL["unless"].format(map=sql.Identifier(place.state, map_name(inverse.keys)), **named)
    return SQL[name].format(
        **named,
        archive=sql.Identifier(place.state, "legacy_archive"),
        unless=unless,
        rules=sql.SQL("{}::text[]").format(sql.Literal(list(inverse.whole))),
        record=sql.SQL(", ").join(columns),
    )


def _typed(column: Column[object], place: ViewPlace) -> sql.Composed:
    return sql.SQL("{name}::{kind} AS {alias}").format(
        name=sql.Identifier("v", column.name), kind=type_of(column, place), alias=sql.Identifier(column.name)
    )


def _archived_type(column: Column[object]) -> str:
    """The archive has lists as the JSON text of them, and bytes and labels as text."""
    found = _type(column)
    return "TEXT" if found.endswith("[]") or found == "BYTEA" else found


def _type(column: Column[object]) -> str:
    """The type of a legacy column; labels of an enum are texts until they are shown."""
    return "TEXT" if isinstance(column.type, pg.ENUM) else str(column.type.compile(pg.dialect()))  # type: ignore[no-untyped-call]


def _key(inverse: Inverse) -> Column[object]:
    return next(iter(inverse.table.primary_key.columns))


def _target(inverse: Inverse) -> Table:
    return target.metadata.tables[f"{target.metadata.schema}.{inverse.keys}"]
