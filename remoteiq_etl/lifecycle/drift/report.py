"""The drift report: where a live database differs from the schema that we know, and what to do about it.

Belongs here: the report and how it comes about. Does not belong here: reading the catalogue (`catalogue`), finding
differences (`differences`), the texts (`verdicts`), and what drift means for one run (`legacy_drift`).
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import psycopg
from sqlalchemy import MetaData

from remoteiq_etl.errors import DriftError
from remoteiq_etl.lifecycle.drift.catalogue import read_schema, schema_exists
from remoteiq_etl.lifecycle.drift.differences import DifferenceKind, SchemaDifference, differences
from remoteiq_etl.lifecycle.drift.shape import Columns, SchemaShape, describe
from remoteiq_etl.lifecycle.drift.verdicts import VERDICTS, DriftScope, Side
from remoteiq_etl.postgres.session_checks import hidden_rows
from schemas.target.optional import OPTIONAL_COLUMNS
from schemas.views import REPORTS

#: The share of the legacy tables without which a database is another application's: users and sessions many have.
FOREIGN = 0.8

_OPTIONAL: Mapping[Side, Mapping[str, Columns]] = {"legacy": {}, "target": OPTIONAL_COLUMNS}


@dataclass(frozen=True)
class Drift:
    """One difference. `blocks`: what `scope` says may not happen before it is dealt with; `reason`: why, and what to do.

    For a label of an enum type, `table` is the type and `column` the label. Several columns are joined by a comma.
    `warns`: it stops nothing, and every run says it nevertheless.
    """

    kind: DifferenceKind
    table: str | None
    column: str | None
    expected: str | None
    found: str | None
    blocks: bool
    reason: str
    scope: DriftScope = DriftScope.RUN
    warns: bool = False

    @property
    def where(self) -> str:
        """The place: `table.column`, `table`, or nothing for the schema itself. It is the name to accept it by."""
        return ".".join(_unambiguous(part) for part in (self.table, self.column) if part)

    @property
    def stops(self) -> bool:
        """Whether no table at all may be written."""
        return self.blocks and self.scope is not DriftScope.TABLE

    def __str__(self) -> str:
        parts = [self.kind.replace("_", " "), self.where, self._sides(), self.reason]
        return ": ".join(part for part in parts if part)

    def _sides(self) -> str:
        sides = (("expected", self.expected), ("found", self.found))
        return ", ".join(f"{name} {value}" for name, value in sides if value)


@dataclass(frozen=True)
class DriftReport:
    """All differences of one side: those that block first, then by table, kind and column."""

    side: Side
    schema: str
    drifts: tuple[Drift, ...]

    @classmethod
    def of(cls, side: Side, schema: str, drifts: Iterable[Drift]) -> "DriftReport":
        """The report of these differences, in order."""
        return cls(side, schema, tuple(sorted(drifts, key=_order)))

    @property
    def blocking(self) -> tuple[Drift, ...]:
        """The differences that must be dealt with before anything, or one table, is written."""
        return tuple(drift for drift in self.drifts if drift.blocks)

    def as_rows(self) -> list[dict[str, str]]:
        """Return one row of texts per difference, for display."""
        return [
            {
                "difference": drift.kind.replace("_", " "),
                "where": drift.where,
                "expected": drift.expected or "",
                "found": drift.found or "",
                "blocks": "yes" if drift.blocks else "no",
                "scope": str(drift.scope) if drift.blocks else "",
                "reason": drift.reason,
            }
            for drift in self.drifts
        ]

    def raise_if_blocking(self) -> None:
        """Raise DriftError that names every difference that stops a run; do nothing when there is none."""
        stopping = [drift for drift in self.drifts if drift.stops]
        if stopping:
            lines = "\n".join(f"  {drift}" for drift in stopping)
            raise DriftError(f"The {self.side} schema {self.schema!r} is not as expected:\n{lines}")


def compare(connection: psycopg.Connection, schema: str, metadata: MetaData, side: Side) -> DriftReport:
    """Compare a live schema with our definition of it. It only reads the catalogue, which any role may do.

    `schema` is the real name, `metadata` the definition of that side. An empty target schema is no fault.
    """
    expected, found = describe(metadata), read_schema(connection, schema)
    report = judged(expected, found, schema, side, exists=schema_exists(connection, schema))
    hidden = {
        table: f"role {role}" for table, role in hidden_rows(connection, schema).items() if table in expected.tables
    }
    items = (
        SchemaDifference(DifferenceKind.HIDDEN_ROWS, table, None, "every row", role) for table, role in hidden.items()
    )
    return DriftReport.of(side, schema, [*report.drifts, *_judged(items, schema, expected, side)])


def judged(expected: SchemaShape, found: SchemaShape, schema: str, side: Side, *, exists: bool) -> DriftReport:
    """The report on two shapes of a schema: what the side has a verdict for."""
    missing = len(expected.tables.keys() - found.tables.keys())
    if missing == len(expected.tables):
        listed = _nothing_there(expected, exists)
    elif side == "legacy" and missing >= FOREIGN * len(expected.tables):
        listed = _of_others(expected, missing)
    else:
        listed = differences(expected, found, _OPTIONAL[side])
    return DriftReport.of(side, schema, _judged(listed, schema, expected, side))


def drift_of(item: SchemaDifference, schema: str, side: Side, *, written: bool = True) -> Drift | None:
    """One difference with the side's verdict; None where it has none. `written`: this program writes the table."""
    verdict = VERDICTS[side].get(item.kind)
    if verdict is None:
        return None
    blocks = verdict.blocks and (written or not verdict.written_only)
    drift = Drift(item.kind, item.table, item.column, item.expected, item.found, blocks, "", verdict.scope)
    places = {"table": item.table, "column": item.column, "expected": item.expected, "found": item.found}
    return replace(drift, reason=verdict.reason.format(schema=schema, name=shlex.quote(drift.where), **places))


def _nothing_there(expected: SchemaShape, exists: bool) -> Iterator[SchemaDifference]:
    kind = DifferenceKind.EMPTY_SCHEMA if exists else DifferenceKind.MISSING_SCHEMA
    yield SchemaDifference(kind, expected=f"{len(expected.tables)} tables", found="none of them")


def _of_others(expected: SchemaShape, missing: int) -> Iterator[SchemaDifference]:
    """A database of another application: its tables are no drift of ours, whatever one of them is called."""
    found = f"{missing} of them are missing"
    yield SchemaDifference(DifferenceKind.FOREIGN_DATABASE, expected=f"{len(expected.tables)} tables", found=found)


def _judged(listed: Iterator[SchemaDifference], schema: str, expected: SchemaShape, side: Side) -> Iterator[Drift]:
    own = {view.name for view in REPORTS} if side == "target" else set()
    for item in listed:
        if item.kind is DifferenceKind.EXTRA_VIEW and item.table in own:
            continue
        table = expected.tables.get(item.table or "")
        drift = drift_of(item, schema, side, written=table is None or table.written)
        if drift is not None:
            yield drift


def _unambiguous(name: str) -> str:
    """A name with a dot or a double quote in it, quoted: else a table "a.b" and a column b of a would be one name."""
    if "." not in name and '"' not in name:
        return name
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _order(drift: Drift) -> tuple[bool, str, str, str, str, str]:
    place = (drift.table or "", str(drift.kind), drift.column or "")
    return (not drift.blocks, *place, drift.expected or "", drift.found or "")
