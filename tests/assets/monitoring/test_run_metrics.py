import json

import pandas as pd

from assets.monitoring.rules.run_metrics import with_legacy
from remoteiq_etl.frames.dtypes import TEXT


def column(*texts: str | None) -> pd.Series:
    return pd.Series(texts, dtype=TEXT)


def added(metrics: str | None, **lost: str | None) -> object:
    text = with_legacy(column(metrics), {name: column(value) for name, value in lost.items()}).iloc[0]
    return None if pd.isna(text) else json.loads(text)


def test_no_objects() -> None:
    """What is no object becomes {"value": it} where something is added, and only there."""
    for text in ("[1, 2]", '"x"', "12", "true"):
        assert added(text, status="T") == {"value": json.loads(text), "legacy": {"status": "T"}}
        assert added(text, status=None) == json.loads(text)


def test_nothing_lost() -> None:
    """Rows that lose nothing are not touched, not even their white space."""
    found = with_legacy(
        column('{"a":  1}', '{"b":  2}', None), {"x": column(None, "y", None), "z": column(None, None, None)}
    )
    assert found.iloc[0] == '{"a":  1}'
    assert json.loads(found.iloc[1]) == {"b": 2, "legacy": {"x": "y"}}
    assert pd.isna(found.iloc[2])
    untouched = column("{}")
    assert with_legacy(untouched, {"x": column(None)}) is untouched


def test_added_under_legacy() -> None:
    """What would be lost is added under `legacy`; values that are null are left out."""
    assert added('{"a": 1}', status="TIMEOUT", deviceId=None) == {"legacy": {"status": "TIMEOUT"}, "a": 1}
    assert added("{}", status="T", deviceId='q"\\') == {"legacy": {"status": "T", "deviceId": 'q"\\'}}
    assert added(None, status="T") == {"legacy": {"status": "T"}}
    assert added('{"path":"C:\\\\x"}', status="T") == {"path": "C:\\x", "legacy": {"status": "T"}}


def test_digits_stay() -> None:
    """What is added leaves the numbers of the metrics as they are written."""
    found = with_legacy(column('{"ms":1.50,"n":1E2}'), {"status": column("T")})
    assert found.to_list() == ['{"legacy":{"status":"T"},"ms":1.50,"n":1E2}']


def test_a_key_of_that_name() -> None:
    """A value that the legacy object has under that name moves to legacyValues."""
    assert added('{"legacy": 1, "a": 2}', status="T") == {
        "legacy": {"status": "T"},
        "a": 2,
        "legacyValues": {"legacy": 1},
    }
    assert added('{"legacyValues": {"b": 1}, "legacy": 2}', status="T") == {
        "legacy": {"status": "T"},
        "legacyValues": {"b": 1, "legacy": 2},
    }
    assert added('{"a": "legacy"}', status="T") == {"a": "legacy", "legacy": {"status": "T"}}
