"""Values at the limits of their types, and how a legacy table gets a row with one of them.

Each row is a copy of one that is there with one value put in. What legacy's own constraints refuse is no case. Belongs here: the
values, and putting them in. Does not belong here: what must come of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.errors import ProgramLimitExceeded
from sqlalchemy import Column, Table, types
from sqlalchemy.dialects import postgresql as pg

from schemas import legacy

TEXTS = (
    "",
    " ",
    "\u00a0",
    "\ufeff",
    "\u0001",
    "Ω ΟΔΟΣ",
    "İıI",
    "ﬁ ß",
    "\U0001f600",
    "x" * 3000,
    "NULL",
    "\\N",
    "'\"%_{}",
)
TIMES = (
    "infinity", "-infinity", "294276-12-31 23:59:59.999999+00", "294246-01-01 00:00:00+00", "294245-12-31 23:59:59.999999+00",
    "20240-02-29 12:00:00.5+00", "10000-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00", "2262-04-12 00:00:00+00",
    "1677-09-21 00:00:00+00", "0001-01-01 00:00:00+00", "0044-03-15 12:00:00+00 BC", "4712-01-01 00:00:00+00 BC",
    "4714-11-24 00:00:00+00 BC",
)  # fmt: skip
JSON = (
    "null", "[]", "{}", '"text"', "true", "1e400", "-0.0", "12345678901234567890.10", "[" * 190 + "]" * 190, '{"": 1}',
    '{"legacyValues": 1, "a": {"b": [null]}}', "9" * 4300, '"\\u00df"', "[1, [2, [3]]]",
)  # fmt: skip
#: A json keeps what a jsonb refuses or forgets.
JSON_TEXTS = (*JSON, '"\\u0000"', '"\\ud83d"', '{"a": 1, "a": 2}', " {} ", "[" * 3000 + "]" * 3000)
ARRAYS = ("{}", '{""}', "{NULL}", "[2:3]={a.b,c.d}", "[0:1]={a.b,c.d}", "[-5:-4]={a.b,NULL}", "{{a.b,c.d},{e.f,g.h}}")
LIMITS: Mapping[type, Sequence[str]] = {
    pg.JSONB: JSON,
    pg.JSON: JSON_TEXTS,
    pg.ARRAY: ARRAYS,
    pg.INET: ("0.0.0.0/0", "::/0", "::ffff:192.0.2.1", "2001:db8::1/128", "192.0.2.0/24", "255.255.255.255"),
    pg.UUID: ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
    types.DateTime: TIMES,
    types.BigInteger: ("-9223372036854775808", "9223372036854775807", "0", "-1"),
    types.SmallInteger: ("-32768", "32767", "0", "-1"),
    types.Integer: ("-2147483648", "2147483647", "0", "-1"),
    types.Numeric: ("NaN", "Infinity", "-Infinity", "-0", "1e-300", "1.7976931348623157e308", "0.1"),
    types.Boolean: ("true", "false"),
    types.String: TEXTS,
}


@dataclass(frozen=True)
class Case:
    """One value to be put into one column."""

    table: Table
    column: Column[object]
    value: str | None


def limits_of(column: Column[object]) -> Sequence[str | None]:
    """The limits of a column's type, and null."""
    found = next((values for kind, values in LIMITS.items() if isinstance(column.type, kind)), ())
    return [*found, *([None] if column.nullable else [])]


def cases() -> Iterator[Case]:
    for table in legacy.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, pg.ENUM):
                continue
            yield from (Case(table, column, value) for value in limits_of(column))


def put(connection: psycopg.Connection, case: Case, number: int) -> bool:
    """Add a copy of the first row of a table with the value in it; whether legacy takes it."""
    changed = {case.column.name: case.value} | {
        name: value for name, value in _own_keys(case.table, number).items() if name != case.column.name
    }
    pairs = [(sql.Identifier(name), sql.Literal(value)) for name, value in changed.items()]
    names = [sql.Identifier(column.name) for column in case.table.columns]
    values = [
        sql.SQL("{}::{}").format(sql.Literal(changed[column.name]), sql.SQL(_type(column)))
        if column.name in changed
        else sql.Identifier(column.name)
        for column in case.table.columns
    ]
    assert pairs
    statement = sql.SQL(
        "INSERT INTO {t} ({names}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {t} ORDER BY {first} LIMIT 1"
    ).format(
        t=sql.Identifier(case.table.name),
        names=sql.SQL(", ").join(names),
        values=sql.SQL(", ").join(values),
        first=sql.SQL("ctid"),
    )
    if any(isinstance(column.type, pg.ENUM) for column in case.table.primary_key.columns):
        statement = _put_into(case, number)
    try:
        with connection.transaction():
            return connection.execute(statement).rowcount == 1
    except (psycopg.IntegrityError, psycopg.DataError, ProgramLimitExceeded):  # the last: too large for an index
        return False


def _put_into(case: Case, number: int) -> sql.Composable:
    """Where no further row can be, a row that is there takes the value."""
    return sql.SQL(
        "UPDATE {t} SET {column} = {value}::{kind} WHERE ctid ="
        " (SELECT ctid FROM {t} ORDER BY ctid OFFSET {number} % (SELECT count(*) FROM {t}) LIMIT 1)"
    ).format(
        t=sql.Identifier(case.table.name),
        column=sql.Identifier(case.column.name),
        value=sql.Literal(case.value),
        kind=sql.SQL(_type(case.column)),
        number=sql.Literal(number),
    )


def _type(column: Column[object]) -> str:
    return str(column.type.compile(pg.dialect()))  # type: ignore[no-untyped-call]


def _own_keys(table: Table, number: int) -> dict[str, str]:
    """Values of its own for what must be unique."""
    unique = {column.name for column in table.primary_key.columns}
    unique |= {column.name for index in table.indexes if index.unique for column in index.columns}
    unique |= {
        c.name for one in table.constraints for c in getattr(one, "columns", ()) if "Unique" in type(one).__name__
    }
    found = {name: table.columns[name] for name in unique if not table.columns[name].foreign_keys}
    return {name: _own(column, number) for name, column in found.items() if not isinstance(column.type, pg.ENUM)}


def _own(column: Column[object], number: int) -> str:
    if isinstance(column.type, pg.UUID):
        return f"11111111-0000-4000-8000-{number:012}"
    return str(700_000 + number) if isinstance(column.type, types.Integer) else f"limit-{number}"
