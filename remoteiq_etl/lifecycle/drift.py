"""The drift report: where a live database differs from the schema that we know, and what to do about it.

Belongs here: the report and how it comes about. Does not belong here: reading the catalogue (`catalogue`), finding
differences (`differences`), and the texts (`verdicts`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
from sqlalchemy import MetaData

from remoteiq_etl.errors import DriftError
from remoteiq_etl.lifecycle.catalogue import read_schema, schema_exists
from remoteiq_etl.lifecycle.differences import Difference, Kind, differences
from remoteiq_etl.lifecycle.shape import Columns, SchemaShape, describe
from remoteiq_etl.lifecycle.verdicts import VERDICTS, Side
from schemas.target.optional import OPTIONAL_COLUMNS

_OPTIONAL: Mapping[Side, Mapping[str, Columns]] = {"legacy": {}, "target": OPTIONAL_COLUMNS}


@dataclass(frozen=True)
class Drift:
    """One difference. `blocks`: nothing may be written before it is dealt with; `reason`: why, and what to do.

    For a label of an enum type, `table` is the type and `column` the label. Several columns are joined by a comma.
    """

    kind: Kind
    table: str | None
    column: str | None
    expected: str | None
    found: str | None
    blocks: bool
    reason: str

    @property
    def where(self) -> str:
        """The place: `table.column`, `table`, or nothing for the schema itself."""
        return ".".join(part for part in (self.table, self.column) if part)

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

    @property
    def blocking(self) -> tuple[Drift, ...]:
        """The differences that must be dealt with before anything is written."""
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
                "reason": drift.reason,
            }
            for drift in self.drifts
        ]

    def raise_if_blocking(self) -> None:
        """Raise DriftError that names every blocking difference; do nothing when there is none."""
        if self.blocking:
            lines = "\n".join(f"  {drift}" for drift in self.blocking)
            raise DriftError(f"The {self.side} schema {self.schema!r} is not as expected:\n{lines}")


def compare(connection: psycopg.Connection, schema: str, metadata: MetaData, side: Side) -> DriftReport:
    """Compare a live schema with our definition of it. It only reads the catalogue, which any role may do.

    `schema` is the real name, `metadata` the definition of that side. An empty target schema is no fault.
    """
    expected = describe(metadata)
    found = read_schema(connection, schema)
    if expected.tables.keys() & found.tables.keys():
        listed = differences(expected, found, _OPTIONAL[side])
    else:
        listed = _nothing_there(expected, schema_exists(connection, schema))
    drifts = _judged(listed, schema, expected, side)
    return DriftReport(side, schema, tuple(sorted(drifts, key=_order)))


def _nothing_there(expected: SchemaShape, exists: bool) -> Iterator[Difference]:
    kind = Kind.EMPTY_SCHEMA if exists else Kind.MISSING_SCHEMA
    yield Difference(kind, expected=f"{len(expected.tables)} tables", found="none of them")


def _judged(listed: Iterator[Difference], schema: str, expected: SchemaShape, side: Side) -> Iterator[Drift]:
    """Yield what the side has a verdict for."""
    for item in listed:
        verdict = VERDICTS[side].get(item.kind)
        if verdict is None:
            continue
        table = expected.tables.get(item.table or "")
        blocks = verdict.blocks and (table is None or table.written or not verdict.written_only)
        places = {"table": item.table, "column": item.column, "expected": item.expected, "found": item.found}
        reason = verdict.reason.format(schema=schema, **places)
        yield Drift(item.kind, item.table, item.column, item.expected, item.found, blocks, reason)


def _order(drift: Drift) -> tuple[bool, str, str, str, str, str]:
    place = (drift.table or "", str(drift.kind), drift.column or "")
    return (not drift.blocks, *place, drift.expected or "", drift.found or "")
