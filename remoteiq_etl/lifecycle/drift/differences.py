"""Lists where two shapes of a schema differ, whatever that means.

Belongs here: pure functions over shapes. Does not belong here: which difference blocks, and what to do (`verdicts`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from remoteiq_etl.lifecycle.drift.shape import Columns, ColumnShape, ForeignKeyShape, SchemaShape, TableShape

RELATIONS = {"r": "table", "p": "partitioned table", "f": "foreign table", "v": "view", "m": "materialized view"}
"""The catalogue's letters in words."""

# Only the rows of these have the system column xmin, by which changes are found.
_STORED = frozenset("rp")

# What can be read as the type before the colon without loss. Enum types are read as text.
_READABLE = {
    "text": {"character varying", "character", "citext", "name"},
    "text[]": {"character varying[]", "citext[]"},
    "bigint": {"integer", "smallint"},
    "integer": {"smallint"},
    "jsonb": {"json"},
    "inet": {"cidr"},
}


class DifferenceKind(StrEnum):
    """What sort of difference it is. `looser` and `stricter` are said of the live column."""

    MISSING_SCHEMA = "missing_schema"
    EMPTY_SCHEMA = "empty_schema"
    FOREIGN_DATABASE = "foreign_database"
    MISSING_TABLE = "missing_table"
    EXTRA_TABLE = "extra_table"
    EXTRA_VIEW = "extra_view"
    DIFFERING_TABLE = "differing_table"
    MISSING_COLUMN = "missing_column"
    EXTRA_COLUMN = "extra_column"
    REQUIRED_COLUMN = "required_column"
    OPTIONAL_COLUMN = "optional_column"
    READ_ONLY_COLUMN = "read_only_column"
    DIFFERING_TYPE = "differing_type"
    READABLE_TYPE = "readable_type"
    ACCEPTED_TYPE = "accepted_type"
    LOOSER_COLUMN = "looser_column"
    STRICTER_COLUMN = "stricter_column"
    MISSING_DEFAULT = "missing_default"
    DIFFERING_DEFAULT = "differing_default"
    MISSING_ENUM = "missing_enum"
    MISSING_LABEL = "missing_label"
    EXTRA_LABEL = "extra_label"
    MISSING_PRIMARY_KEY = "missing_primary_key"
    MISSING_UNIQUE = "missing_unique"
    EXTRA_UNIQUE = "extra_unique"
    MISSING_FOREIGN_KEY = "missing_foreign_key"
    EXTRA_FOREIGN_KEY = "extra_foreign_key"
    MISSING_CHECK = "missing_check"
    EXTRA_CHECK = "extra_check"
    BROKEN_CHECK = "broken_check"
    UNREADABLE_KEY = "unreadable_key"
    HIDDEN_ROWS = "hidden_rows"


@dataclass(frozen=True)
class SchemaDifference:
    """One difference. For an enum type, `table` is the type and `column` the label; columns are joined by a comma."""

    kind: DifferenceKind
    table: str | None = None
    column: str | None = None
    expected: str | None = None
    found: str | None = None


def differences(
    expected: SchemaShape, found: SchemaShape, optional: Mapping[str, Columns]
) -> Iterator[SchemaDifference]:
    """Yield every difference, in no particular order. `optional`: known extra columns by table."""
    yield from _tables(expected, found)
    yield from _enums(expected, found)
    enums = frozenset({*expected.enums, *found.enums})
    for name, table in expected.tables.items():
        if name in found.tables:
            yield from _table(table, found.tables[name], optional.get(name, ()), enums)


def _tables(expected: SchemaShape, found: SchemaShape) -> Iterator[SchemaDifference]:
    for name in expected.tables.keys() - found.tables.keys():
        yield SchemaDifference(DifferenceKind.MISSING_TABLE, name, expected="table")
    for name in found.tables.keys() - expected.tables.keys():
        letter = found.tables[name].kind
        kind = DifferenceKind.EXTRA_VIEW if letter in "vm" else DifferenceKind.EXTRA_TABLE
        yield SchemaDifference(kind, name, found=RELATIONS[letter])


def _enums(expected: SchemaShape, found: SchemaShape) -> Iterator[SchemaDifference]:
    for name, labels in expected.enums.items():
        if name in found.enums:
            yield from _labels(name, labels, found.enums[name])
        else:
            yield SchemaDifference(DifferenceKind.MISSING_ENUM, name, expected=", ".join(labels))


def _labels(enum: str, expected: Columns, found: Columns) -> Iterator[SchemaDifference]:
    for label in set(expected) - set(found):
        yield SchemaDifference(DifferenceKind.MISSING_LABEL, enum, label, expected=label)
    for label in set(found) - set(expected):
        yield SchemaDifference(DifferenceKind.EXTRA_LABEL, enum, label, found=label)


def _table(
    expected: TableShape, found: TableShape, optional: Columns, enums: frozenset[str]
) -> Iterator[SchemaDifference]:
    if found.kind not in _STORED:
        yield SchemaDifference(
            DifferenceKind.DIFFERING_TABLE, expected.name, expected="table", found=RELATIONS[found.kind]
        )
        return
    yield from _extra_columns(expected, found, optional)
    for name, column in expected.columns.items():
        if name in found.columns:
            yield from _column(expected.name, column, found.columns[name], enums)
        else:
            yield SchemaDifference(DifferenceKind.MISSING_COLUMN, expected.name, name, expected=_full_type(column))
    yield from _keys(expected, found)
    yield from _foreign_keys(expected, found)
    yield from _checks(expected, found)


def _extra_columns(expected: TableShape, found: TableShape, optional: Columns) -> Iterator[SchemaDifference]:
    for name in found.columns.keys() - expected.columns.keys():
        column = found.columns[name]
        kind = DifferenceKind.OPTIONAL_COLUMN if name in optional and column.writable else _extra_kind(column)
        yield SchemaDifference(kind, expected.name, name, found=_full_type(column))


def _extra_kind(column: ColumnShape) -> DifferenceKind:
    required = not column.nullable and column.default is None
    return DifferenceKind.REQUIRED_COLUMN if required else DifferenceKind.EXTRA_COLUMN


def _full_type(column: ColumnShape) -> str:
    return column.type if column.nullable else f"{column.type} NOT NULL"


def _column(table: str, expected: ColumnShape, found: ColumnShape, enums: frozenset[str]) -> Iterator[SchemaDifference]:
    if expected.type != found.type:
        kind = _type_kind(expected, found, enums)
        yield SchemaDifference(kind, table, expected.name, expected.type, found.type)
    if expected.nullable != found.nullable:
        kind = DifferenceKind.LOOSER_COLUMN if found.nullable else DifferenceKind.STRICTER_COLUMN
        yield SchemaDifference(kind, table, expected.name, _full_type(expected), _full_type(found))
    yield from _default(table, expected, found)


def _type_kind(expected: ColumnShape, found: ColumnShape, enums: frozenset[str]) -> DifferenceKind:
    if found.type in expected.accepted:
        return DifferenceKind.ACCEPTED_TYPE
    readable = _is_readable(expected.type, found.type, enums)
    return DifferenceKind.READABLE_TYPE if readable else DifferenceKind.DIFFERING_TYPE


def _is_readable(expected: str, found: str, enums: frozenset[str]) -> bool:
    """Tell whether every value of the found type is a value of the expected one. `enums`: the names of enum types."""
    bare = re.sub(r"\(\d+\)", "", found)
    if bare == expected:
        return True
    if expected == "text" or expected in enums:
        return bare in _READABLE["text"] or bare == "text" or bare in enums
    return bare in _READABLE.get(expected, ())


def _default(table: str, expected: ColumnShape, found: ColumnShape) -> Iterator[SchemaDifference]:
    if not found.writable:
        yield SchemaDifference(
            DifferenceKind.READ_ONLY_COLUMN, table, expected.name, expected.default, f"always {found.default}"
        )
    elif expected.default != found.default:
        lost = found.default is None and not found.nullable
        kind = DifferenceKind.MISSING_DEFAULT if lost else DifferenceKind.DIFFERING_DEFAULT
        yield SchemaDifference(kind, table, expected.name, expected.default, found.default)


def _keys(expected: TableShape, found: TableShape) -> Iterator[SchemaDifference]:
    primary_key = expected.primary_key
    if primary_key not in found.uniques:
        columns = ", ".join(primary_key)
        yield SchemaDifference(DifferenceKind.MISSING_PRIMARY_KEY, expected.name, columns, f"PRIMARY KEY ({columns})")
    for key in expected.uniques - found.uniques - {primary_key}:
        columns = ", ".join(key)
        yield SchemaDifference(DifferenceKind.MISSING_UNIQUE, expected.name, columns, expected=f"UNIQUE ({columns})")
    for key in found.uniques - expected.uniques:
        columns = ", ".join(key)
        yield SchemaDifference(DifferenceKind.EXTRA_UNIQUE, expected.name, columns, found=f"UNIQUE ({columns})")


def _foreign_keys(expected: TableShape, found: TableShape) -> Iterator[SchemaDifference]:
    for key in expected.foreign_keys - found.foreign_keys:
        rival = _rival(key, found.foreign_keys)
        yield SchemaDifference(
            DifferenceKind.MISSING_FOREIGN_KEY, expected.name, ", ".join(key.columns), str(key), rival
        )
    for key in found.foreign_keys - expected.foreign_keys:
        yield SchemaDifference(DifferenceKind.EXTRA_FOREIGN_KEY, expected.name, ", ".join(key.columns), found=str(key))


def _rival(key: ForeignKeyShape, found: Iterable[ForeignKeyShape]) -> str | None:
    """Return the foreign keys that the columns have instead."""
    return "; ".join(str(other) for other in sorted(found) if other.columns == key.columns) or None


def _checks(expected: TableShape, found: TableShape) -> Iterator[SchemaDifference]:
    for check in expected.checks.keys() - found.checks.keys():
        yield SchemaDifference(DifferenceKind.MISSING_CHECK, expected.name, expected=f"CHECK {expected.checks[check]}")
    for check in found.checks.keys() - expected.checks.keys():
        yield SchemaDifference(DifferenceKind.EXTRA_CHECK, expected.name, found=f"CHECK {found.checks[check]}")
