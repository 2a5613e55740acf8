"""Where a target table and each of its columns come from: legacy tables and their columns."""

import dagster as dg

from remoteiq_etl.lifecycle.mapping import column_map
from remoteiq_etl.orchestration.metadata import legacy_tables
from remoteiq_etl.spec.table import TableSpec


def of_columns(spec: TableSpec) -> dg.TableColumnLineage:
    """The columns behind each target column, as the table declares them."""
    behind = column_map.origins(spec)
    names = [column.name for column in spec.target.columns if column.name in behind]
    return dg.TableColumnLineage({name: [_dependency(place) for place in behind[name]] for name in names})


def origins(spec: TableSpec) -> dict[str, str]:
    """What fills each target column in words: the open-source UI draws no lineage of columns."""
    told = {column.name: _in_words(column) for column in column_map.of_table(spec)}
    return {name: words for name, words in told.items() if words}


def fates(found: column_map.ColumnMap, table: str) -> dict[str, str]:
    """What becomes of each column of a legacy table, in words."""
    return {
        column.name: ". ".join(part for part in (_becomes(column), column.disposition.reason) if part)
        for column in found.legacy.values()
        if column.table == table and column.disposition is not None
    }


def _in_words(column: column_map.TargetColumn) -> str:
    sources = f"from {', '.join(column.sources)}" if column.sources else ""
    return ": ".join(part for part in (sources, column.rule) if part)


def _becomes(column: column_map.LegacyColumn) -> str:
    kind = column.disposition.kind if column.disposition else ""
    return f"{kind} to {', '.join(column.filled)}" if column.filled else kind


def _dependency(place: str) -> dg.TableColumnDep:
    table, _, name = place.partition(".")
    return dg.TableColumnDep(legacy_tables.key(table), name)
