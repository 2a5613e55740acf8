"""What the rows of a live legacy database say beyond its catalogue: checks that they break, labels that they use.

One scan per table or label, and none where the server vouches for every row. Belongs here: counting on the server, and
who may read what. Does not belong here: what a finding means for a run (`legacy_drift`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from remoteiq_etl.lifecycle.drift.differences import DifferenceKind, SchemaDifference
from remoteiq_etl.lifecycle.drift.shape import SchemaShape, TableShape
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

#: Keys that are named of the rows that break a check: enough to look at.
FEW = 5
_WORD = re.compile(r"\w+")

Keys = Mapping[str, tuple[str, ...]]
"""The key columns of each legacy table."""


def rows_in_words(rows: int) -> str:
    """A number of rows for a sentence."""
    return "1 row" if rows == 1 else f"{rows:,} rows"


@dataclass(frozen=True)
class Readable:
    """What the connected role may read of a schema, and which of its tables a policy hides rows of."""

    unreadable: frozenset[tuple[str, str]]
    hidden: frozenset[str]

    @classmethod
    def of(cls, session: Session, schema: str) -> "Readable":
        """Ask the catalogue."""
        rows = session.rows(SQL["readable_columns"], {"schema": schema})
        return cls(
            frozenset((table, column) for table, column, may_read, _ in rows if not may_read),
            frozenset(table for table, _, _, hidden in rows if hidden),
        )

    def may_read(self, table: str, columns: Iterable[str]) -> bool:
        """Whether these columns may be read, in every row."""
        return table not in self.hidden and not any((table, column) in self.unreadable for column in columns)


@dataclass(frozen=True)
class LegacyRows:
    """The rows of one live legacy schema, whose catalogue is `found`."""

    session: Session
    schema: str
    found: SchemaShape
    readable: Readable

    def hidden(self, expected: SchemaShape) -> Iterator[SchemaDifference]:
        """Yield each table of ours of which a policy hides rows from the role."""
        for name in sorted(self.readable.hidden & expected.tables.keys()):
            role = f"role {self.session.value('SELECT current_user')}"
            yield SchemaDifference(DifferenceKind.HIDDEN_ROWS, name, expected="every row", found=role)

    def unreadable_keys(self, keys: Keys) -> Iterator[SchemaDifference]:
        """Yield each table with rows whose key is no text, in a database whose encoding has such."""
        bad = self.session.database.unreadable
        for name, columns in keys.items() if bad is not None else ():
            live = self.found.tables.get(name)
            if bad is None or live is None or live.kind not in "rp" or not self._has(live, columns):
                continue
            texts = [sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns]
            [rows] = self._counts(name, [sql.SQL(" OR ").join(map(bad.condition, texts))])
            if rows:
                key = ", ".join(columns)
                yield SchemaDifference(DifferenceKind.UNREADABLE_KEY, name, key, "text", rows_in_words(rows))

    def _has(self, live: TableShape, columns: Iterable[str]) -> bool:
        """Whether the live table has these columns, and they may be read."""
        return live.columns.keys() >= {*columns} and self.readable.may_read(live.name, columns)

    def broken_checks(self, expected: SchemaShape, keys: Keys) -> Iterator[SchemaDifference]:
        """Yield each check of ours that rows break: `expected` its text, `found` how many and the keys of some.

        Only checks that the live table lacks, or has for newer rows only, can be broken.
        """
        for name, table in expected.tables.items():
            if name in self.found.tables:
                yield from self._broken(table, self.found.tables[name], keys[name])

    def uses(self, enum: str, label: str) -> Iterator[tuple[str, str, int]]:
        """Yield table, column and rows of each column of an enum type in which rows have the label."""
        for name, table in self.found.tables.items():
            for column in table.columns.values():
                if column.type == enum and table.kind in "rp" and self.readable.may_read(name, [column.name]):
                    used = sql.SQL("{}::text = {}").format(sql.Identifier(column.name), sql.Literal(label))
                    [rows] = self._counts(name, [used])
                    if rows:
                        yield name, column.name, rows

    def _broken(self, expected: TableShape, live: TableShape, keys: tuple[str, ...]) -> Iterator[SchemaDifference]:
        checks = [check for spelling, check in expected.checks.items() if _is_open(spelling, live)]
        judged = [check for check in checks if live.kind in "rp" and self._can_judge(expected, live, check, keys)]
        conditions = [sql.SQL("NOT ({})").format(sql.SQL(check)) for check in judged]
        for check, broken, rows in zip(judged, conditions, self._counts(live.name, conditions), strict=True):
            if rows:
                found = ": ".join([rows_in_words(rows), ", ".join(self._keys(live.name, keys, broken))])
                yield SchemaDifference(DifferenceKind.BROKEN_CHECK, live.name, None, f"CHECK {check}", found)

    def _can_judge(self, expected: TableShape, live: TableShape, check: str, keys: tuple[str, ...]) -> bool:
        """Whether the live table has the check's columns with their types, and they may be read."""
        columns = {*keys, *(expected.columns.keys() & _WORD.findall(check))}
        same = all(name in live.columns and live.columns[name].type == expected.columns[name].type for name in columns)
        return same and self.readable.may_read(live.name, columns)

    def _counts(self, table: str, conditions: Sequence[sql.Composable]) -> list[int]:
        """The rows of a table that meet each condition, in one scan; none where there is no condition."""
        if not conditions:
            return []
        counts = sql.SQL(", ").join(sql.SQL("count(*) FILTER (WHERE {})").format(one) for one in conditions)
        query = sql.SQL("SELECT {} FROM {}").format(counts, sql.Identifier(self.schema, table))
        return [int(count) for count in self.session.rows(query)[0]]

    def _keys(self, table: str, keys: tuple[str, ...], condition: sql.Composable) -> list[str]:
        parts = sql.SQL(" || '/' || ").join(sql.SQL("{}::text").format(sql.Identifier(key)) for key in keys)
        query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY 1 LIMIT {}")
        names = (parts, sql.Identifier(self.schema, table), condition, sql.Literal(FEW))
        return [row[0] for row in self.session.rows(query.format(*names))]


def _is_open(spelling: str, live: TableShape) -> bool:
    """Whether rows may break a check: the live table has none like it, or one that older rows were not held to."""
    return spelling not in live.checks or spelling in live.unproven
