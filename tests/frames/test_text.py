"""Names are compared normalised by the program, never by a server's lower()."""

import pytest

from remoteiq_etl.frames import text
from remoteiq_etl.frames.dtypes import frame


@pytest.mark.parametrize(
    ("raw", "normalised"),
    [
        ("Acme", "acme"),
        ("  Acme \t Corp\n", "acme corp"),
        ("Acme\u00a0\u2003Corp", "acme corp"),
        ("Stra\u00dfe", "strasse"),
        ("Cafe\u0301", "caf\u00e9"),
        ("", None),
        (" \u3000 ", None),
        (None, None),
        ("a\u200bb", "a\u200bb"),  # a zero width space is no white space
        ("a\x1cb", "a\x1cb"),  # nor is a file separator, whatever str.split() says
    ],
)
def test_normal_form(raw: str | None, normalised: str | None) -> None:
    assert text.normalise(raw) == normalised


def test_tidy_keeps_the_case() -> None:
    assert text.tidy("  Acme   CORP ") == "Acme CORP"
    assert text.tidy(" ~Acme~ ") == "~Acme~"


def test_columns_are_normalised_value_by_value() -> None:
    column = frame({"name": ["A", None, " a ", "\u00c4"]})["name"]
    assert text.normalised(column).fillna("-").to_list() == ["a", "-", "a", "\u00e4"]
    assert text.tidied(column).fillna("-").to_list() == ["A", "-", "a", "\u00c4"]
    assert text.is_blank(frame({"name": ["", " ", None, "x"]})["name"]).to_list() == [True, True, True, False]


def test_the_spelling_used_most_often_wins() -> None:
    assert text.common_spelling(["ACME", "Acme", "Acme"]) == "Acme"


def test_of_equally_frequent_spellings_the_first_alphabetically_wins() -> None:
    assert text.common_spelling(["b", "a", "c"]) == "a"
