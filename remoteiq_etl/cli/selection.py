"""Which tables a command is about. Imports every declaration, which takes long."""

from collections.abc import Mapping, Sequence

import assets
from remoteiq_etl.cli.names import check_names
from remoteiq_etl.orchestration.assets.discovery import DeclaredTable, find_tables
from remoteiq_etl.spec.table import TableSpec


def all_tables() -> Mapping[str, DeclaredTable]:
    """Every target table that has a declaration, by name."""
    return find_tables(assets)


def specs() -> dict[str, TableSpec]:
    """Every declaration by asset."""
    return {name: table.spec for name, table in all_tables().items()}


def chosen(declared: Mapping[str, DeclaredTable], tables: Sequence[str], domains: Sequence[str]) -> set[str] | None:
    """The names of the tables and of all tables of the domains; None, meaning all, when none are named.

    Raises BadParameter for a name that nothing has.
    """
    if not tables and not domains:
        return None
    known_domains = {table.domain for table in declared.values()}
    check_names("--table", tables, declared)
    check_names("--domain", domains, known_domains)
    return {*tables, *(name for name, table in declared.items() if table.domain in domains)}
