"""The hash of a function is that of what it computes: equal for the same rules wherever they stand, another for others."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from remoteiq_etl.backfill.change_capture.code_form import function_hash
from tests.support.packages import package_of

Hashed = Callable[..., str]

RULES = """
LIMIT = 3
WORDS = {"a": 1, "b": 2}
PLACES = {"x", "y", "z"}


def tidy(text):
    return text.strip()[:LIMIT]
"""
TABLE = """
from PACKAGE.rules import PLACES, WORDS, tidy


def transform(text):
    return WORDS.get(tidy(text)), text in PLACES
"""
BASE = {"rules": RULES, "table": TABLE}


@pytest.fixture
def hash_of(tmp_path: Path) -> Hashed:
    """The hash of `table.transform` in a package of these modules."""

    def hashed(modules: Mapping[str, str], name: str = "transform") -> str:
        with package_of(tmp_path, modules) as found:
            return function_hash(getattr(found["table"], name))

    return hashed


def changed(old: str, new: str, base: Mapping[str, str] = BASE) -> dict[str, str]:
    """The modules with one text in place of another."""
    assert any(old in text for text in base.values())
    return {place: text.replace(old, new) for place, text in base.items()}


# --- the same rules ---------------------------------------------------------------------------------------------

SAME = {
    "comments": changed("LIMIT = 3", "# why three\nLIMIT = 3  # characters"),
    "docstrings": changed("def tidy(text):", 'def tidy(text):\n    """Tidy."""'),
    "a docstring of the module": {**BASE, "table": '"""Texts."""\n' + TABLE},
    "blank lines and breaks": changed('{"a": 1, "b": 2}', '{\n    "a": 1,\n\n    "b": 2,\n}'),
    "annotations": changed("def tidy(text):", "def tidy(text: str) -> str:"),
    "an annotated constant": changed("LIMIT = 3", "LIMIT: int = 3"),
    "import lines that bring nothing it uses": {**BASE, "table": "import json\nfrom pathlib import Path\n" + TABLE},
    "a helper in another module": {
        "elsewhere.texts": RULES,
        "table": TABLE.replace("PACKAGE.rules", "PACKAGE.elsewhere.texts"),
    },
    "a helper in the same module": {
        "table": RULES + TABLE.replace("from PACKAGE.rules import PLACES, WORDS, tidy", ""),
    },
    "a helper that is handed on by another module": {
        **BASE,
        "between": "from PACKAGE.rules import PLACES, WORDS, tidy",
        "table": TABLE.replace("PACKAGE.rules", "PACKAGE.between"),
    },
    "the module imported in place of its names": {
        "rules": RULES,
        "table": "from PACKAGE import rules\n\n\ndef transform(text):\n"
        "    return rules.WORDS.get(rules.tidy(text)), text in rules.PLACES\n",
    },
    "the module imported by its whole name": {
        "rules": RULES,
        "table": "import PACKAGE.rules\n\n\ndef transform(text):\n"
        "    return PACKAGE.rules.WORDS.get(PACKAGE.rules.tidy(text)), text in PACKAGE.rules.PLACES\n",
    },
    "another name for the helper": changed("tidy", "tidied"),
    "another name for a constant": changed("LIMIT", "AT_MOST"),
    "a rule beside it that it does not use": {**BASE, "rules": RULES + "\n\ndef other(text):\n    return text\n"},
}


@pytest.mark.parametrize("modules", SAME.values(), ids=SAME.keys())
def test_stays_the_same_with_the_same_rules(hash_of: Hashed, modules: Mapping[str, str]) -> None:
    assert hash_of(modules) == hash_of(BASE)


# --- other rules ------------------------------------------------------------------------------------------------

OTHER = {
    "the function itself": changed("return WORDS", "return 1, WORDS"),
    "a helper": changed(".strip()", ".lstrip()"),
    "a constant that a helper uses": changed("LIMIT = 3", "LIMIT = 4"),
    "a constant of another type": changed("LIMIT = 3", "LIMIT = 3.0"),
    "a word of a table": changed('"b": 2', '"b": 3'),
    "a member of a set": changed('"z"', '"w"'),
    "a default": changed("def tidy(text):", "def tidy(text, more=1):"),
    "a decorator": {
        **BASE,
        "rules": RULES.replace("def tidy", "@functools.cache\ndef tidy").replace(
            "LIMIT = 3", "import functools\nLIMIT = 3"
        ),
    },
    "a constant that is changed after it was made": {**BASE, "rules": RULES + '\nWORDS["c"] = 3\n'},
    "a constant that is added to": {**BASE, "rules": RULES.replace("LIMIT = 3", "LIMIT = 3\nLIMIT += 1")},
    "an attribute": changed("text.strip()", "text.strip"),
}


@pytest.mark.parametrize("modules", OTHER.values(), ids=OTHER.keys())
def test_changes_with_a_rule(hash_of: Hashed, modules: Mapping[str, str]) -> None:
    assert hash_of(modules) != hash_of(BASE)


def test_another_helper_of_the_same_name_is_another_rule(hash_of: Hashed) -> None:
    """Both are used in either case; which of them where is the rule."""
    helper = "def tidy(text):\n    return text.{}()\n"
    texts = {"one": helper.format("upper"), "two": helper.format("lower")}
    table = "from PACKAGE import one, two\n\n\ndef transform(text):\n    return {}.tidy(text), {}.tidy(text)\n"
    there = hash_of({**texts, "table": table.format("one", "two")})
    assert hash_of({**texts, "table": table.format("two", "one")}) != there


def test_a_variable_that_hides_a_helper_of_its_name_hides_no_change_of_it(hash_of: Hashed) -> None:
    modules = {
        "rules": RULES,
        "table": "from PACKAGE.rules import tidy\n\n\ndef transform(texts):\n"
        "    return [tidy for tidy in texts], tidy(texts[0])\n",
    }
    assert hash_of(changed(".strip()", ".lstrip()", modules)) != hash_of(modules)


def test_a_library_counts_by_its_name(hash_of: Hashed) -> None:
    table = "from {} import loads\n\n\ndef transform(text):\n    return loads(text)\n"
    assert hash_of({"table": table.format("json")}) != hash_of({"table": table.format("pickle")})


def test_a_module_of_the_engine_may_move(hash_of: Hashed) -> None:
    """Whether the engine makes other rows, its own version says."""
    table = "from {} import normalise\n\n\ndef transform(text):\n    return normalise(text)\n"
    there = hash_of({"table": table.format("remoteiq_etl.frames.text")})
    assert hash_of({"table": table.format("remoteiq_etl.spec.value_map")}) == there


def test_a_constant_of_the_engine_counts_by_its_value(hash_of: Hashed) -> None:
    """Whatever it is called, and whichever way it is imported."""
    table = "from remoteiq_etl.spec.batch import {0}\n\n\ndef transform(row):\n    return row[{0}]\n"
    there = hash_of({"table": table.format("KEY")})
    assert hash_of({"table": table.format("HASH")}) != there
    whole = "from remoteiq_etl.spec import batch\n\n\ndef transform(row):\n    return row[batch.KEY]\n"
    assert hash_of({"table": whole}) == there


def test_tables_of_both_sides_are_told_apart(hash_of: Hashed) -> None:
    table = "from schemas import {0}\n\n\ndef transform(row):\n    return {0}.users.c.id\n"
    assert hash_of({"table": table.format("legacy")}) != hash_of({"table": table.format("target")})
    named = "from schemas.legacy.access import users\n\n\ndef transform(row):\n    return users.c.id\n"
    assert hash_of({"table": named}) == hash_of({"table": table.format("legacy")})


# --- what code may look like ------------------------------------------------------------------------------------


def test_functions_that_call_each_other_have_a_hash(hash_of: Hashed) -> None:
    table = (
        "def transform(number):\n    return odd(number - 1) if number else True\n\n\n"
        "def odd(number):\n    return transform(number - 1) if number else False\n"
    )
    assert hash_of({"table": table}) == hash_of({"table": table.replace("odd", "uneven")})
    assert hash_of({"table": table}) != hash_of({"table": table.replace("False", "None")})


def test_classes_count_with_their_methods_and_bases(hash_of: Hashed) -> None:
    table = (
        "class Base:\n    step = 1\n\n\nclass Counter(Base):\n    def next(self, at):\n        return at + self.step\n\n\n"
        "def transform(at):\n    return Counter().next(at)\n"
    )
    assert hash_of({"table": table}) != hash_of({"table": table.replace("step = 1", "step = 2")})
    assert hash_of({"table": table}) != hash_of({"table": table.replace("at + self", "at - self")})


def test_a_module_that_is_handed_on_as_a_whole_counts_as_a_whole(hash_of: Hashed) -> None:
    modules = {
        "rules": RULES,
        "table": "from PACKAGE import rules\n\n\ndef transform(name):\n    return vars(rules)[name]\n",
    }
    assert hash_of(changed("LIMIT = 3", "LIMIT = 4", modules)) != hash_of(modules)


def test_lambdas_and_names_defined_together_are_found(hash_of: Hashed) -> None:
    table = "first, transform = 1, lambda text: text.strip()\n"
    assert hash_of({"table": table}) != hash_of({"table": table.replace("strip", "lstrip")})


def test_a_wrapped_function_is_that_with_its_decorator(hash_of: Hashed) -> None:
    table = (
        "import functools\n\n\ndef twice(function):\n    @functools.wraps(function)\n    def done(text):\n"
        "        return function(function(text))\n    return done\n\n\n@twice\ndef transform(text):\n    return text[1:]\n"
    )
    assert hash_of({"table": table}) != hash_of({"table": table.replace("text[1:]", "text[2:]")})
    assert hash_of({"table": table}) != hash_of({"table": table.replace("function(function(text))", "function(text)")})


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a function, found partial"):
        function_hash(functools.partial(str, 1))
