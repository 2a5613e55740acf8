"""Where a target table and each of its columns come from: legacy tables and their columns, and other target tables."""

from collections.abc import Iterator

import dagster as dg
from sqlalchemy import Table
from sqlalchemy.sql import visitors

from remoteiq_etl.backfill.spec import Source, TableSpec
from remoteiq_etl.orchestration import legacy


def legacy_tables(spec: TableSpec) -> list[str]:
    """The legacy tables that a target table is made from: its sources, what its decide step reads, and its lineage."""
    named = {source.table.name for source in spec.sources if isinstance(source, Source)}
    named |= {table.name for table in spec.legacy_reads} | _read_by_decide(spec)
    named |= {place.partition(".")[0] for places in spec.lineage.values() for place in places}
    return sorted(name for name in named if legacy.is_legacy(name))


def of_columns(spec: TableSpec) -> dg.TableColumnLineage:
    """The columns behind each target column: those of equal name in the sources, and those that the table declares."""
    behind = {
        column: list(dict.fromkeys([*_equal_named(spec, column), *_declared(spec, column)]))
        for column in spec.target.columns.keys()  # noqa: SIM118  # the collection iterates over columns, not names
    }
    return dg.TableColumnLineage({column: places for column, places in behind.items() if places})


def origins(spec: TableSpec) -> dict[str, str]:
    """The columns behind each target column in words: the open-source UI draws no lineage of columns."""
    behind = of_columns(spec).deps_by_column
    return {
        column: f"from {', '.join(f'{place.asset_key.path[-1]}.{place.column_name}' for place in places)}"
        for column, places in behind.items()
    }


def _equal_named(spec: TableSpec, column: str) -> Iterator[dg.TableColumnDep]:
    for source in spec.sources:
        if isinstance(source, Source) and column in source.table.columns:
            yield dg.TableColumnDep(legacy.key(source.table.name), column)


def _declared(spec: TableSpec, column: str) -> Iterator[dg.TableColumnDep]:
    for place in spec.lineage.get(column, ()):
        table, _, name = place.partition(".")
        yield dg.TableColumnDep(legacy.key(table) if legacy.is_legacy(table) else dg.AssetKey(table), name)


def _read_by_decide(spec: TableSpec) -> set[str]:
    reads = spec.decide.reads.values() if spec.decide else ()
    return {part.name for read in reads for part in visitors.iterate(read) if isinstance(part, Table)}
