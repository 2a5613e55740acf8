"""Lookups turn legacy keys into new keys and take no decision."""

from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.spec.lookup import NOTHING, Lookup

KEYS = frame({"k": ["a", None, "c"]})["k"]


def test_unknown_and_null_keys_find_nothing() -> None:
    assert Lookup.of({"a": "1", "b": "2"}).find(KEYS).fillna("-").to_list() == ["1", "-", "-"]
    assert NOTHING.find(KEYS).isna().all()
    assert Lookup.of({"a": "1"}).knows(KEYS).to_list() == [True, False, False]


def test_recorded_values_are_read_per_key() -> None:
    lookup = Lookup.of({}, decisions={"a": {"number": 7}, "c": {}})
    assert lookup.decided(KEYS, "number").fillna("-").to_list() == ["7", "-", "-"]


def test_adopted_keys_are_known() -> None:
    assert Lookup.of({"a": "1"}, adopted=frozenset({"a"})).is_adopted(KEYS).to_list() == [True, False, False]


def test_an_extended_lookup_keeps_what_it_had() -> None:
    lookup = Lookup.of({"a": "1"}, quarantined=frozenset({"q"})).extended(["c"], ["3"])
    assert lookup.find(KEYS).fillna("-").to_list() == ["1", "-", "3"]
    assert lookup.quarantined == {"q"}
