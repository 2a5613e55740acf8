"""What an asset reads, worked out from its declaration: its sources, other legacy tables, and maps of other entities.

Belongs here: that list, and whether an asset may be read in part. Does not belong here: whether any of it has changed
(see capture).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from sqlalchemy import Table
from sqlalchemy.sql import visitors

from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.spec.table import Derived, TableSpec


@dataclass(frozen=True)
class Inputs:
    """All that the rows of one asset depend on, by name.

    `sources` are streamed; a change of one of the `others` may change what becomes of any row; `followed` tables change only
    the rows that follow them (see Source.follows). `maps` were loaded before the asset, `recalled` ones perhaps after it.
    `reads`: by name the tables of those reads of the decide step on which any row may depend. `narrowable`: a row depends on
    no other row of its sources, so that changed rows may be read alone. `always`: nothing in the legacy database tells
    whether there is something to do.
    """

    sources: tuple[str, ...]
    others: tuple[str, ...]
    followed: tuple[str, ...]
    maps: frozenset[str]
    recalled: frozenset[str]
    reads: Mapping[str, frozenset[str]]
    narrowable: bool
    always: bool

    @property
    def legacy(self) -> tuple[str, ...]:
        """Every legacy table that is read."""
        return (*self.sources, *self.others, *self.followed)


def inputs_of(spec: TableSpec) -> Inputs:
    """What one asset reads."""
    sources = tuple(dict.fromkeys(source.name for source in spec.streamed))
    followed = {follow.table.name for source in spec.streamed for follow in source.follows} - {*sources}
    reads = _reads(spec)
    others = {table.name for table in spec.legacy_reads}.union(*reads.values()) - {*sources} - followed
    narrowable = _is_narrowable(spec, frozenset().union(*reads.values()) & {*sources})
    return Inputs(
        sources,
        tuple(sorted(others)),
        tuple(sorted(followed)),
        frozenset(entity for entity, _ in spec.lookups if entity != spec.name),
        frozenset(entity for entity, _ in spec.recalls if entity != spec.name),
        {name: tables for name, tables in reads.items() if tables & others},
        narrowable,
        (not sources and not others) or bool(spec.decide and spec.decide.history),
    )


def legacy_columns(specs: Mapping[str, TableSpec]) -> dict[str, tuple[str, ...]]:
    """The legacy tables that any of these read, with the columns of their definitions."""
    tables = {table.name: table for spec in specs.values() for table in _legacy_tables(spec)}
    return {name: tuple(column.name for column in table.columns) for name, table in sorted(tables.items())}


def _legacy_tables(spec: TableSpec) -> Iterator[Table]:
    for source in spec.streamed:
        yield source.table
        yield from (follow.table for follow in source.follows)
    yield from spec.legacy_reads
    for query in spec.decide.reads.values() if spec.decide is not None else ():
        yield from (part for part in visitors.iterate(query) if isinstance(part, Table))


def _reads(spec: TableSpec) -> dict[str, frozenset[str]]:
    """The legacy tables behind each read of the decide step."""
    queries = {} if spec.decide is None else spec.decide.reads
    return {
        name: frozenset(part.name for part in visitors.iterate(query) if isinstance(part, Table))
        for name, query in queries.items()
    }


def _is_narrowable(spec: TableSpec, decided_over: frozenset[str]) -> bool:
    """Rows of an owner and derived rows go when they are no longer yielded, which only a complete read can tell.

    Where the decide step reads the sources themselves, one row may change what becomes of another; nobody waits for that
    in a log.
    """
    derived = any(isinstance(source, Derived) for source in spec.sources)
    return not spec.replaces and not derived and (spec.log_like or not decided_over)


def in_order(specs: Mapping[str, TableSpec]) -> list[TableSpec]:
    """All tables, each after those it depends on. Raises ConfigurationError when they depend on each other in a circle."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name in sorted(specs):
        sorter.add(name, *sorted(parent for parent in specs[name].dependencies if parent in specs))
    try:
        return [specs[name] for name in sorter.static_order()]
    except CycleError as error:
        raise ConfigurationError(
            f"tables depend on each other in a circle: {' → '.join(error.args[1])}. Mend the lookups or `after` of one."
        ) from error


def reached(start: Iterable[str], further: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """These names, and all that are reached from them, a step (`further`) at a time."""
    found, waiting = set[str](), [*start]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += further(name)
    return frozenset(found)


def made_of_the_same(specs: Mapping[str, TableSpec], asked: Iterable[str]) -> frozenset[str]:
    """These assets, and all others that some of their legacy rows become rows of, too."""
    streamed = {source.name for spec in specs.values() for source in spec.streamed}
    made = {asset: {source.name for source in spec.sources} & streamed for asset, spec in specs.items()}
    return reached(asked, lambda asset: [other for other, names in made.items() if names & made.get(asset, set())])


def with_dependencies(specs: Mapping[str, TableSpec], asked: Iterable[str]) -> frozenset[str]:
    """These assets, and all that they depend on."""
    return reached(asked, lambda asset: specs[asset].dependencies if asset in specs else ())


def with_dependents(specs: Mapping[str, TableSpec], asked: Iterable[str]) -> frozenset[str]:
    """These assets, and all that are made of what they lead to."""
    return reached(asked, lambda asset: [other for other, spec in specs.items() if asset in spec.dependencies])


def legacy_tables(spec: TableSpec) -> frozenset[str]:
    """The legacy tables that the rows of a table come from: its sources, what its decide step reads, what it follows."""
    return frozenset(inputs_of(spec).legacy)
