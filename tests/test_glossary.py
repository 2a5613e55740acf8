"""docs/glossary.md holds code and documents to its words: a term is in use, and a retired word comes back nowhere.

Names are those that the code gives: modules, classes, functions, parameters, variables, and statements in `.sql` files. What
people query or type (tables, columns, commands, options, settings) keeps its name. The documents are read without their code.
Records of decisions and the changelog are of their day.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import typer

from remoteiq_etl.cli.main import app
from schemas import legacy, state, target
from tests.support import documents

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "glossary.md"
CODE = ("remoteiq_etl", "assets", "schemas")
OF_THEIR_DAY = ("CHANGELOG.md", "docs/decisions/", "docs/glossary.md")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_STATEMENT = re.compile(r"^-- name: *(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Retired:
    """A word that is not used any more. `exact`: only as the whole name, in this spelling. `stays`: names it stays in."""

    word: str
    term: str
    exact: bool
    stays: frozenset[str]

    def is_in(self, name: str) -> bool:
        bare = name.lstrip("_")
        if name in self.stays:
            return False
        if self.exact:
            return bare == self.word
        return f" {self.word} " in f" {' '.join(parts(bare))} "

    def is_said(self, text: str) -> bool:
        pattern = r"[\s-]+".join(re.escape(word) for word in self.word.split())
        return not self.exact and re.search(rf"\b{pattern}\b", text, re.IGNORECASE) is not None


def terms() -> dict[str, str]:
    return {row[0]: row[1] for row in documents.table(PAGE, "term")}


def retired() -> list[Retired]:
    return [
        Retired(word.strip("`"), term, word.startswith("`"), frozenset(re.findall(r"`([^`]+)`", stays)))
        for word, term, stays in documents.table(PAGE, "not")
    ]


def parts(name: str) -> list[str]:
    """The words of a name: mass_delete and MassDelete are mass, delete."""
    return [part.lower() for part in _PART.findall(name)]


@cache
def names() -> dict[str, frozenset[str]]:
    """Each name that the code gives → the files that give it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in _files("*.py"):
        for name in {path.stem, *_given(ast.parse(path.read_text(encoding="utf-8")))}:
            found[name].add(path.relative_to(ROOT).as_posix())
    for path in _files("*.sql"):
        for name in _STATEMENT.findall(path.read_text(encoding="utf-8")):
            found[name].add(path.relative_to(ROOT).as_posix())
    return {name: frozenset(files) for name, files in found.items()}


def _files(pattern: str) -> Iterator[Path]:
    for folder in CODE:
        yield from (ROOT / folder).rglob(pattern)


def _given(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


@cache
def kept_for_people() -> frozenset[str]:
    """Names that people query or type: tables, columns, commands and options."""
    tables = [table for one in (legacy, state, target) for table in one.metadata.tables.values()]
    found = {table.name for table in tables} | {column.name for table in tables for column in table.columns}
    return frozenset(found | set(_typed(typer.main.get_command(app))))


def _typed(command: object) -> Iterator[str]:
    for name, one in getattr(command, "commands", {}).items():
        yield name
        yield from (option.lstrip("-").replace("-", "_") for found in one.params for option in found.opts)
        yield from _typed(one)


def held_to_the_words() -> list[Path]:
    return [page for page in documents.pages() if not documents.name(page).startswith(OF_THEIR_DAY)]


def test_terms_are_in_order_each_once_and_in_one_sentence() -> None:
    assert list(terms()) == sorted(terms())
    assert len(terms()) == len(documents.table(PAGE, "term"))
    assert [term for term, meaning in terms().items() if not re.fullmatch(r"[A-Z][^.]*\.", meaning)] == []


def test_every_term_is_used() -> None:
    """In the name of something, or in a document other than the glossary."""
    text = " ".join(documents.prose(page) for page in documents.pages() if page != PAGE)
    code = " | ".join(" ".join(parts(name)) for name in names())
    said = f"{_plain(text)} {code}"
    assert [term for term in terms() if _plain(term) not in said] == []


def test_a_retired_word_leads_to_a_term() -> None:
    found = retired()
    assert len({one.word for one in found}) == len(found)
    assert [one.word for one in found if not one.exact and one.term not in terms()] == []
    assert {one.word for one in found} & set(terms()) == set()


@pytest.mark.parametrize("one", retired(), ids=lambda one: one.word)
def test_no_name_in_the_code_has_a_retired_word(one: Retired) -> None:
    """Unless people query or type it, or the glossary says that it stays."""
    found = {
        name: sorted(files) for name, files in names().items() if one.is_in(name) and name not in kept_for_people()
    }
    assert found == {}, f"say {one.term!r}"


@pytest.mark.parametrize("page", held_to_the_words(), ids=documents.name)
def test_no_document_says_a_retired_word(page: Path) -> None:
    text = documents.prose(page)
    assert {one.word: one.term for one in retired() if one.is_said(text)} == {}


def test_a_name_that_stays_is_there() -> None:
    """Else the exception is one no more."""
    assert {name for one in retired() for name in one.stays} - set(names()) == set()


def test_a_class_name_means_one_thing() -> None:
    """A name that two modules give tells the reader nothing until he has looked where it is from."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in _files("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(path.relative_to(ROOT).as_posix())
    assert {name: files for name, files in found.items() if len(files) > 1} == {}


@pytest.mark.parametrize(
    ("word", "name", "is_in"),
    [
        ("gone", "GoneReport", True),
        ("gone", "_look_for_gone", True),
        ("gone", "forgone", False),
        ("kept rows", "kept_rows", True),
        ("kept rows", "rows_kept", False),
    ],
)
def test_a_word_is_found_as_part_of_a_name(word: str, name: str, is_in: bool) -> None:
    assert Retired(word, "", exact=False, stays=frozenset()).is_in(name) is is_in
    assert Retired(word, "", exact=True, stays=frozenset()).is_in(name) is False


def _plain(term: str) -> str:
    return re.sub(r"[\s-]+", " ", term.lower())
