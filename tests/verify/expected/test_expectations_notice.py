"""An opinion notices each column of a row that is not as it should be, and a row that is not there, and names them."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import Enum

from remoteiq_etl.verify.expected.compare import compared
from remoteiq_etl.verify.expected.expectation import Expectation, expectations
from schemas import target
from tests.verify.conftest import Bench, undone

# Another value of the same type. Numbers and times go down: of some the later one counts, legacy's or the target's.
OTHER_VALUES = {
    "boolean": "NOT coalesce({0}, false)",
    "integer": "coalesce({0}, 0) - 1000003",
    "bigint": "coalesce({0}, 0) - 1000003",
    "uuid": "gen_random_uuid()",
    "jsonb": "jsonb_build_object('instead', {0})",
    "inet": "'203.0.113.77'",
    "text[]": "array_append({0}, 'more')",
    "timestamp with time zone": "coalesce({0}, '2001-01-01') - interval '1 second'",
}

# Of texts that a check restricts.
OTHER_WORDS = {("email_messages", "direction"): "'outbound'"}

# SQL reads plain headers alone; what other mails say in theirs is left as it is.
TRIED_ON = {"email_messages.email_inbound_events": "payload ->> 'raw' IS NULL"}

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Subject:
    """An opinion, and changes of the target that it is tried with."""

    expectation: Expectation
    bench: Bench

    def columns(self) -> dict[str, str]:
        """The compared columns that are no part of the key, with their types."""
        return {n: kind for n, kind in self._compared().items() if n not in self.keys()}

    def keys(self) -> list[str]:
        return [
            column.name for column in target.metadata.tables[f"target.{self.expectation.target}"].primary_key.columns
        ]

    def rows(self) -> list[Key]:
        """The keys of the rows that are there as expected, after the opinion was asked."""
        names = sql.SQL(", ").join(map(sql.Identifier, self.keys()))
        tried = sql.SQL(TRIED_ON.get(self.expectation.name, "true"))
        query = sql.SQL("SELECT {0} FROM pg_temp.expected INTERSECT SELECT {0} FROM {1} WHERE {2} ORDER BY {0}")
        return self.bench.legacy_copy.session.rows(query.format(names, self._table(), tried))

    def change(self, column: str, kind: str, row: Key) -> None:
        value = sql.SQL(other_value(self.expectation.target, column, kind)).format(sql.Identifier(column))
        setting = sql.SQL("UPDATE {} SET {} = {}").format(self._table(), sql.Identifier(column), value)
        self._one_row(setting, row)

    def delete(self, row: Key) -> None:
        self._one_row(sql.SQL("DELETE FROM {}").format(self._table()), row)

    def found(self) -> set[tuple[str, str | None, tuple[str, ...]]]:
        """Kind, key and columns of every difference."""
        return {(one.kind, one.key, one.columns) for one in self.bench.differences(self.expectation)}

    def _compared(self) -> dict[str, str]:
        with self.bench.legacy_copy.made(self.expectation.once):
            return dict(compared(self.expectation, self.bench.legacy_copy.session, "public"))

    def _table(self) -> sql.Identifier:
        return sql.Identifier("public", self.expectation.target)

    def _one_row(self, statement: sql.Composed, row: Key) -> None:
        same = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in self.keys())
        done = self.bench.legacy_copy.session.connection.execute(sql.SQL("{} WHERE {}").format(statement, same), row)
        assert done.rowcount == 1


def other_value(table: str, column: str, kind: str) -> str:
    """SQL for a value that the column can hold and does not; {0} is the column."""
    definition = target.metadata.tables[f"target.{table}"].columns[column].type
    if isinstance(definition, Enum):
        first, second = definition.enums[:2]
        return f"CASE WHEN {{0}}::text = '{first}' THEN '{second}' ELSE '{first}' END::{definition.name}"
    return OTHER_WORDS.get((table, column)) or OTHER_VALUES.get(kind, "coalesce({0}, '') || '~'")


def in_map(row: Key) -> str:
    """A key as the map writes it."""
    if len(row) == 1:
        return str(row[0])
    return "[" + ",".join(json.dumps(str(part), ensure_ascii=False) for part in row) + "]"


@pytest.mark.parametrize("expectation", expectations(), ids=lambda expectation: expectation.name)
def test_every_column_and_a_lost_row_are_noticed(expectation: Expectation, asking: Bench) -> None:
    subject = Subject(expectation, asking)
    assert subject.found() == set()
    rows = subject.rows()
    columns = list(subject.columns().items())
    for start in range(0, len(columns), len(rows)):
        changes = list(zip(rows, columns[start:], strict=False))
        with undone(asking):
            for row, (column, kind) in changes:
                subject.change(column, kind, row)
            assert subject.found() == {("changed", in_map(row), (column,)) for row, (column, _) in changes}
    with undone(asking):
        subject.delete(rows[0])
        assert subject.found() == {("missing", in_map(rows[0]), ())}
