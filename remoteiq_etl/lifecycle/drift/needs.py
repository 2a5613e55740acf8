"""Which tables read which legacy tables and columns, worked out from their declarations.

Belongs here: what a declaration reads, and which tables follow from which. Does not belong here: what the live database
lacks (`legacy_drift`).
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.sql import visitors

from remoteiq_etl.lifecycle.mapping.column_map import column_map
from remoteiq_etl.spec.dependencies import in_order
from remoteiq_etl.spec.dispositions import DispositionKind
from remoteiq_etl.spec.table import Source, TableSpec
from schemas import legacy

#: Rows of every table with this column belong to the one organization, whose id its load finds out.
_ORGANIZATION, _ORGANIZATIONS = "organization_id", "organizations"

Specs = Mapping[str, TableSpec]


def legacy_tables(spec: TableSpec) -> frozenset[str]:
    """The legacy tables that a table is made from: its sources, what its decide step reads, and its lineage."""
    named = {source.table.name for source in spec.sources if isinstance(source, Source)}
    named |= {table.name for table in spec.legacy_reads}
    named |= {follow.table.name for source in _sources(spec) for follow in source.follows}
    named |= {part.name for part in _parts(spec) if isinstance(part, Table)}
    named |= {place.partition(".")[0] for place in _lineage(spec)}
    return frozenset(name for name in named if f"{legacy.metadata.schema}.{name}" in legacy.metadata.tables)


def named_columns(spec: TableSpec) -> frozenset[str]:
    """The legacy columns (table.column) that a declaration names: keys, what is followed, the decide step's, lineage."""
    keys = {f"{source.name}.{key}" for source in _sources(spec) for key in source.key_columns}
    followed = {
        place
        for source in _sources(spec)
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
            if place in self._named[name] or any(source.name == table for source in _sources(spec))
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


def _sources(spec: TableSpec) -> Iterator[Source]:
    return (source for source in spec.sources if isinstance(source, Source))


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
