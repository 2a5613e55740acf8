"""Asking an opinion: EXCEPT both ways between what it says and what the target holds.

Belongs here: the comparison and which rows and columns differ. Does not belong here: why they do (see labels).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import Column, DefaultClause, Table

from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.verify.expected.expectation import Expectation
from remoteiq_etl.verify.expected.legacy_copy import LegacyCopy, legacy_table
from schemas import target
from schemas.target.optional import OPTIONAL_COLUMNS

SQL = statements(__file__)

#: What an opinion returns besides the columns of its target.
ORIGIN = ("_legacy_table", "_legacy_key")


@dataclass(frozen=True)
class RowDifference:
    """One row that differs. `kind`: missing (only expected), surplus (only in the target) or changed, in these `columns`.

    `key` is the target key as the map writes it, None where the legacy row has none. `legacy_table` and `legacy_key` say
    where it comes from: as the opinion says, of a surplus row as the map does.
    """

    table: str
    kind: str
    key: str | None
    legacy_table: str | None
    legacy_key: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """What one range of rows gave: how many the opinion expects, which differ, and which columns were compared."""

    expected: int
    differences: list[RowDifference]
    columns: tuple[str, ...] = ()


def ask(
    expectation: Expectation, legacy_copy: LegacyCopy, schema: str, only: sql.Composable | None = None
) -> Iterator[Asked]:
    """Compare what an opinion says with the target: once, or for each range of its rows.

    `only`: of an opinion with ranges, the condition on the legacy rows (alias l) to be compared. While a result is looked
    at, what the opinion expects of its range lies in pg_temp.expected. The maps must be offered (see Mirror). Raises
    ConfigurationError when the opinion leaves a column of the target out without a reason.
    """
    for name, columns in expectation.reads.items():
        legacy_copy.whole(name, columns)
    legacy_copy.offer_target(schema, expectation.target)
    with legacy_copy.made(expectation.once):
        if expectation.rows is None:
            yield _ask_once(expectation, legacy_copy.session, schema)
            return
        for _ in legacy_copy.ranges(expectation.rows, only):
            yield _ask_once(expectation, legacy_copy.session, schema)


def _ask_once(expectation: Expectation, session: Session, schema: str) -> Asked:
    columns = compared(expectation, session, schema)
    session.execute("DROP TABLE IF EXISTS pg_temp.expected")
    listed = sql.SQL(", ").join(
        sql.SQL("e.{0}::{1} AS {0}").format(sql.Identifier(n), sql.SQL(t)) for n, t in columns.items()
    )
    create = sql.SQL(
        "CREATE TEMP TABLE expected AS SELECT e._legacy_table, e._legacy_key::text AS _legacy_key, {} FROM ({}) AS e"
    )
    count = session.execute(create.format(listed, sql.SQL(expectation.query))).rowcount
    _take_defaults(expectation, list(columns), session, schema)
    key_type = str(session.value(SQL["key_type"], {"map": f"map_{expectation.target}"}))
    query = SQL["compare"].format(**_parts(expectation, columns, schema, key_type))
    parameters = {"covers": list(expectation.covers) or None}
    found = session.objects(_Found, query, parameters)
    return Asked(count, [one.difference(expectation.target) for one in found], tuple(columns))


def _take_defaults(expectation: Expectation, columns: list[str], session: Session, schema: str) -> None:
    """Take what an opinion left null, and cannot be, over from the target: it has the default of its insert."""
    table = _table(expectation)
    names = [name for name in columns if name in table.columns and _is_insert_time(table.columns[name])]
    filled_by_default = [sql.Identifier(name) for name in [*names, *_required(expectation, columns, session, schema)]]
    missing = sql.SQL(" OR ").join(sql.SQL("e.{} IS NULL").format(name) for name in filled_by_default)
    found = sql.SQL("SELECT EXISTS (SELECT FROM pg_temp.expected AS e WHERE {})")
    if filled_by_default and session.value(found.format(missing)):
        filled = sql.SQL(", ").join(sql.SQL("{0} = coalesce(e.{0}, t.{0})").format(name) for name in filled_by_default)
        keys = (sql.SQL("t.{0} = e.{0}").format(sql.Identifier(column.name)) for column in table.primary_key.columns)
        parts = {"filled": filled, "missing": missing, "same": sql.SQL(" AND ").join(keys)}
        session.execute(SQL["defaults"].format(target=sql.Identifier(schema, expectation.target), **parts))


def _required(expectation: Expectation, columns: list[str], session: Session, schema: str) -> list[str]:
    """The optional columns that this target has and requires."""
    optional = [name for name in columns if name in OPTIONAL_COLUMNS.get(expectation.target, ())]
    place = {"schema": schema, "table": expectation.target, "names": optional}
    return [row[0] for row in session.rows(SQL["required"], place)] if optional else []


def _is_insert_time(column: Column[Any]) -> bool:
    default = column.server_default
    return not column.nullable and isinstance(default, DefaultClause) and "now()" in str(default.arg)


@dataclass(frozen=True)
class _Found:
    kind: str
    key: str | None
    legacy_table: str | None
    legacy_key: str | None
    columns: list[str]

    def difference(self, table: str) -> RowDifference:
        return RowDifference(table, self.kind, self.key, self.legacy_table, self.legacy_key, tuple(self.columns))


def compared(expectation: Expectation, session: Session, schema: str) -> Mapping[str, str]:
    """The columns that an opinion is compared by, with the types that both sides are cast to.

    Raises ConfigurationError when it says nothing of a column that the target has and the redesign knows.
    """
    live: dict[str, str] = dict(session.rows(SQL["columns"], {"schema": schema, "table": expectation.target}))
    probe = sql.SQL("SELECT * FROM ({}) AS e LIMIT 0").format(sql.SQL(expectation.query))
    said = [column.name for column in session.execute(probe).description or ()]
    known = [column.name for column in _table(expectation).columns]
    silent = [name for name in known if name in live and name not in said and name not in expectation.not_compared]
    if silent or not set(ORIGIN) <= set(said):
        raise ConfigurationError(
            f"expected/{expectation.domain}/{expectation.name}.sql: expected {', '.join(ORIGIN)} and every column of"
            f" {expectation.target} in its result, or a line `-- not compared: column: reason`; missing:"
            f" {', '.join(silent) or ', '.join(ORIGIN)}"
        )
    return {name: live[name] for name in said if name in live}


def _parts(
    expectation: Expectation, columns: Mapping[str, str], schema: str, key_type: str
) -> dict[str, sql.Composable]:
    keys = [column.name for column in _table(expectation).primary_key.columns]

    def listed(template: str) -> sql.Composed:
        items = [
            sql.SQL(template).format(name=sql.Identifier(name), kind=sql.SQL(kind), text=sql.Literal(name))
            for name, kind in columns.items()
        ]
        return sql.SQL(", ").join(items)

    same = sql.SQL(" AND ").join(sql.SQL("m.{0} = s.{0}").format(sql.Identifier(name)) for name in keys)
    origin = sql.SQL(" AND ").join(sql.SQL("e.{0} = m.{0}").format(sql.Identifier(name)) for name in keys)
    return {
        "target": sql.Identifier(schema, expectation.target),
        "map": sql.Identifier(f"map_{expectation.target}"),
        "columns": listed("{name}"),
        "cast": listed("t.{name}::{kind} AS {name}"),
        "differing": listed("CASE WHEN m.{name} IS DISTINCT FROM s.{name} THEN {text} END"),
        "missing_key": target_key(keys, "m"),
        "surplus_key": target_key(keys, "s"),
        "same": same,
        "origin": origin,
        "keys": sql.SQL(", ").join(map(sql.Identifier, keys)),
        "either_key": sql.SQL(", ").join(
            sql.SQL("coalesce(m.{0}, s.{0}) AS {0}").format(sql.Identifier(one)) for one in keys
        ),
        "expected_values": listed("m.{name}"),
        "actual_values": listed("s.{name}"),
        "any_key": sql.Identifier(keys[0]),
        "keyed": sql.SQL("(({}) IS NOT NULL)").format(sql.SQL(", ").join(map(sql.Identifier, keys))),
        "in_map": _in_map(keys, "t"),
        "surplus_in_map": _in_map(keys, "s"),
        "in_range": _in_range(expectation, key_type),
    }


def target_key(names: list[str], row: str) -> sql.Composed:
    """The key of a target row as the map writes it."""
    if len(names) == 1:
        return sql.SQL("{}::text").format(sql.Identifier(row, names[0]))
    parts = sql.SQL(" || ',' || ").join(
        sql.SQL("to_json({}::text)::text").format(sql.Identifier(row, name)) for name in names
    )
    return sql.SQL("CASE WHEN {} IS NOT NULL THEN '[' || {} || ']' END").format(sql.Identifier(row, names[0]), parts)


def _in_map(names: list[str], row: str) -> sql.Composed:
    if len(names) == 1:
        return sql.SQL("{} = k.new_key").format(sql.Identifier(row, names[0]))
    parts = [
        sql.SQL("{}::text = (k.new_key::jsonb ->> {})").format(sql.Identifier(row, name), sql.Literal(position))
        for position, name in enumerate(names)
    ]
    return sql.SQL(" AND ").join(parts)


def _in_range(expectation: Expectation, key_type: str) -> sql.Composable:
    """Of a range of rows only the entries of its keys count; these are text where the map has those of several tables."""
    if expectation.rows is None:
        return sql.SQL("true")
    (key,) = legacy_table(expectation.rows).primary_key.columns
    return sql.SQL("k.legacy_key IN (SELECT {}::{} FROM pg_temp.{})").format(
        sql.Identifier(key.name), sql.SQL(key_type), sql.Identifier(f"legacy_{expectation.rows}")
    )


def _table(expectation: Expectation) -> Table:
    return target.metadata.tables[f"{target.metadata.schema}.{expectation.target}"]
