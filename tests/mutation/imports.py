"""Imports: which modules are loaded anew when one changes, and which tests belong to it.

Belongs here: the graph of imports among our own modules. Does not belong here: loading or running any of them.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Only what compares, derives or rewrites values; the rest of the engine is tested on a server.
OF_THE_ENGINE = ("frames.text", "spec.value_map", "frames.derived_ids", "frames.json_text", "spec.times")
NEAREST = 6
LOADED = (
    "assets",
    "remoteiq_etl/frames",
    "remoteiq_etl/spec",
    "remoteiq_etl/backfill",
    "tests/assets",
    "tests/frames",
    "tests/spec",
    "tests/backfill",
    "tests/support",
)


def tested() -> list[str]:
    """Every module whose rules are changed, by its dotted name."""
    modules = (path for path in sorted((ROOT / "assets").rglob("*.py")) if path.name != "__init__.py")
    return [*map(_name, modules), *(f"remoteiq_etl.{name}" for name in OF_THE_ENGINE)]


def source(module: str) -> Path:
    """The file of a module."""
    return ROOT / f"{module.replace('.', '/')}.py"


def dependents(module: str) -> list[str]:
    """A module and all that import it, nearest first: those that must be loaded anew when it changes."""
    found = [module]
    for name in found:
        found += sorted(user for user, used in _graph().items() if name in used and user not in found)
    return found


def tests_of(module: str) -> list[Path]:
    """The test files that import a module, those named after it and those that import it themselves first.

    Only the nearest ones: a rule that no nearer test knows has no test.
    """
    files = [source(name) for name in dependents(module) if name.rpartition(".")[2].startswith("test_")]
    return sorted(files, key=lambda path: path.stem != f"test_{module.rpartition('.')[2]}")[:NEAREST]


@cache
def _graph() -> dict[str, frozenset[str]]:
    """Which modules each of our modules imports."""
    paths = [path for folder in LOADED for path in sorted((ROOT / folder).rglob("*.py"))]
    return {_name(path): frozenset(_imported(path)) for path in paths}


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)
