"""The shape of a schema, free of names that nobody may rely on: what the drift report compares.

Belongs here: the shape's types, how our table definitions turn into it, and one spelling for SQL expressions. Does not
belong here: reading a live database (`catalogue`), and what a difference means (`drift`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, Column, DefaultClause, ForeignKeyConstraint, MetaData, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import ENUM

Columns = tuple[str, ...]

_NAME = r'(?:"(?:[^"]|"")+"|\w+)'
# A type of several words or of one, with its schema, length and brackets.
_CAST = re.compile(
    rf"::(?:{_NAME}\.)?(?:character varying|timestamp with(?:out)? time zone|double precision|{_NAME})"
    r"(?:\(\d+\))?(?:\[\])?"
)
_FUNCTION_SCHEMA = re.compile(rf"{_NAME}\.(?=gen_random_uuid\()")
_SEQUENCE_SCHEMA = re.compile(rf"nextval\('(?:{_NAME}\.)?")
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class ColumnShape:
    """One column. `default` is an expression in one spelling, `identity`, `generated`, or None; `accepted`: other types."""

    name: str
    type: str
    nullable: bool
    default: str | None
    writable: bool = True
    accepted: Columns = ()


@dataclass(frozen=True, order=True)
class ForeignKeyShape:
    """One foreign key; the order of the columns matters."""

    columns: Columns
    referred_table: str
    referred_columns: Columns
    on_delete: str

    def __str__(self) -> str:
        referred = f"{self.referred_table} ({', '.join(self.referred_columns)})"
        return f"({', '.join(self.columns)}) REFERENCES {referred} ON DELETE {self.on_delete}"


@dataclass(frozen=True)
class TableShape:
    """One table or view. `kind` is the catalogue's letter (r: table). The columns of a key are sorted by name.

    `uniques` holds every set of columns that a plain unique index or the primary key covers. `checks` maps the spelling
    that is compared to the one that is shown; `unproven` are those of them that older rows may break (NOT VALID).
    """

    name: str
    kind: str
    columns: Mapping[str, ColumnShape]
    primary_key: Columns
    uniques: frozenset[Columns]
    foreign_keys: frozenset[ForeignKeyShape]
    checks: Mapping[str, str]
    written: bool = True
    unproven: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SchemaShape:
    """All tables and views of a schema and the labels of its enum types, each by name."""

    tables: Mapping[str, TableShape]
    enums: Mapping[str, Columns]


def describe(metadata: MetaData) -> SchemaShape:
    """Return the shape that our table definitions have."""
    enums = metadata.get_schema_objects(ENUM)
    return SchemaShape(
        tables={table.name: _table(table) for table in metadata.tables.values()},
        enums={str(enum.name): tuple(enum.enums) for enum in enums},
    )


def plain_expression(expression: str) -> str:
    """Return a default in one spelling: without casts and schemas, `now()` for its synonym."""
    bare = _CAST.sub("", expression)
    bare = _SEQUENCE_SCHEMA.sub("nextval('", _FUNCTION_SCHEMA.sub("", bare))
    return "now()" if bare == "CURRENT_TIMESTAMP" else bare


def plain_check(expression: str) -> str:
    """Return a check in one spelling, good for comparing only: no casts, parentheses or white space.

    PostgreSQL 13 prints TRIM(BOTH FROM x) as btrim(x).
    """
    bare = plain_expression(expression).replace("TRIM(BOTH FROM ", "btrim(")
    return re.sub(r"[\s()]", "", bare)


def _table(table: Table) -> TableShape:
    primary_key = tuple(sorted(column.name for column in table.primary_key.columns))
    checks = [str(c.sqltext) for c in table.constraints if isinstance(c, CheckConstraint)]
    return TableShape(
        name=table.name,
        kind="r",
        columns={column.name: _column(column) for column in table.columns},
        primary_key=primary_key,
        uniques=_uniques(table) | {primary_key},
        foreign_keys=frozenset(map(_foreign_key, table.foreign_key_constraints)),
        checks={plain_check(check): check for check in checks},
        written=table.info.get("written", True),
    )


def _uniques(table: Table) -> frozenset[Columns]:
    """Return the column sets of unique constraints and of unique indexes over plain columns."""
    constraints = [c.columns for c in table.constraints if isinstance(c, UniqueConstraint)]
    indexes = [i.columns for i in table.indexes if i.unique and len(i.expressions) == len(i.columns)]
    return frozenset(tuple(sorted(column.name for column in columns)) for columns in [*constraints, *indexes])


def _foreign_key(constraint: ForeignKeyConstraint) -> ForeignKeyShape:
    return ForeignKeyShape(
        columns=tuple(constraint.column_keys),
        referred_table=constraint.referred_table.name,
        referred_columns=tuple(element.column.name for element in constraint.elements),
        on_delete=constraint.ondelete or "NO ACTION",
    )


def _column(column: Column[Any]) -> ColumnShape:
    accepted = column.info.get("accepted", ())
    return ColumnShape(column.name, _type(column), bool(column.nullable), _default(column), accepted=accepted)


def _type(column: Column[Any]) -> str:
    """Return the type as format_type prints it."""
    if isinstance(column.type, ENUM):
        return str(column.type.name)
    return column.type.compile(_DIALECT).lower()


def _default(column: Column[Any]) -> str | None:
    if column.identity is not None:
        return "identity"
    if isinstance(column.server_default, DefaultClause):
        return _clause(column.server_default)
    if column is column.table.autoincrement_column:
        return f"nextval('{column.table.name}_{column.name}_seq')"
    return None


def _clause(default: DefaultClause) -> str:
    if isinstance(default.arg, str):
        escaped = default.arg.replace("'", "''")
        return f"'{escaped}'"
    return plain_expression(str(default.arg.compile(dialect=_DIALECT)))
