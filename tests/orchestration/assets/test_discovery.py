"""Tables are found by their declarations; a file is all that a new one needs."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import assets
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.orchestration.assets.discovery import find_specs, find_tables

DECLARATION = '''"""What {name} is."""
from remoteiq_etl.spec.table import TableSpec
from schemas import target

SPEC = TableSpec(target=target.{table}, grain="one row per thing", no_source="nothing is kept")
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package of declarations; what is imported from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    root = tmp_path / "declared"
    for directory in (root, root / "support", root / "email"):
        directory.mkdir()
        (directory / "__init__.py").write_text("")
    yield root
    for name in [name for name in sys.modules if name.partition(".")[0] == "declared"]:
        del sys.modules[name]


def declare(package: Path, place: str, table: str) -> None:
    (package / f"{place}.py").write_text(DECLARATION.format(name=place, table=table))


def loaded() -> ModuleType:
    return importlib.import_module("declared")


def test_a_file_is_all_that_a_new_table_needs(package: Path) -> None:
    declare(package, "support/tickets", "tickets")
    (table,) = find_tables(loaded()).values()
    assert (table.name, table.domain, table.about) == ("tickets", "support", "What support/tickets is.")


def test_a_module_without_a_declaration_is_a_helper(package: Path) -> None:
    (package / "support" / "places.py").write_text("X = 1\n")
    assert find_specs(loaded()) == {}


def test_a_module_named_otherwise_than_its_table_is_refused(package: Path) -> None:
    declare(package, "support/ticket", "tickets")
    with pytest.raises(ConfigurationError, match=r"declared\.support\.ticket: .* table ticket, found that of tickets"):
        find_tables(loaded())


def test_a_declaration_of_another_kind_is_refused(package: Path) -> None:
    (package / "support" / "tickets.py").write_text("SPEC = {}\n")
    with pytest.raises(ConfigurationError, match="found dict"):
        find_tables(loaded())


def test_a_table_declared_twice_is_refused(package: Path) -> None:
    declare(package, "support/tickets", "tickets")
    declare(package, "email/tickets", "tickets")
    with pytest.raises(ConfigurationError, match="declared in another domain"):
        find_tables(loaded())


def test_our_own_tables_are_found() -> None:
    assert {"organizations", "check_runs", "tickets"} <= set(find_specs(assets))
