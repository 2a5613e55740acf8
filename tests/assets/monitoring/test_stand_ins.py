from typing import Any

from assets.monitoring.rules.stand_ins import stand_ins
from remoteiq_etl.frames.dtypes import TEXT_LIST, frame
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.transform_context import Context

CONTEXT = Context(lookups={("devices", "device_text"): Lookup.of({"a": "D1", "aa": "D1", "b": "D2"})})


def standing(
    orphans: list[str], assigned: dict[str, list[str]], recorded: dict[str, dict[str, Any]] | None = None
) -> dict[str, str | None]:
    inputs = {
        "orphans": frame({"device_id": orphans}),
        "assigned": frame({"device_id": list(assigned), "ids": list(assigned.values())}, {"ids": TEXT_LIST}),
    }
    return stand_ins(inputs, recorded or {}, CONTEXT)


def test_only_assignment() -> None:
    """Runs without assignment go to the only assignment of their device, under whichever text it is known."""
    assert standing(["a"], {"a": ["x"], "b": ["y"]}) == {"D1": "x"}
    assert standing(["a"], {"aa": ["x"]}) == {"D1": "x"}


def test_unattributed() -> None:
    """With no assignment or several a device needs one that is unattributed."""
    assert standing(["a"], {}) == {"D1": None}
    assert standing(["a"], {"a": ["x", "y"]}) == {"D1": None}
    assert standing(["a", "aa"], {"a": ["x"], "aa": ["y"]}) == {"D1": None}


def test_texts_that_mean_no_device() -> None:
    """Texts that mean no device need nothing."""
    assert standing(["nobody"], {"nobody": ["x"]}) == {}


def test_recorded_choice_stays() -> None:
    """A recorded choice stays, unless its assignment is gone."""
    assert standing(["a"], {"a": ["x", "y"]}, {"D1": {"assignment": "y"}}) == {"D1": "y"}
    assert standing(["a"], {"a": ["x"]}, {"D1": {}}) == {"D1": None}
    assert standing(["a"], {"a": ["x"]}, {"D1": {"assignment": "gone"}}) == {"D1": "x"}
