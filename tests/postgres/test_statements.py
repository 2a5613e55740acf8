"""Named statements: what a file says is what a module asks for, in the whole project and in small."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from remoteiq_etl.postgres.statements import StatementMissing, statements

PACKAGE = Path(__file__).parents[2] / "remoteiq_etl"
#: Files of one statement each, named by what they are about, read as a whole.
ONE_EACH = ("verify/expected/", "verify/checks/rules/")


def files() -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*.sql")):
        parts = path.relative_to(PACKAGE).as_posix()
        if not (parts.startswith(ONE_EACH) and parts.count("/") > 2) and path.with_suffix(".py").exists():
            yield path


def module_of(path: Path) -> str:
    return path.with_suffix(".py").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", list(files()), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_statement_is_asked_for(path: Path) -> None:
    """By its name, or by one that is put together: SQL[f"{store}_rotate"]."""
    asking = [
        path.with_suffix(".py"),
        *(one for one in PACKAGE.rglob("*.py") if "import SQL" in one.read_text("utf-8")),
    ]
    text = "".join(one.read_text(encoding="utf-8") for one in asking)
    named, made_up = set(re.findall(r"\"(\w+)\"", text)), re.findall(r"(?:SQL\[|_filled\()f\"([^\"]+)\"", text)
    forms = [re.compile(re.sub(r"\{[^}]*\}", r"\\w+", one)) for one in made_up]
    names = statements(str(path.with_suffix(".py"))).read
    assert [name for name in names if name not in named and not any(form.fullmatch(name) for form in forms)] == []


@pytest.mark.parametrize("path", list(files()), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_asks_for_no_statement_that_its_file_lacks(path: Path) -> None:
    asked = set(re.findall(r"\bSQL\[\"(\w+)\"\]", module_of(path)))
    assert asked - set(statements(str(path.with_suffix(".py"))).read) == set()


@pytest.fixture
def module(tmp_path: Path) -> str:
    path = tmp_path / "steps.sql"
    path.write_text(
        "-- name: first\n-- A comment stays.\nSELECT 1\n\n\n-- name: second\nSELECT {x}\n", encoding="utf-8"
    )
    return str(tmp_path / "steps.py")


def test_a_statement_begins_after_its_name_and_ends_before_the_next(module: str) -> None:
    found = statements(module)
    assert found["first"].as_string(None) == "-- A comment stays.\nSELECT 1\n"
    assert found["second"].as_string(None) == "SELECT {x}\n"


def test_a_name_that_is_not_there_is_refused_with_those_that_are(module: str) -> None:
    with pytest.raises(StatementMissing, match=r"steps\.sql has no statement 'third'; it has first, second"):
        statements(module)["third"]


def test_a_name_is_given_once(module: str) -> None:
    path = Path(module).with_suffix(".sql")
    path.write_text("-- name: first\nSELECT 1\n-- name: first\nSELECT 2\n", encoding="utf-8")
    with pytest.raises(StatementMissing, match="twice"):
        statements(module)["first"]
