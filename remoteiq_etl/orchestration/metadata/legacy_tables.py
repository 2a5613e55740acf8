"""The legacy tables as external assets, so that lineage begins where the rows come from. Nothing is run for them."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping

import dagster as dg
from sqlalchemy import Table

from remoteiq_etl.orchestration.metadata import columns
from schemas import legacy

PREFIX = "legacy"
OWNERS = ("team:migration",)


def key(table: str) -> dg.AssetKey:
    """The asset key of a legacy table."""
    return dg.AssetKey([PREFIX, table])


def specs(schema: str, fates: Callable[[str], Mapping[str, str]]) -> list[dg.AssetSpec]:
    """One external asset per legacy table. `schema`: the name of the legacy schema, for display.

    `fates`: what becomes of the columns of a table, in words.
    """
    return [_spec(table, schema, domain, about, fates(table.name)) for table, domain, about in _tables()]


def _tables() -> Iterator[tuple[Table, str, str]]:
    """Each legacy table with its domain, and what its module says about that."""
    for found in pkgutil.iter_modules(legacy.__path__):
        module = importlib.import_module(f"{legacy.__name__}.{found.name}")
        for value in vars(module).values():
            if isinstance(value, Table):
                yield value, found.name, inspect.getdoc(module) or ""


def _spec(table: Table, schema: str, domain: str, about: str, fates: Mapping[str, str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key(table.name),
        # Not the group of the domain's target tables: between such groups lines would run both ways.
        group_name=f"{PREFIX}_{domain}",
        description=f"The table {table.name} of the live legacy database, which is only read.\n\nIts domain: {about}",
        kinds={"postgres"},
        owners=OWNERS,
        tags={"domain": domain, "side": PREFIX},
        metadata={
            # With the database in front: the UI takes assets of equal names for one table.
            "dagster/table_name": f"{PREFIX}.{schema}.{table.name}",
            "dagster/column_schema": columns.schema(table, fates),
        },
    )
