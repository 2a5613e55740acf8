"""Values of a target column as expressions: its default, and the forms in which it is compared.

Belongs here: what follows from the definition of one column. Does not belong here: statements (see merge).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from psycopg import sql
from sqlalchemy import Column, MetaData, Table
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.schema import CreateTable

from remoteiq_etl.frames.dtypes import cast_type
from remoteiq_etl.postgres.row_hash import row_hash
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.spec.transform_context import EMPTY
from remoteiq_etl.state.target_access import TargetAccess, statement_names

SQL = statements(__file__)

NEVER_COMPARED = frozenset({"updated_at"})

#: In what was last written: by JSON column with secret parts the keyed hash of its clear value. No column is named so.
SECRET_PARTS = "#secrets"  # noqa: S105  # a name

#: The same for a row that a trigger of the target changed: the hash of what was given to it, in hexadecimal.
GIVEN = "#given"

_DIALECT = pg.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


#: Defaults as the catalogue writes them, of which every row has the same value.
CONSTANT = re.compile(r"(?:'(?:[^']|'')*'|-?[0-9.]+|true|false)(?:::[^()]+(?:\([0-9,]+\))?)?")


def T_column(column: Column[Any]) -> sql.Composed:  # noqa: N802  # the alias of the target in every statement
    """A column of the target row."""
    return sql.SQL("t.{}").format(sql.Identifier(column.name))


def counted(column: Column[Any], value: sql.Composable) -> sql.Composable:
    """A value, or NULL where it is the constant that the column has by default."""
    default = default_of(column, of_any=True)
    if default is None or not CONSTANT.fullmatch(default.as_string(None)):
        return value
    return sql.SQL("nullif(({})::text, ({})::{}::text)").format(value, default, sql.SQL(cast_type(column)))


def written_hash(pairs: Sequence[tuple[Column[Any], sql.Composable]]) -> sql.Composable:
    """The hash of what is written to these columns.

    A column that a running installation adds counts only where it has another value than its default: when it appears,
    a row that nobody edited still is as it was last written.
    """
    further = [(column.name, counted(column, value)) for column, value in pairs if column.info.get("optional")]
    return row_hash(
        [value for column, value in pairs if not column.info.get("optional")], sorted(further, key=itemgetter(0))
    )


def comparable(column: Column[Any], value: sql.Composable) -> sql.Composable:
    """A value in a form that can be compared: of the types that an installation may have added, json for one cannot."""
    return sql.SQL("({})::text").format(value) if "cast" in column.info else value


def default_of(column: Column[Any], *, of_any: bool = False) -> sql.Composable | None:
    """The default that stands in for a null of a NOT NULL column (or `of_any`); None where a null stays (or fails)."""
    if (column.nullable and not of_any) or column.primary_key or column.server_default is None:
        return None
    # Of any table: that of the column would be compiled with its foreign keys, and a live table's copy stands alone.
    compiler = _DIALECT.ddl_compiler(_DIALECT, CreateTable(Table("any", MetaData())))
    text = compiler.get_column_default_string(column)
    return None if text is None else sql.SQL(text.replace("{", "{{").replace("}", "}}")).format()


def assignments(pairs: Iterable[tuple[Column[Any], sql.Composable]]) -> sql.Composed:
    """The assignments of an UPDATE."""
    return sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(column.name), value) for column, value in pairs)


def recorded(column: Column[Any], value: sql.Composable, state_schema: str) -> sql.Composable:
    """A value in the form in which `last_written` holds it: a secret as its keyed hash, JSON without its secrets."""
    if is_secret(column):
        return sql.SQL("encode({}, 'hex')").format(row_hash([value]))
    if isinstance(column.type, pg.JSON):
        return sql.SQL("{}({}::jsonb)").format(sql.Identifier(state_schema, "redacted"), value)
    return value


def secret_parts(column: Column[Any], value: sql.Composable, state_schema: str) -> sql.Composable:
    """The keyed hash of a JSON value that `last_written` holds without its secrets; NULL where it has none."""
    return sql.SQL("CASE WHEN {} <> {}::jsonb THEN encode({}, 'hex') END").format(
        recorded(column, value, state_schema), value, row_hash([sql.SQL("{}::jsonb").format(value)])
    )


def differs_from_written(column: Column[Any], value: sql.Composable, state_schema: str) -> sql.Composable:
    """Whether a value is another than the one that `last_written` of the map (m) holds; never null.

    Both sides are redacted, and a secret is compared by its keyed hash: of a JSON value with secrets where that was kept.
    """
    name = sql.Literal(column.name)
    differs = sql.SQL("coalesce(to_jsonb({}), 'null') <> coalesce(m.last_written -> {}, 'null')").format(
        recorded(column, value, state_schema), name
    )
    if not isinstance(column.type, pg.JSON) or is_secret(column):
        return differs
    return sql.SQL("({} OR coalesce(m.last_written -> {} ->> {} <> encode({}, 'hex'), false))").format(
        differs, sql.Literal(SECRET_PARTS), name, row_hash([sql.SQL("{}::jsonb").format(value)])
    )


def remember_written(access: TargetAccess, spec: TableSpec, legacy_table: str, columns: Sequence[str]) -> None:
    """Keep the hashed columns of one table and legacy table; they change with the transform and the optional columns."""
    statement = SQL["written_columns"].format(**statement_names(access, spec, legacy_table))
    access.session.execute(statement, {"columns": list(columns)})


def current_hash(
    access: TargetAccess,
    spec: TableSpec,
    legacy_table: str,
    row: str = "t",
    instead: Mapping[str, sql.Composable] = EMPTY,
) -> sql.Composable:
    """The hash of a target row over the columns that were last written; NULL when they are not known or not there.

    `instead`: expressions that stand in for columns, where the hash after a change is wanted.
    """
    columns = written_columns(access, spec, legacy_table)
    if columns is None or not set(columns) <= set(spec.target.columns.keys()):
        return sql.SQL("NULL::bytea")
    return written_hash([(spec.target.columns[name], instead.get(name, sql.Identifier(row, name))) for name in columns])


def written_columns(access: TargetAccess, spec: TableSpec, legacy_table: str) -> list[str] | None:
    """The columns that the hash of what was last written covers; None where nothing was written."""
    query = sql.SQL(
        "SELECT columns FROM {written_columns} WHERE source_id = {source_id} AND table_name = {table_name}"
        " AND legacy_table = {legacy_table}"
    )
    found: list[str] | None = access.session.value(query.format(**statement_names(access, spec, legacy_table)))
    return found
