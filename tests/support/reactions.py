"""What transforms really read and set, found by changing one legacy column at a time.

A recorded migration keeps each call of a transform on the edge-case rows. A call is made again with one column nulled,
moved to the next row, or altered; what comes out otherwise has reacted. What a decide step reads is told by its queries.
Belongs here: recording and changing. Does not belong here: what should react.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.sql import visitors

from remoteiq_etl.frames.dtypes import TEXT, to_arrow
from remoteiq_etl.spec.batch import KEY, Batch
from remoteiq_etl.spec.table import Derived, Source, TableSpec, Transform
from remoteiq_etl.spec.transform_context import Context

DISPOSALS = "(disposals)"
#: What a function of ours raises when it is given values that the contracts keep from it.
UNUSABLE = (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError, NotImplementedError)


def in_archive(column: str, rule: str) -> str:
    """How a reaction of the archive is called."""
    return f"(archive) {column} {rule}"


@dataclass(frozen=True)
class Made:
    """What a transform made: the values of target columns, archive entries, disposals."""

    columns: Mapping[str, list[str]]
    archive: frozenset[tuple[str, str, str, str]]  # key, value, column, rule
    disposals: frozenset[str]

    @classmethod
    def of(cls, batch: Batch, archived_before: int = 0) -> "Made":
        columns = {name: shown(column) for name, column in batch.columns.items()}
        kept = batch.archive[archived_before:]
        archive = frozenset((one.key, repr(one.value), one.column, one.rule) for one in kept)
        return cls(columns, archive, frozenset(map(repr, batch.disposals.values())))

    def differing(self, other: "Made") -> Iterator[str]:
        for name in {*self.columns, *other.columns}:
            if self.columns.get(name) != other.columns.get(name):
                yield name
        for _, _, column, rule in self.archive ^ other.archive:
            yield in_archive(column, rule)
        if self.disposals != other.disposals:
            yield DISPOSALS


@dataclass(frozen=True)
class Call:
    """One call of a transform: its rows as they came in, its context, and what it made of them. `good`: rows carried."""

    spec: TableSpec
    source: Source
    rows: pd.DataFrame
    context: Context
    made: Made
    good: list[bool]

    def reactions(self) -> dict[str, set[str]]:
        """The target columns, archive entries and DISPOSALS that react to each legacy column (table.column)."""
        names = [column.name for column in self.source.table.columns]
        return {f"{self.source.name}.{name}": self._reaction(name) for name in names}

    def alone(self, name: str, others: Collection[str]) -> set[str]:
        """What reacts to a legacy column where these others are null: a substitute shows only then."""
        rows = self.rows
        for other in others:
            rows = _with(rows, other, pa.nulls(len(rows), to_arrow(rows[other]).type))
        made = self._made(rows)
        return set() if made is None else replace(self, rows=rows, made=made)._reaction(name)

    def _reaction(self, name: str) -> set[str]:
        found: set[str] = set()
        for rows in changes(self.rows, name, nulled=_is_seen_null(self.source.table.columns[name])):
            # The key arrives as text, too.
            changed = rows.assign(**{KEY: rows[name].astype(TEXT)}) if self.source.key_columns == (name,) else rows
            made = self._made(changed)
            found |= set() if made is None else set(self.made.differing(made))
        return found

    def _made(self, rows: pd.DataFrame) -> Made | None:
        try:
            return Made.of(self.source.transform(Batch(rows), self.context))
        except UNUSABLE:
            return None


@dataclass
class Recorder:
    """Wraps the transforms of all legacy sources, and keeps each one's calls."""

    calls: list[Call] = field(default_factory=list)

    def wrapped(self, specs: Mapping[str, TableSpec]) -> dict[str, TableSpec]:
        return {
            name: replace(spec, sources=tuple(self._wrapped(spec, source) for source in spec.sources))
            for name, spec in specs.items()
        }

    def _wrapped(self, spec: TableSpec, source: Source | Derived) -> Source | Derived:
        return replace(source, transform=self._recording(spec, source)) if isinstance(source, Source) else source

    def _recording(self, spec: TableSpec, source: Source) -> Transform:
        def transform(batch: Batch, context: Context) -> Batch:
            rows, archived = batch.legacy.copy(), len(batch.archive)
            result = source.transform(batch, context)
            if len(rows):
                good = result.is_open().to_list()
                self.calls.append(Call(spec, source, rows, _lasting(context), Made.of(result, archived), good))
            return result

        transform.__qualname__ = (
            "transform"  # with what it holds it would be no declaration: nobody can tell when it changes
        )
        return transform


def _lasting(context: Context) -> Context:
    """The same context with all that its lookups would still ask the target for."""
    return replace(context, lookups={place: lookup.extended([], []) for place, lookup in context.lookups.items()})


def shown(column: pd.Series) -> list[str]:
    return list(map(repr, to_arrow(column).to_pylist()))


def read_by_decide(spec: TableSpec, specs: Mapping[str, TableSpec]) -> set[str]:
    """The legacy columns (table.column) that the decide steps behind a table read: its own, and those of its maps."""
    entities: Collection[str] = {spec.name, *(entity for entity, _ in spec.lookups)}
    steps = [specs[entity].decide for entity in entities if entity in specs]
    queries = [query for step in steps if step is not None for query in step.reads.values()]
    return {
        f"{part.table.name}.{part.name}"
        for query in queries
        for selected in query.selected_columns
        for part in visitors.iterate(selected)
        if isinstance(part, Column) and part.table is not None
    }


def changes(rows: pd.DataFrame, name: str, *, nulled: bool = True) -> Iterator[pd.DataFrame]:
    """The rows with one column nulled, moved by one row, and altered; only where that makes a difference."""
    column = to_arrow(rows[name])
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    others = [pa.concat_arrays([column.slice(1), column.slice(0, 1)]), _altered(column)]
    for values in [*([pa.nulls(len(column), column.type)] if nulled else []), *others]:
        if values is not None and not values.equals(column):
            yield _with(rows, name, values)


def _is_seen_null(column: Column[object]) -> bool:
    """Whether a transform may be given a null: the contract keeps others back, and infinite times arrive as null."""
    return bool(column.nullable) or isinstance(column.type, TIMESTAMP)


def _with(rows: pd.DataFrame, name: str, values: pa.Array) -> pd.DataFrame:
    return rows.assign(**{name: pd.arrays.ArrowExtensionArray(values)})


def _altered(column: pa.Array) -> pa.Array | None:
    kind = column.type
    if pa.types.is_boolean(kind):
        return pc.invert(column)
    if pa.types.is_integer(kind):
        return pc.add(column, pa.scalar(1, kind))
    if pa.types.is_timestamp(kind):
        return pc.add(pc.fill_null(column, pa.scalar(0, kind)), pa.scalar(3_600_000_000, pa.duration("us")))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.array([_altered_text(text) for text in column.to_pylist()], kind)
    return None


def _altered_text(text: str | None) -> str:
    try:
        value = json.loads(text or "")
    except ValueError:
        return f"{text or ''}x"
    return json.dumps({**value, "added": 1}) if isinstance(value, dict) else f"{text or ''}x"
