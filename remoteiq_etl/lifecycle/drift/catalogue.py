"""Reads the shape of a live schema from pg_catalog. Read-only, and any role that may connect can do it.

Belongs here: queries of the catalogue and nothing that judges what they find (`drift`).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import psycopg
from psycopg.rows import class_row

from remoteiq_etl.lifecycle.drift.shape import (
    Columns,
    ColumnShape,
    ForeignKeyShape,
    SchemaShape,
    TableShape,
    plain_check,
    plain_expression,
)
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)


@dataclass(frozen=True)
class _TableRow:
    name: str
    kind: str


@dataclass(frozen=True)
class _ColumnRow:
    table_name: str
    name: str
    type: str
    nullable: bool
    default_value: str | None
    writable: bool


@dataclass(frozen=True)
class _KeyRow:
    table_name: str
    is_primary: bool
    columns: list[str]


@dataclass(frozen=True)
class _ForeignKeyRow:
    table_name: str
    columns: list[str]
    referred_table: str
    referred_columns: list[str]
    on_delete: str


@dataclass(frozen=True)
class _CheckRow:
    table_name: str
    expression: str
    validated: bool


@dataclass(frozen=True)
class _EnumRow:
    name: str
    label: str


_Row = TypeVar("_Row", _TableRow, _ColumnRow, _KeyRow, _ForeignKeyRow, _CheckRow, _EnumRow)
_TableParts = TypeVar("_TableParts", _ColumnRow, _KeyRow, _ForeignKeyRow, _CheckRow)


def schema_exists(connection: psycopg.Connection, schema: str) -> bool:
    """Tell whether the database has a schema of that name."""
    query = "SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s"
    return connection.execute(query, [schema]).rowcount == 1


def read_schema(connection: psycopg.Connection, schema: str) -> SchemaShape:
    """Return the shape of a schema; one that does not exist looks empty."""
    columns = _by_table(_rows(connection, _ColumnRow, "columns", schema))
    keys = _by_table(_rows(connection, _KeyRow, "keys", schema))
    foreign_keys = _by_table(_rows(connection, _ForeignKeyRow, "foreign_keys", schema))
    checks = _by_table(_rows(connection, _CheckRow, "checks", schema))
    tables = [
        _table(row, columns[row.name], keys[row.name], foreign_keys[row.name], checks[row.name])
        for row in _rows(connection, _TableRow, "tables", schema)
    ]
    return SchemaShape({table.name: table for table in tables}, _enums(connection, schema))


def unique_columns(connection: psycopg.Connection, schema: str) -> dict[str, list[Columns]]:
    """Return the columns of every unique constraint and index of a schema by table, without the primary keys."""
    found: defaultdict[str, list[Columns]] = defaultdict(list)
    for key in _rows(connection, _KeyRow, "keys", schema):
        if not key.is_primary:
            found[key.table_name].append(tuple(key.columns))
    return dict(found)


def _table(
    row: _TableRow,
    columns: list[_ColumnRow],
    keys: list[_KeyRow],
    foreign_keys: list[_ForeignKeyRow],
    checks: list[_CheckRow],
) -> TableShape:
    return TableShape(
        name=row.name,
        kind=row.kind,
        columns={column.name: _column(column) for column in columns},
        primary_key=next((tuple(key.columns) for key in keys if key.is_primary), ()),
        uniques=frozenset(tuple(key.columns) for key in keys),
        foreign_keys=frozenset(map(_foreign_key, foreign_keys)),
        checks={plain_check(check.expression): check.expression for check in checks},
        unproven=frozenset(plain_check(check.expression) for check in checks if not check.validated),
    )


def _column(row: _ColumnRow) -> ColumnShape:
    default = None if row.default_value is None else plain_expression(row.default_value)
    return ColumnShape(row.name, row.type, row.nullable, default, row.writable)


def _foreign_key(row: _ForeignKeyRow) -> ForeignKeyShape:
    return ForeignKeyShape(tuple(row.columns), row.referred_table, tuple(row.referred_columns), row.on_delete)


def _enums(connection: psycopg.Connection, schema: str) -> dict[str, Columns]:
    labels: defaultdict[str, list[str]] = defaultdict(list)
    for row in _rows(connection, _EnumRow, "enums", schema):
        labels[row.name].append(row.label)
    return {name: tuple(found) for name, found in labels.items()}


def _by_table(rows: Iterable[_TableParts]) -> defaultdict[str, list[_TableParts]]:
    tables: defaultdict[str, list[_TableParts]] = defaultdict(list)
    for row in rows:
        tables[row.table_name].append(row)
    return tables


def _rows(connection: psycopg.Connection, row_type: type[_Row], what: str, schema: str) -> list[_Row]:
    with connection.cursor(row_factory=class_row(row_type)) as cursor:
        return cursor.execute(SQL[what], {"schema": schema}).fetchall()
