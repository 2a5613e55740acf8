"""docs/guide/json.md: every format that the program prints is there, with its keys."""

import ast
import json
import re
from pathlib import Path

import pytest

from remoteiq_etl.cli import output
from tests.cli.conftest import Cli, Migrated
from tests.support import documents

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guide" / "json.md"


def described() -> dict[str, str]:
    """Format → what the page says of it."""
    found = documents.table(PAGE, "format")
    return {name: said for names, said in found for name in re.findall(r"`([^`]+)`", names)}


def printed() -> set[str]:
    """The formats that the program prints, from its source."""
    return {
        f"{call.args[0].value} {output.VERSIONS.get(str(call.args[0].value), 1)}"
        for path in (ROOT / "remoteiq_etl" / "cli").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "print_json"
        if isinstance(call.args[0], ast.Constant)
    }


def test_every_format_is_described() -> None:
    assert sorted(printed()) == sorted(described())


@pytest.mark.parametrize(
    "command",
    [
        "status", "quarantine list", "quarantine warnings", "held list", "archive", "gate status", "lineage users",
        "explain agents 1", "doctor", "views check", "cleanup --dry-run", "cutover --dry-run",
    ],
)  # fmt: skip
def test_a_command_prints_the_keys_that_the_page_says(cli: Cli, migrated: Migrated, command: str) -> None:
    found = json.loads(cli(*command.split(), "--json", legacy=migrated.legacy, target=migrated.target).out)
    said = re.findall(r"`(\w+)`", described()[found.pop("format")].partition(";")[0].partition("(")[0])
    rows = found.get("rows") or [{}]
    assert [*found, *(rows[0] if said[:1] == ["rows"] else ())] == said
