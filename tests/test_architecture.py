"""docs/architecture.md: every folder has its charter there, and the layers are those that are checked; the engine is tested."""

import ast
import re
import tomllib
from pathlib import Path

from tests.support import documents

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
PACKAGES = ("remoteiq_etl", "assets", "schemas")


def charters() -> dict[str, tuple[str, str]]:
    """Folder → what belongs there, and what does not."""
    return {folder.strip("`"): (here, not_here) for folder, here, not_here in documents.table(PAGE, "folder")}


def folders() -> set[str]:
    """Every package; those of one kind in assets/ count as one."""
    found = {
        path.parent.relative_to(ROOT).as_posix() for name in PACKAGES for path in (ROOT / name).rglob("__init__.py")
    }
    return {re.sub(r"^assets/(?!shared\b)[^/]+", "assets/<domain>", folder) for folder in found}


def test_every_folder_has_a_charter_and_every_charter_a_folder() -> None:
    assert folders() == set(charters())


def test_a_charter_says_what_belongs_there_and_what_does_not() -> None:
    assert [folder for folder, said in charters().items() if not all(said)] == []


def test_a_folder_has_at_most_twelve_modules() -> None:
    """More than that nobody finds at a glance. The tables of one domain, and one command each, are what they are."""
    crowded = {}
    for folder in {path.parent for name in PACKAGES for path in (ROOT / name).rglob("__init__.py")}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        if len(modules) > 12 and folder.parent != ROOT / "assets":
            crowded[folder.relative_to(ROOT).as_posix()] = len(modules)
    assert crowded == {}


def test_the_layers_of_the_page_are_those_that_are_checked() -> None:
    """Each layer of remoteiq_etl in the picture, from top to bottom, is one of the import contract."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    checked = [layers for one in contracts if one["type"] == "layers" for layers in [_names(one["layers"])]]
    (picture,) = documents.blocks(PAGE, "text")
    lines = [re.split(r"  {2,}", line.replace("│", " ").strip())[0] for line in picture.splitlines()]
    shown = [layer for line in lines if (layer := frozenset(re.findall(r"\w+", line)))]
    outer = [layer for layer in shown if not layer & _inner(checked)]
    assert outer in checked
    assert [layer for layer in shown if layer & _inner(checked)] in checked


def _names(layers: list[str]) -> list[frozenset[str]]:
    return [frozenset(name.strip().rpartition(".")[2] for name in layer.split("|")) for layer in layers]


def _inner(checked: list[list[frozenset[str]]]) -> frozenset[str]:
    """The layers of the contract about the folders of backfill."""
    (found,) = [layers for layers in checked if frozenset({"change_capture"}) in layers]
    return frozenset().union(*found)


ENGINE = ("backfill", "postgres", "spec", "state")


def test_every_module_of_the_engine_is_imported_by_a_test() -> None:
    """Else nothing says what it promises: what calls it through others passes as well when they make up for it."""
    modules = {path for name in ENGINE for path in (ROOT / "remoteiq_etl" / name).rglob("*.py")}
    names = {_dotted(path) for path in modules if path.name != "__init__.py"}
    assert sorted(names - _imported_by_tests()) == []


def _imported_by_tests() -> set[str]:
    trees = [ast.parse(path.read_bytes()) for path in (ROOT / "tests").rglob("test_*.py")]
    found = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {name for node in found for name in (node.module, *(f"{node.module}.{one.name}" for one in node.names))}


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)
