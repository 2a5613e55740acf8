"""Nothing secret leaves a row's own table."""

import pytest

from remoteiq_etl.frames.dtypes import frame
from remoteiq_etl.sensitive import redaction
from schemas import legacy


def test_secret_columns_lose_their_value_and_nulls_stay_null() -> None:
    row = {"id": "1", "email": "ada@example.com", "password_hash": "hunter2", "two_factor_secret": None}
    shown = redaction.redacted_row(legacy.users, row)
    assert shown == {
        "id": "1",
        "email": "ada@example.com",
        "password_hash": redaction.REDACTED,
        "two_factor_secret": None,
    }


@pytest.mark.parametrize("key", ["password", "apiToken", "SECRET", "private_key", "Credentials"])
def test_json_keys_that_name_a_secret_lose_their_value_at_any_depth(key: str) -> None:
    value = {"a": [{key: "hunter2", "b": 1}], "c": "visible"}
    assert redaction.redacted_json(value) == {"a": [{key: redaction.REDACTED, "b": 1}], "c": "visible"}


def test_json_columns_are_redacted_inside() -> None:
    shown = redaction.redacted_row(legacy.agents, {"facts": '{"token": "hunter2", "cpu": 4}'})
    assert shown["facts"] == '{"token":"[redacted]","cpu":4}'


def test_long_texts_are_cut() -> None:
    shown = redaction.redacted_row(legacy.checks, {"description": "x" * 2000})
    assert shown["description"] == "x" * redaction.LONGEST + "…"


def test_cells_become_plain_json_values() -> None:
    columns = frame({"t": ["a", None]})
    assert [redaction.plain(value) for value in columns["t"]] == ["a", None]
    assert redaction.plain(b"\x01\xff") == "01ff"
    assert redaction.plain([1, None]) == [1, None]
