"""Finds the tables: one module per target table in a package per domain, recognised by its SPEC. Knows no Dagster."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.spec.table import TableSpec


@dataclass(frozen=True)
class DeclaredTable:
    """One target table as its module declares it. `domain` is the module's package, `about` its docstring."""

    spec: TableSpec
    domain: str
    about: str

    @property
    def name(self) -> str:
        """The name of the asset and of its module; that of the table, unless another asset writes it, too."""
        return self.spec.asset


def find_specs(package: ModuleType) -> dict[str, TableSpec]:
    """The declarations below a package by table name. Raises ConfigurationError, see find_tables."""
    return {name: table.spec for name, table in find_tables(package).items()}


def find_tables(package: ModuleType) -> dict[str, DeclaredTable]:
    """The tables declared below a package, by name. A module without SPEC is a helper of its neighbours.

    Raises ConfigurationError when a module is not named as its table, because then two modules could declare one.
    """
    found: dict[str, DeclaredTable] = {}
    for module in _modules(package):
        table = _declared(module)
        if table is not None:
            if table.name in found:
                raise ConfigurationError(
                    f"{module.__name__}: the table {table.name} is declared in another domain too."
                )
            found[table.name] = table
    return found


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in sorted(pkgutil.walk_packages(package.__path__, f"{package.__name__}."), key=lambda one: one.name):
        yield importlib.import_module(found.name)


def _declared(module: ModuleType) -> DeclaredTable | None:
    spec = getattr(module, "SPEC", None)
    if spec is None:
        return None
    *_, domain, name = module.__name__.split(".")
    if not isinstance(spec, TableSpec) or spec.asset != name:
        found = f"that of {spec.asset}" if isinstance(spec, TableSpec) else type(spec).__name__
        raise ConfigurationError(
            f"{module.__name__}: expected SPEC to be the TableSpec of the table {name}, found {found}."
            " Rename the module, or the constant."
        )
    return DeclaredTable(spec, domain, inspect.getdoc(module) or "")
