"""JSON columns: nothing that a legacy object holds is lost when keys are added."""

import pytest

from remoteiq_etl.backfill import jsons


def test_displaced_values_join_those_displaced_before() -> None:
    """A value that ours displaces moves to legacyValues, beside what is there."""
    value = {"a": 1, "legacyValues": {"b": 2}}
    assert jsons.with_added(value, {"a": 9}) == {"a": 9, "legacyValues": {"b": 2, "a": 1}}
    assert jsons.with_added({"a": 1}, {"a": 1, "c": 3}) == {"a": 1, "c": 3}


def test_text_is_written_as_it_is() -> None:
    """Text of any language is written without escapes, and compact."""
    assert jsons.dumps({"name": "caf\u00e9", "n": 1}) == '{"name":"caf\u00e9","n":1}'


def test_what_a_database_refuses_is_not_written() -> None:
    """NaN is no JSON."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        jsons.dumps(float("nan"))
