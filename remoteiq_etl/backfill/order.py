"""The order in which tables are loaded: parents first, else as declared."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from remoteiq_etl.backfill.spec import TableSpec
from remoteiq_etl.errors import ConfigurationError


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
