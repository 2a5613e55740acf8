"""What an asset reads, worked out from its declaration: its sources, other legacy tables, and maps of other entities.

Belongs here: that list, and whether an asset may be read in part. Does not belong here: whether any of it has changed
(see capture).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Table
from sqlalchemy.sql import visitors

from remoteiq_etl.backfill.spec import Derived, TableSpec


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
