"""Imports the domain modules of a schema package, so that a new one needs no registry. Nothing else belongs here."""

import importlib
import pkgutil
from collections.abc import Iterable


def import_modules(package: str, path: Iterable[str]) -> None:
    """Import every module directly inside the package; each one adds its tables to the package's metadata."""
    for module in sorted(pkgutil.iter_modules(path), key=lambda found: found.name):
        importlib.import_module(f"{package}.{module.name}")
