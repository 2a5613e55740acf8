"""Positions of keys: the sorted search gives what Arrow's own gives, whatever is asked."""

import uuid

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remoteiq_etl.frames import key_index
from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.frames.key_index import Keyed, KeyIndex

texts = st.text(st.characters(codec="utf-8"), max_size=3)


@pytest.fixture(autouse=True)
def _every_list_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_index, "LARGE", 1)


@given(st.lists(texts, unique=True), st.lists(st.none() | texts))
def test_positions_are_those_that_arrow_finds(keys: list[str], wanted: list[str | None]) -> None:
    known, asked = pa.array(keys, pa.string()), pa.array(wanted, pa.string())
    assert KeyIndex(known).find(asked).to_pylist() == pc.index_in(asked, known, skip_nulls=True).to_pylist()


def test_keys_of_one_length_are_found_also_in_slices() -> None:
    ids = [str(uuid.UUID(int=number * 7919)) for number in range(500)]
    asked = pa.array(["too short", None, *ids[::-1], str(uuid.UUID(int=1)), "x" * 36])
    found = KeyIndex(pa.array(["gone", *ids], pa.string()).slice(1)).find(asked.slice(1))
    assert found.to_pylist() == [None, *range(499, -1, -1), None, None]


def test_equal_fingerprints_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_index, "_fingerprints", lambda texts, _: pc.binary_length(texts).to_numpy().astype("u8"))
    assert KeyIndex(pa.array(["a", "b"])).find(pa.array(["b", "a", "c"])).to_pylist() == [1, 0, None]


def test_rows_are_looked_up_by_key_and_are_null_without_one() -> None:
    rows = Keyed(frame({"id": ["a", "b"], "name": ["A", None]}), "id")
    found = rows.of(frame({"k": ["b", "a", "z", None]})["k"])
    assert found["name"].isna().to_list() == [True, False, True, True]
    assert found["id"].to_list()[:2] == ["b", "a"]
