"""Sums, minima and maxima of columns that are carried unchanged: computed by both servers, each in one scan.

What checksums prove, people cannot read; these figures they can. A difference must be that of rows which other checks name:
without them both sides come to the same. Of a text nothing but its nulls is counted, because its least value is somebody's.
Belongs here: the figures, and whether their differences are explained. Does not belong here: why a row differs (see labels).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import LiteralString

from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy import Boolean, Column, Date, DateTime, Float, Numeric
from sqlalchemy import Integer as WholeNumber
from sqlalchemy.sql.type_api import TypeEngine

from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.sensitive.redaction import is_secret
from remoteiq_etl.spec.table import Source, TableSpec
from remoteiq_etl.state.maps import key_join
from remoteiq_etl.state.target_access import statement_names
from remoteiq_etl.verify.checks.checksums import SQL as CHECKSUMS
from remoteiq_etl.verify.expected.compare import target_key
from remoteiq_etl.verify.expected.expectation import expectations
from remoteiq_etl.verify.expected.legacy_copy import CARRIED
from remoteiq_etl.verify.snapshots import SnapshotPair
from remoteiq_etl.verify.verdicts.model import Aggregate, AggregateFigures, Finding, FindingKind, Label

SQL = statements(__file__)

AGGREGATES = "aggregates"
"""The check that sums, minima and maxima of what is carried unchanged are the same on both sides."""
ABOUT = "both servers find the same number of rows and nulls, sum, minimum and maximum in each column that is carried unchanged"

#: Rows that other checks name and that are left out of both sides to see whether they explain a difference; their keys are
#: sent to both servers in one statement each.
MOST_NAMED = 200_000
#: The worst first.
_ORDER = tuple(Label)


class Sort(StrEnum):
    """What can be added up of a column."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    OTHER = "other"


#: Sum, minimum and maximum of a value by sort, each null where there is none.
_FIGURES: Mapping[Sort, LiteralString] = {
    Sort.NUMBER: "sum({value}::numeric), min({value})::numeric, max({value})::numeric",
    Sort.BOOLEAN: "sum({value}::int)::numeric, NULL, NULL",
    Sort.TIME: "sum({microseconds})::numeric, min({value})::text, max({value})::text",
    Sort.OTHER: "NULL, NULL, NULL",
}
_WIDTH = 4  # figures of a column: values that are no null, sum, minimum, maximum


def sort_of(kind: TypeEngine[object]) -> Sort:
    """What can be added up of a column of this type."""
    if isinstance(kind, Boolean):
        return Sort.BOOLEAN
    if isinstance(kind, WholeNumber | Numeric | Float):
        return Sort.NUMBER
    return Sort.TIME if isinstance(kind, DateTime | Date) else Sort.OTHER


@dataclass
class NamedRows:
    """The rows that other checks of a look have named, and the worst label of each column of theirs, by legacy table."""

    keys: dict[str, set[str]] = field(default_factory=dict)
    _labels: dict[tuple[str, str | None], Label] = field(default_factory=dict)

    def watch(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """The same differences, each of them noted when it was taken."""
        for finding in findings:
            yield finding
            if finding.legacy_table is not None and finding.legacy_key is not None:
                self.keys.setdefault(finding.legacy_table, set()).add(finding.legacy_key)
                for column in finding.columns or (None,):
                    self._note(finding.legacy_table, column, finding.label)

    def has(self, legacy_table: str, key: str) -> bool:
        """Whether a row was named."""
        return key in self.keys.get(legacy_table, ())

    def label(self, legacy_table: str, column: str) -> Label | None:
        """The worst label of rows that differ in a column, or as a whole; None where no row was named."""
        found = [self._labels.get((legacy_table, one)) for one in (column, None)]
        found = [one for one in found if one] or [
            one for (table, _), one in self._labels.items() if table == legacy_table
        ]
        return min(filter(None, found), key=_ORDER.index, default=None)

    def _note(self, legacy_table: str, column: str | None, label: Label) -> None:
        known = self._labels.get((legacy_table, column), label)
        self._labels[legacy_table, column] = min(known, label, key=_ORDER.index)


@dataclass(frozen=True)
class Aggregates:
    """The figures of one target table over the rows of one legacy table. `columns`: target column → legacy column."""

    pair: SnapshotPair
    spec: TableSpec
    source: Source
    columns: Mapping[str, str]

    def of_rows(self, without: Collection[str] = ()) -> list[Aggregate]:
        """The figures of each column on both sides; `without`: legacy keys of rows that do not count on either."""
        excluded = sorted({*self._without_row(), *without})
        # Each server adds up while the other does.
        with ThreadPoolExecutor(1, thread_name_prefix="aggregates") as other:
            adding = other.submit(_row, self.pair.legacy, self._legacy(), excluded)
            target = _row(self.pair.session, self._target(), sorted(without))
            legacy = adding.result()
        return [
            Aggregate(self.source.name, name, column, self._sort(name), _figures(legacy, n), _figures(target, n))
            for n, (column, name) in enumerate(self.columns.items())
        ]

    def findings(self, found: Iterable[Aggregate], named: NamedRows) -> Iterator[Finding]:
        """Each column whose figures differ, labelled as the rows that other checks name, where these explain it."""
        differing = [one for one in found if not one.is_equal]
        keys = named.keys.get(self.source.name, set())
        few = bool(differing) and 0 < len(keys) <= MOST_NAMED
        rest = {one.column for one in self.of_rows(keys) if not one.is_equal} if few else set()
        for one in differing:
            label, why = self._judged(one.column, named, unexplained=one.column in rest or not keys)
            detail = f"both servers come to another {', '.join(one.differing)}; {why}"
            yield Finding(
                self.spec.name,
                AGGREGATES,
                FindingKind.BROKEN,
                label,
                detail,
                None,
                self.source.name,
                None,
                (one.column,),
            )

    def _judged(self, column: str, named: NamedRows, *, unexplained: bool) -> tuple[Label, str]:
        label = named.label(self.source.name, column)
        if label is not None and not unexplained:
            count = len(named.keys[self.source.name])
            rows = "row that other checks name is" if count == 1 else "rows that other checks name are"
            return label, f"{count:,} {rows} why"
        return Label.BUG, "no row that another check names explains it"

    def _without_row(self) -> list[str]:
        """Legacy keys that the state knows and that lead to no live row of their own."""
        statement = CHECKSUMS["without_row"].format(**self._places())
        return [row[0] for row in self.pair.session.rows(statement)]

    # --- statements -------------------------------------------------------------------------------------------------

    def _legacy(self) -> sql.Composed:
        columns = [(_finite(name, self._sort(name)), self._sort(name)) for name in self.columns.values()]
        return SQL["aggregates_legacy"].format(
            legacy=self.pair.legacy.database.table(self.source.name),
            key=target_key(list(self.source.key_columns), "s"),
            figures=_listed(sql.SQL("count({})").format(value) + _summed(value, sort) for value, sort in columns),
        )

    def _target(self) -> sql.Composed:
        """An infinite time counts as a value here: legacy has none, so the number of nulls tells."""
        columns = [(column, self._sort(name)) for column, name in self.columns.items()]
        names = {**self._places(), "key_join": key_join(self.spec, "s")}
        return SQL["aggregates_target"].format(
            **names,
            figures=_listed(
                sql.SQL("count({})").format(sql.Identifier("s", column)) + _summed(_finite(column, sort), sort)
                for column, sort in columns
            ),
        )

    def _places(self) -> dict[str, sql.Composable]:
        return statement_names(self.pair, self.spec, self.source.name)

    def _sort(self, legacy_column: str) -> Sort:
        column: Column[object] = self.source.table.columns[legacy_column]
        return sort_of(column.type)


def aggregates_of(pair: SnapshotPair, table: str) -> list[Aggregates]:
    """The figures of a target table: for each legacy table of which it carries columns unchanged. Never of a secret."""
    found = []
    for expectation in (one for one in expectations() if one.target == table):
        for legacy_table, columns in expectation.carried.items():
            place = pair.source(table, legacy_table)
            if place is not None:
                spec, source = place
                there = {name: column for name, column in columns.items() if _may_be_shown(source, column)}
                found += [Aggregates(pair, spec, source, there)] if there else []
    return found


def _may_be_shown(source: Source, column: str) -> bool:
    return column not in source.absent and not is_secret(source.table.columns[column])


def _finite(name: str, sort: Sort) -> sql.Composable:
    """A value as the mapping counts it: a time that it does not carry is none."""
    value = sql.Identifier("s", name)
    return sql.SQL("(CASE WHEN " + CARRIED + " THEN {name} END)").format(name=value) if sort is Sort.TIME else value


def _summed(value: sql.Composable, sort: Sort) -> sql.Composed:
    microseconds = SQL["microseconds"].format(value=value) if sort is Sort.TIME else sql.SQL("")
    return sql.SQL(", ") + sql.SQL(_FIGURES[sort]).format(value=value, microseconds=microseconds)


def _listed(items: Iterable[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(items)


def _row(session: Session, statement: sql.Composed, without: list[str]) -> TupleRow:
    return session.rows(statement, {"without": without})[0]


def _figures(row: TupleRow, n: int) -> AggregateFigures:
    """Those of the n-th column of a row that begins with the number of rows."""
    values, total, least, greatest = row[1 + n * _WIDTH : 1 + (n + 1) * _WIDTH]
    return AggregateFigures(row[0], row[0] - values, _text(total), _text(least), _text(greatest))


def _text(value: Decimal | str | None) -> str | None:
    """A figure as text: numbers exact, whatever the scale in which a server gives them."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return None if value is None else str(value)
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
