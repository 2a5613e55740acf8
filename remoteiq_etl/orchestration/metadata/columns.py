"""Columns as Dagster shows them: their types and constraints, and which legacy columns they come from."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import dagster as dg
from sqlalchemy import CheckConstraint, Column, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves dialects untyped


def schema(table: Table, descriptions: Mapping[str, str] = MappingProxyType({})) -> dg.TableSchema:
    """The columns of a table, described by name, and the constraints that concern more than one of them."""
    return dg.TableSchema(
        columns=[_column(table, column, descriptions.get(column.name)) for column in table.columns],
        constraints=dg.TableConstraints(other=_of_several(table)),
    )


def _column(table: Table, column: Column[object], description: str | None) -> dg.TableColumn:
    return dg.TableColumn(
        name=column.name,
        description=description,
        type=column.type.compile(dialect=_POSTGRESQL).lower().removeprefix(f"{table.schema}."),
        constraints=dg.TableColumnConstraints(
            nullable=bool(column.nullable), unique=_is_unique(table, column), other=list(_remarks(table, column))
        ),
    )


def _remarks(table: Table, column: Column[object]) -> Iterable[str]:
    if column.primary_key:
        yield "primary key"
    for foreign_key in column.foreign_keys:
        yield f"references {foreign_key.target_fullname.removeprefix(f'{table.schema}.')}"
    if column.info.get("secret"):
        yield "secret"


def _is_unique(table: Table, column: Column[object]) -> bool:
    rules = (UniqueConstraint, PrimaryKeyConstraint)
    return any(isinstance(rule, rules) and list(rule.columns) == [column] for rule in table.constraints)


def _of_several(table: Table) -> list[str]:
    unique = [rule for rule in table.constraints if isinstance(rule, UniqueConstraint) and len(rule.columns) > 1]
    checks = [rule for rule in table.constraints if isinstance(rule, CheckConstraint)]
    named = [f"unique ({', '.join(column.name for column in rule.columns)})" for rule in unique]
    return sorted(named) + sorted(f"check ({rule.sqltext})" for rule in checks)
