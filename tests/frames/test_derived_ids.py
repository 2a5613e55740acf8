"""Identity is the same function on every machine: uuid5 of the JSON array text of a row's name, shown as version 4."""

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remoteiq_etl.frames import derived_ids, row_keys
from remoteiq_etl.frames.dtypes import TEXT, frame, uuid_bytes, uuid_text

NAMESPACE = derived_ids.source_namespace("default")


def expected(*parts: str) -> str:
    name = json.dumps(list(parts), ensure_ascii=False, separators=(",", ":"))
    found = str(uuid.uuid5(uuid.uuid5(uuid.UUID("0d6e7c1e-9a53-4f0b-8f0e-2b9f3a6f5c11"), "default"), name))
    return f"{found[:14]}4{found[15:]}"


def test_derived_id_is_uuid5_of_the_json_array_shown_as_version_4() -> None:
    assert derived_ids.derive(NAMESPACE, "sites", "derived", "acme", "hq") == expected("sites", "derived", "acme", "hq")


def test_another_source_has_other_ids() -> None:
    other = derived_ids.source_namespace("branch")
    assert derived_ids.derive(other, "agents", "agents", "1") != derived_ids.derive(NAMESPACE, "agents", "agents", "1")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=20))
def test_many_derived_ids_equal_each_single_one(keys: list[str]) -> None:
    many = derived_ids.derive_many(NAMESPACE, ("agents", "agents"), keys)
    assert many.to_list() == [expected("agents", "agents", key) for key in keys]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("7d444840-9dc0-11d1-b245-5ffdce74fad2", True),  # version 1
        ("f47ac10b-58cc-4372-a567-0e02b2c3d479", True),
        ("74738ff5-5367-5958-9aee-98fffdcd1876", True),
        ("017f22e2-79b0-7cc3-98c4-dc0c0c07398f", False),  # version 7
        ("1ec9414c-232a-6b00-b3c8-9e6bdeced846", False),  # version 6
        ("f47ac10b-58cc-4372-c567-0e02b2c3d479", False),  # variant c
        ("f47ac10b-58cc-4372-7567-0e02b2c3d479", False),
        ("f47ac10b-58cc-4372-b567-0e02b2c3d479", True),
        ("00000000-0000-0000-0000-000000000000", False),
        ("f47ac10b-58cc-0372-a567-0e02b2c3d479", False),
    ],
)
def test_only_versions_1_to_5_of_the_usual_variant_are_kept(text: str, kept: bool) -> None:
    assert derived_ids.may_be_kept(frame({"id": [text]})["id"]).to_list() == [kept]


def test_null_is_not_kept_and_other_rows_keep_their_place() -> None:
    column = frame({"id": [None, "f47ac10b-58cc-4372-a567-0e02b2c3d479", None]})["id"]
    assert derived_ids.may_be_kept(column).to_list() == [False, True, False]


def test_a_uuid_that_may_not_be_kept_is_derived_from_itself() -> None:
    good, bad = "f47ac10b-58cc-4372-a567-0e02b2c3d479", "00000000-0000-0000-0000-000000000001"
    ids = derived_ids.kept_or_derived(NAMESPACE, "tickets", "tickets", frame({"id": [bad, good]})["id"])
    assert ids.to_list() == [expected("tickets", "tickets", bad), good]


@given(st.lists(st.uuids(), min_size=1, max_size=20))
def test_uuid_text_and_bytes_are_each_other_s_inverse(uuids: list[uuid.UUID]) -> None:
    texts = frame({"id": [str(item) for item in uuids]})["id"]
    raw = uuid_bytes(texts)
    assert [row.tobytes() for row in raw] == [item.bytes for item in uuids]
    assert uuid_text(raw).to_list() == texts.to_list()
    assert uuid_text(raw).dtype == TEXT


def test_names_are_written_as_they_are() -> None:
    """The text that an id is derived from has no escapes but JSON's own: it is the same in every language."""
    assert row_keys.key_text(["sites", "derived", "caf\u00e9", 'a"b']) == '["sites","derived","caf\u00e9","a\\"b"]'
