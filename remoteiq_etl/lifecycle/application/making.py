"""The statements that make a part, those that take it away, and what speaks against taking it away.

Belongs here: SQL for one part. Does not belong here: when it is executed (see application).
"""

from collections.abc import Sequence
from functools import singledispatch

from psycopg import sql

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from schemas import ddl
from schemas.application.model import (
    CastPart,
    ColumnPart,
    GrantPart,
    IndexPart,
    LabelPart,
    NullablePart,
    OwnerPart,
    Part,
    PermissionPart,
    TablePart,
    TriggerPart,
    TypePart,
)

SQL = statements(__file__)

_LABELS_STAY = "PostgreSQL drops no label of an enum type"


# --- making -----------------------------------------------------------------------------------------------------------


@singledispatch
def make(part: Part, schema: str) -> Sequence[sql.Composable]:
    """The statements that make a part that is missing."""
    raise TypeError(f"no kind of part: {type(part).__name__}")


@make.register
def _(part: ColumnPart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["add_column"].format(**_of_column(part, schema), type=sql.SQL(part.type))]


@make.register
def _(part: TypePart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["to_type"].format(**_of_column(part, schema), type=sql.SQL("text"))]


@make.register
def _(part: NullablePart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["drop_not_null"].format(**_of_column(part, schema))]


@make.register
def _(part: LabelPart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["add_label"].format(enum=sql.Identifier(schema, part.enum), label=sql.Literal(part.label))]


@make.register
def _(part: TablePart, schema: str) -> Sequence[sql.Composable]:
    return [sql.SQL(one.replace("{", "{{").replace("}", "}}")).format() for one in _table_ddl(part, schema)]


@make.register
def _(part: CastPart, schema: str) -> Sequence[sql.Composable]:
    names = _of_cast(part, schema)
    words = sql.SQL(" ").join(
        sql.SQL("WHEN {} THEN {}").format(sql.Literal(word), sql.Literal(label)) for word, label in part.words.items()
    )
    read = sql.SQL('CASE upper($1 COLLATE "C") {} ELSE $1 END').format(words) if part.words else sql.SQL("$1")
    return [SQL["cast_function"].format(**names, read=read), SQL["add_cast"].format(**names)]


@make.register
def _(part: TriggerPart, schema: str) -> Sequence[sql.Composable]:
    names = _of_trigger(part, schema)
    return [
        SQL["trigger_function"].format(**names, body=sql.SQL(part.body).format(schema=sql.Identifier(schema))),
        SQL["add_trigger"].format(**names),
    ]


@make.register
def _(part: IndexPart, schema: str) -> Sequence[sql.Composable]:
    columns = sql.SQL(", ").join(map(sql.Identifier, part.columns))
    return [SQL["add_index"].format(**_of_index(part, schema), columns=columns)]


@make.register
def _(part: OwnerPart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["owner"].format(table=sql.Identifier(schema, part.table), role=sql.Identifier(part.role))]


@make.register
def _(part: PermissionPart, schema: str) -> Sequence[sql.Composable]:
    group = part.key.partition(".")[0] if "." in part.key else "other"
    names = {"key": sql.Literal(part.key), "group": sql.Literal(group), "titled": sql.Literal(group.capitalize())}
    return [SQL["add_permission"].format(permissions=sql.Identifier(schema, "permissions"), **names)]


@make.register
def _(part: GrantPart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["add_grant"].format(**_of_grant(part, schema))]


# --- taking away ------------------------------------------------------------------------------------------------------


@singledispatch
def unmake(part: Part, schema: str) -> Sequence[sql.Composable]:
    """The statements that take a part away that we made, and that nothing speaks against."""
    raise TypeError(f"no kind of part: {type(part).__name__}")


@unmake.register
def _(part: ColumnPart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["drop_column"].format(**_of_column(part, schema))]


@unmake.register
def _(part: TypePart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["to_type"].format(**_of_column(part, schema), type=sql.SQL("uuid"))]


@unmake.register
def _(part: NullablePart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["set_not_null"].format(**_of_column(part, schema))]


@unmake.register
def _(part: LabelPart, schema: str) -> Sequence[sql.Composable]:
    return []


@unmake.register
def _(part: TablePart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["drop_table"].format(table=sql.Identifier(schema, part.table.name))]


@unmake.register
def _(part: CastPart, schema: str) -> Sequence[sql.Composable]:
    names = _of_cast(part, schema)
    return [SQL["drop_cast"].format(**names), SQL["drop_cast_function"].format(**names)]


@unmake.register
def _(part: TriggerPart, schema: str) -> Sequence[sql.Composable]:
    names = _of_trigger(part, schema)
    return [SQL["drop_trigger"].format(**names), SQL["drop_trigger_function"].format(**names)]


@unmake.register
def _(part: IndexPart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["drop_index"].format(**_of_index(part, schema))]


@unmake.register
def _(part: PermissionPart, schema: str) -> Sequence[sql.Composable]:
    names = {"permissions": sql.Identifier(schema, "permissions"), "key": sql.Literal(part.key)}
    return [SQL["drop_permission"].format(**names)]


@unmake.register
def _(part: GrantPart, schema: str) -> Sequence[sql.Composable]:
    return [SQL["drop_grant"].format(**_of_grant(part, schema))]


# --- what stays -------------------------------------------------------------------------------------------------------


def kept_because(part: Part, session: Session, schema: str) -> str | None:
    """Why a part that we made stays: what is in it is others', or it cannot be undone. None: it may go."""
    if isinstance(part, LabelPart):
        return _LABELS_STAY
    if isinstance(part, TablePart):
        query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(schema, part.table.name))
        return "it holds rows" if session.value(query) else None
    if isinstance(part, PermissionPart):
        grants = sql.Identifier(schema, "role_permissions")
        query = SQL["is_held"].format(role_permissions=grants, key=sql.Literal(part.key))
        return "a role holds it" if session.value(query) else None
    if isinstance(part, ColumnPart | TypePart | NullablePart):
        query = SQL[_SPEAKS_AGAINST[type(part)]].format(**_of_column(part, schema))
        return _WHY[type(part)] if session.value(query) else None
    return None


_SPEAKS_AGAINST = {ColumnPart: "has_values", TypePart: "has_other_than_uuids", NullablePart: "has_nulls"}
_WHY = {ColumnPart: "it holds values", TypePart: "not all of its values are uuids", NullablePart: "some rows have none"}


# --- names ------------------------------------------------------------------------------------------------------------


def _table_ddl(part: TablePart, schema: str) -> list[str]:
    return ddl.table_ddl(part.table, schema, foreign_keys=True, indexes=True)


def _of_column(part: ColumnPart | TypePart | NullablePart, schema: str) -> dict[str, sql.Composable]:
    return {"table": sql.Identifier(schema, part.table), "column": sql.Identifier(part.column)}


def _of_cast(part: CastPart, schema: str) -> dict[str, sql.Composable]:
    return {"enum": sql.Identifier(schema, part.enum), "function": sql.Identifier(schema, part.function)}


def _of_trigger(part: TriggerPart, schema: str) -> dict[str, sql.Composable]:
    return {
        "table": sql.Identifier(schema, part.table),
        "trigger": sql.Identifier(part.trigger),
        "function": sql.Identifier(schema, part.trigger),
    }


def _of_index(part: IndexPart, schema: str) -> dict[str, sql.Composable]:
    return {
        "table": sql.Identifier(schema, part.table),
        "name": sql.Identifier(part.index),
        "index": sql.Identifier(schema, part.index),
    }


def _of_grant(part: GrantPart, schema: str) -> dict[str, sql.Composable]:
    return {
        "role_permissions": sql.Identifier(schema, "role_permissions"),
        "role": sql.Literal(part.role),
        "key": sql.Literal(part.key),
    }
