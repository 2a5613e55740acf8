"""JSON columns: nothing that a legacy object holds is lost when keys are added, and no number changes a digit."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remoteiq_etl.frames import json_text
from remoteiq_etl.sensitive.redaction import redacted_json

#: Numbers as PostgreSQL keeps them, and a double does not.
EXACT = [
    "1e400",
    "-1e400",
    "1.10",
    "0.1234567890123456789",
    "1E5",
    "-0",
    "-0.0",
    "1e-400",
    "9" * 4000,
    "1" + "0" * 5000,
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_displaced_values_join_those_displaced_before() -> None:
    """A value that ours displaces moves to legacyValues, beside what is there."""
    value = {"a": 1, "legacyValues": {"b": 2}}
    assert json_text.with_added(value, {"a": 9}) == {"a": 9, "legacyValues": {"b": 2, "a": 1}}
    assert json_text.with_added({"a": 1}, {"a": 1, "c": 3}) == {"a": 1, "c": 3}


@pytest.mark.parametrize(
    ("legacy", "ours", "one"),
    [
        ("1", "true", False),
        ("0", "false", False),
        ('"60"', "60", False),
        ("null", "false", False),
        ("60.00", "60", True),
        ("1e2", "100", True),
        ('{"a":[1,null]}', '{"a":[1.0,null]}', True),
        ('{"a":[1]}', '{"a":[true]}', False),
        ("[1,2]", "[1]", False),
        ('{"a":1}', '{"b":1}', False),
    ],
)
def test_a_value_is_displaced_when_json_says_that_it_is_another(legacy: str, ours: str, one: bool) -> None:
    """As PostgreSQL compares JSON: true is not 1, and how a number is written does not count."""
    added = json_text.with_added({"key": json_text.parse(legacy)}, {"key": json_text.parse(ours)})
    assert ("legacyValues" not in added) is one


def test_text_is_written_as_it_is() -> None:
    """Text of any language is written without escapes, and compact."""
    assert json_text.dumps({"name": "caf\u00e9", "n": 1}) == '{"name":"caf\u00e9","n":1}'


@pytest.mark.parametrize("number", EXACT, ids=lambda text: text[:24])
def test_a_number_comes_out_as_it_went_in(number: str) -> None:
    """Also where a double would be infinite or zero, and beside text that looks like one."""
    for text in (number, f'{{"n":{number},"text":"{number[:9]}","list":[1,{number}],"é\\"":null}}'):
        assert json_text.dumps(json_text.parse(text)) == text


def test_a_number_that_a_double_holds_is_a_number() -> None:
    assert json_text.parse('{"a":1.5,"b":[2,true]}') == {"a": 1.5, "b": [2, True]}
    assert json_text.parse("1.50") == json_text.Number("1.50") != json_text.parse("1.500")


def test_a_number_that_ours_displaces_keeps_its_digits() -> None:
    added = json_text.with_added(json_text.parse('{"os":1e400,"more":1.10}'), {"os": "linux"})
    assert json_text.dumps(added) == '{"os":"linux","more":1.10,"legacyValues":{"os":1e400}}'


@given(VALUES)
def test_any_json_is_written_so_that_others_read_the_same(value: object) -> None:
    beside: Mapping[str, Any] = {"value": value, "exact": json_text.Number("1.10")}
    assert json.loads(json_text.dumps(value)) == value
    assert json.loads(json_text.dumps(beside)) == {"value": value, "exact": 1.1}


def test_what_a_database_refuses_is_not_written() -> None:
    """NaN is no JSON, and neither is an infinity beside a number of many digits."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text.dumps(float("nan"))
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text.dumps([json_text.Number("1e400"), float("inf")])


def test_what_a_database_refuses_is_not_read() -> None:
    with pytest.raises(ValueError, match="expected a JSON number, found NaN"):
        json_text.parse("[NaN]")


@pytest.mark.parametrize(("first", "inner", "last"), [("[", "", "]"), ('{"x":', "1", "}"), ('[{"x":', "1.10", "}]")])
def test_json_is_read_to_a_depth_that_can_be_written_again(first: str, inner: str, last: str) -> None:
    """Brackets in texts do not count, and neither do many beside each other."""
    levels = len(first.replace('"x":', ""))
    deepest = first * (300 // levels) + inner + last * (300 // levels)
    value = json_text.parse(deepest)
    assert json_text.dumps(value) == deepest
    assert json_text.same(value, redacted_json(value))
    assert not json_text.is_too_deep(json.dumps(["[{" * 999, '\\"[', [[]] * 999]))
    with pytest.raises(ValueError, match="at most 300 levels"):
        json_text.parse(f"[{deepest}]")


def test_what_json_does_not_know_is_named_by_its_type_alone() -> None:
    with pytest.raises(TypeError, match=r"^expected a JSON value, found an object of the type datetime$"):
        json_text.dumps({"at": datetime(2024, 1, 1, tzinfo=UTC)})
