"""A name is compared by SQL as the program compares it, whatever the server's locale."""

import pytest

from remoteiq_etl.frames.text import normalise, tidy
from tests.verify.conftest import Bench

NAMES = (
    "",
    " \u2003\u00a0",
    " Acme \u00a0 HQ\u3000",
    "STRASSE GmbH",
    "Straße GMBH",
    "Cafe\u0301 Nord",
    "ΟΔΥΣΣΕΥΣ",
    "İstanbul",
    "\ufb01ne \u1e9e ſ",
    "\u0390 \u1fb3",
    "\u13a0\uab70",
    "separator\u001cstays",
    "I\tL",
)


@pytest.mark.parametrize("name", NAMES)
def test_sql_and_program_spell_and_compare_a_name_alike(name: str, asking: Bench) -> None:
    assert asking.legacy_copy.session.value("SELECT pg_temp.normalised(%s)", (name,)) == normalise(name)
    assert asking.legacy_copy.session.value("SELECT pg_temp.tidy(%s)", (name,)) == tidy(name)


@pytest.mark.parametrize(
    "text",
    [*NAMES, "\x1c Ann@Example.COM\u2009", "JÜRGEN@Example.com", "ΑΣ.", "ΑΣ'Α Σ", "Α\u0301Σ\u00ad", "ΣΑΣ@Example.com"],
)
def test_sql_lowers_an_address_as_the_program_does(text: str, asking: Bench) -> None:
    lowered = text.strip().lower() or None
    assert asking.legacy_copy.session.value("SELECT pg_temp.lowered(%s)", (text,)) == lowered


@pytest.mark.parametrize("word", ["disk", "straße", "ıi", "ﬁx", "ΑΣς"])
def test_sql_writes_a_word_in_capitals_as_the_program_does(word: str, asking: Bench) -> None:
    assert asking.legacy_copy.session.value("SELECT pg_temp.raised(%s)", (word,)) == word.upper()
