"""Whether a part is there, missing, or there in a form that the application cannot use. Pure: of a catalogue that was read.

Belongs here: that judgement. Does not belong here: making a part (see making).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import singledispatch

from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

from remoteiq_etl.lifecycle.application.catalogue import Catalogue
from schemas.application.model import (
    CastPart,
    ColumnPart,
    GrantPart,
    IndexPart,
    LabelPart,
    NullablePart,
    OwnerPart,
    PairPart,
    Part,
    PermissionPart,
    TablePart,
    TriggerPart,
    TypePart,
)

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
#: Types whose values the application takes for each other.
_FAMILIES = (
    frozenset({"text", "character varying", "citext", "character"}),
    frozenset({"smallint", "integer", "bigint"}),
    frozenset({"timestamp with time zone"}),
    frozenset({"jsonb", "json"}),
)
#: What stands in a table of text or uuid keys alike.
_KEYS = frozenset({"uuid", "text"})


class PartKind(StrEnum):
    """How a part stands."""

    THERE = "there"
    MISSING = "missing"
    INCOMPATIBLE = "incompatible"


@dataclass(frozen=True)
class PartStanding:
    """How a part stands, and of an incompatible one why."""

    kind: PartKind
    why: str = ""


_THERE, _MISSING = PartStanding(PartKind.THERE), PartStanding(PartKind.MISSING)


@singledispatch
def standing(part: Part, found: Catalogue) -> PartStanding:
    """How a part stands in the target."""
    raise TypeError(f"no kind of part: {type(part).__name__}")


@standing.register
def _column(part: ColumnPart, found: Catalogue) -> PartStanding:
    live = found.columns.get((part.table, part.column))
    if live is not None:
        return _THERE if _fits(part.type, live.type) else _wrong(f"is of the type {live.type}, not {part.type}")
    return _of_table(part.table, found)


@standing.register
def _type(part: TypePart, found: Catalogue) -> PartStanding:
    live = found.columns.get((part.table, part.column))
    if live is None:
        return _wrong("is not there")
    if _fits("text", live.type):
        return _THERE
    return _MISSING if live.type == "uuid" else _wrong(f"is of the type {live.type}, neither text nor uuid")


@standing.register
def _nullable(part: NullablePart, found: Catalogue) -> PartStanding:
    live = found.columns.get((part.table, part.column))
    if live is None:
        return _wrong("is not there")
    return _THERE if live.nullable else _MISSING


@standing.register
def _label(part: LabelPart, found: Catalogue) -> PartStanding:
    if part.enum not in found.enums:
        return _wrong("there is no such enum type")
    return _THERE if (part.enum, part.label) in found.labels else _MISSING


@standing.register
def _cast(part: CastPart, found: Catalogue) -> PartStanding:
    if part.enum not in found.enums:
        return _wrong("there is no such enum type")
    context = found.casts.get(part.enum)
    if context is None:
        return _MISSING
    return _wrong("there is one that must be asked for") if context == "e" else _THERE


@standing.register
def _trigger(part: TriggerPart, found: Catalogue) -> PartStanding:
    return _THERE if (part.table, part.trigger) in found.triggers else _of_table(part.table, found)


@standing.register
def _index(part: IndexPart, found: Catalogue) -> PartStanding:
    return _THERE if (part.table, tuple(sorted(part.columns))) in found.uniques else _of_table(part.table, found)


@standing.register
def _table(part: TablePart, found: Catalogue) -> PartStanding:
    table = part.table
    kind = found.kinds.get(table.name)
    if kind is None:
        return _MISSING
    if kind not in ("r", "p"):
        return _wrong("is no table")
    problems = [*_columns(table, found), *_key(table, found)]
    return _wrong("; ".join(problems)) if problems else _THERE


@standing.register
def _pair(part: PairPart, found: Catalogue) -> PartStanding:
    sides, names = (part.source, part.table.name), (part.trigger, f"{part.trigger}_lock")
    is_there = {(table, name) for table in sides for name in names} <= found.triggers
    return _THERE if is_there else _of_table(part.source, found)


@standing.register
def _owner(part: OwnerPart, found: Catalogue) -> PartStanding:
    return _THERE if found.owners.get(part.table) == part.role else _MISSING


@standing.register
def _permission(part: PermissionPart, found: Catalogue) -> PartStanding:
    return _THERE if part.key in found.permissions else _of_table("permissions", found)


@standing.register
def _grant(part: GrantPart, found: Catalogue) -> PartStanding:
    return _THERE if (part.role, part.key) in found.grants else _of_table("role_permissions", found)


def _columns(table: Table, found: Catalogue) -> Iterator[str]:
    for column in table.columns:
        live = found.columns.get((table.name, column.name))
        if live is None:
            yield f"has no column {column.name}"
        elif not any(_fits(type_, live.type) for type_ in _types(column)):
            yield f"{column.name} is of the type {live.type}, not {type_of(column)}"


def _key(table: Table, found: Catalogue) -> Iterator[str]:
    key = tuple(sorted(column.name for column in table.primary_key.columns))
    if key and (table.name, key) not in found.uniques:
        yield f"nothing makes {', '.join(key)} unique"


def type_of(column: Column[object]) -> str:
    """The type of a declared column, as the catalogue spells it."""
    return column.type.compile(dialect=_DIALECT).lower()


def _types(column: Column[object]) -> tuple[str, ...]:
    own = type_of(column)
    accepted: tuple[str, ...] = column.info.get("accepted", ())
    return (own, *accepted, *(_KEYS if own == "uuid" else ()))


def _fits(wanted: str, live: str) -> bool:
    return wanted == live or any(wanted in family and live in family for family in _FAMILIES)


def _of_table(table: str, found: Catalogue) -> PartStanding:
    return _MISSING if found.kinds.get(table) in ("r", "p") else _wrong(f"there is no table {table}")


def _wrong(why: str) -> PartStanding:
    return PartStanding(PartKind.INCOMPATIBLE, why)
