"""Which tables read which legacy tables and columns, worked out from their declarations.

Belongs here: what a declaration reads, and which tables follow from which. Does not belong here: what the live database
lacks (`legacy_drift`).
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.sql import visitors

from remoteiq_etl.lifecycle.mapping.column_map import column_map
from remoteiq_etl.spec.dependencies import in_order, legacy_tables
from remoteiq_etl.spec.dispositions import DispositionKind
from remoteiq_etl.spec.table import TableSpec
from schemas import legacy

#: Rows of every table with this column belong to the one organization, whose id its load finds out.
_ORGANIZATION, _ORGANIZATIONS = "organization_id", "organizations"

Specs = Mapping[str, TableSpec]


def named_columns(spec: TableSpec) -> frozenset[str]:
    """The legacy columns (table.column) that a declaration names: keys, what is followed, the decide step's, lineage."""
    keys = {f"{source.name}.{key}" for source in spec.streamed for key in source.key_columns}
    followed = {
        place
        for source in spec.streamed
        for follow in source.follows
        for place in (f"{source.name}.{follow.column}", f"{follow.table.name}.{follow.key}")
    }
    return frozenset({*keys, *followed, *_lineage(spec), *_columns_in_queries(spec)})


class Needs:
    """What all declarations together need of the legacy schema."""

    def __init__(self, specs: Specs) -> None:
        self.specs = specs
        self._named = {name: named_columns(spec) for name, spec in specs.items()}
        every = frozenset().union(*self._named.values())
        found = column_map(specs).legacy.values()
        kinds = {column.place: column.disposition.kind for column in found if column.disposition}
        self.retired = _free(kinds, {DispositionKind.RETIRED}, every)
        self.spare = _free(kinds, {DispositionKind.RETIRED, DispositionKind.SUPERSEDED}, every)

    def readers(self, table: str) -> list[str]:
        """The assets that read a legacy table in any way."""
        return [name for name, spec in self.specs.items() if table in legacy_tables(spec)]

    def users(self, table: str, column: str) -> list[str]:
        """The assets with a rule that needs this column; a column of `spare` is needed by none.

        A rule is given every column of its sources and may use any of them.
        """
        place = f"{table}.{column}"
        return [
            name
            for name, spec in self.specs.items()
            if place in self._named[name] or any(source.name == table for source in spec.streamed)
        ]

    def with_dependants(self, reasons: Mapping[str, str]) -> dict[str, str]:
        """The assets of `reasons` and all that need one of them, each with why it cannot be loaded."""
        found = dict(reasons)
        for spec in in_order(self.specs):
            parents = [parent for parent in _parents(spec) if parent in found]
            if spec.sources and spec.asset not in found and parents:
                found[spec.asset] = f"it needs {', '.join(parents)}, which cannot be loaded"
        return found


def _free(
    kinds: Mapping[str, DispositionKind], wanted: Collection[DispositionKind], named: Collection[str]
) -> frozenset[str]:
    """Columns of these dispositions that no declaration names and that may be NULL."""
    places = {place for place, kind in kinds.items() if kind in wanted and place not in named}
    return frozenset(place for place in places if _column(place).nullable)


def _column(place: str) -> Column[Any]:
    table, _, column = place.partition(".")
    return legacy.metadata.tables[f"{legacy.metadata.schema}.{table}"].columns[column]


def _parents(spec: TableSpec) -> Iterator[str]:
    yield from spec.dependencies
    if _ORGANIZATION in spec.target.columns and _ORGANIZATIONS not in spec.dependencies:
        yield _ORGANIZATIONS


def _lineage(spec: TableSpec) -> Iterator[str]:
    return (place for places in spec.lineage.values() for place in places)


def _parts(spec: TableSpec) -> Iterator[visitors.ExternallyTraversible]:
    """Everything in the decide step's queries."""
    for query in spec.decide.reads.values() if spec.decide else ():
        for clause in (query, *query.selected_columns):
            yield from visitors.iterate(clause)


def _columns_in_queries(spec: TableSpec) -> Iterator[str]:
    for part in _parts(spec):
        if isinstance(part, Column):
            table: object = part.table
            if isinstance(table, Table) and table.schema == legacy.metadata.schema:
                yield f"{table.name}.{part.name}"
