"""The legacy tables as external assets, so that lineage begins where the rows come from. Nothing is run for them."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import dagster as dg
from sqlalchemy import Table

from remoteiq_etl.orchestration import columns
from schemas import legacy

PREFIX = "legacy"
OWNERS = ("team:migration",)


def key(table: str) -> dg.AssetKey:
    """The asset key of a legacy table."""
    return dg.AssetKey([PREFIX, table])


def is_legacy(table: str) -> bool:
    """Whether the legacy schema has a table of this name."""
    return f"{legacy.metadata.schema}.{table}" in legacy.metadata.tables


def specs() -> list[dg.AssetSpec]:
    """One external asset per legacy table, in the group of its domain."""
    return [_spec(table, domain, about) for table, domain, about in _tables()]


def _tables() -> Iterator[tuple[Table, str, str]]:
    """Each legacy table with its domain, and what its module says about that."""
    for found in pkgutil.iter_modules(legacy.__path__):
        module = importlib.import_module(f"{legacy.__name__}.{found.name}")
        for value in vars(module).values():
            if isinstance(value, Table):
                yield value, found.name, inspect.getdoc(module) or ""


def _spec(table: Table, domain: str, about: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key(table.name),
        group_name=domain,
        description=f"The table {table.name} of the live legacy database, which is only read.\n\nIts domain: {about}",
        kinds={"postgres"},
        owners=OWNERS,
        tags={"domain": domain, "side": PREFIX},
        metadata={
            "dagster/table_name": f"{PREFIX}.{table.name}",
            "dagster/column_schema": columns.schema(table),
        },
    )
