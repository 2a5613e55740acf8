"""No statement leaves it to the database's locale what text is in another case: under a Turkish one, I is no capital i."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import remoteiq_etl

PACKAGE = Path(remoteiq_etl.__file__).parent
STATEMENTS = sorted(PACKAGE.rglob("*.sql"))
_COMMENT = re.compile(r"--.*$", re.MULTILINE)
_FOLDS = re.compile(r"\b(?:lower|upper|initcap)\(", re.IGNORECASE)
#: A match without regard to case, and the text that is matched: what stands before the operator, or the first argument.
_MATCHES = re.compile(r"(\S+(?: COLLATE \"C\")?) !?~\*|substring\(([^()]*) FROM '\(\?i\)")
#: Where the order decides which row stands, and is that of texts.
_ORDERS = re.compile(r"ORDER BY [^()]*?\b_?legacy_key\b(?!\s+(?:COLLATE|IS|=|::))(?! COLLATE)")


def _arguments(statement: str) -> Iterator[str]:
    """What each folding function is given."""
    for found in _FOLDS.finditer(statement):
        depth, start = 1, found.end()
        for at in range(start, len(statement)):
            depth += {"(": 1, ")": -1}.get(statement[at], 0)
            if depth == 0:
                yield statement[start:at]
                break


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_statement_says_in_which_collation_case_is_folded(path: Path) -> None:
    statement = _COMMENT.sub("", path.read_text(encoding="utf-8"))
    assert [one for one in _arguments(statement) if not one.rstrip().endswith('COLLATE "C"')] == []
    assert "ILIKE" not in statement.upper()
    for before, argument in _MATCHES.findall(statement):
        assert (before or argument).endswith('COLLATE "C"') or path.name == "case_folding.sql", before or argument
    if path.is_relative_to(PACKAGE / "verify" / "expected"):
        assert _ORDERS.findall(statement) == []
