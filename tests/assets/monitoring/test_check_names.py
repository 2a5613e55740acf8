import pandas as pd
import pytest

from assets.monitoring.rules.check_names import (
    SEVERITIES,
    SEVERITY_UNSET,
    UNATTRIBUTED_KEY,
    check_key,
    check_keys,
    check_name,
    free_name,
)
from remoteiq_etl.frames.dtypes import TEXT


@pytest.mark.parametrize(
    ("check_type", "name", "expected", "key"),
    [
        ("CPU", " Load  high", "Load high", '["cpu","load high"]'),
        ("CPU", " ", "CPU", '["cpu","cpu"]'),
        (None, None, "Agent Check", '["","agent check"]'),
        ("", "Load", "Load", '["","load"]'),
        (None, "unattributed", "unattributed", UNATTRIBUTED_KEY),
    ],
)
def test_name_and_key(check_type: str | None, name: str | None, expected: str, key: str) -> None:
    """A check is called by check_name, else check_type, else "Agent Check"; a null type is a type of its own."""
    assert check_name(check_type, name) == expected
    assert check_key(check_type, name) == key


def test_keys_of_many() -> None:
    """The keys of a column of pairs are those of each pair."""
    pairs = [("CPU", "Load"), (None, "Load"), ("cpu ", "LOAD"), ("CPU", None), (None, None), ("", "")]
    types, names = (pd.Series(column, dtype=TEXT) for column in zip(*pairs, strict=True))
    assert check_keys(types, names).tolist() == [check_key(*pair) for pair in pairs]


def test_names_that_are_taken() -> None:
    """A taken name gets the type, then the type and a number from 2; a null type is a script."""
    assert free_name("Disk", "DISK", set()) == "Disk"
    assert free_name("Disk", "disk ", {"Disk"}) == "Disk (DISK)"
    assert free_name("Disk", None, {"Disk"}) == "Disk (SCRIPT)"
    assert free_name("Disk", "DISK", {"Disk", "Disk (DISK)"}) == "Disk (DISK 2)"
    assert free_name("Disk", "DISK", {"Disk", "Disk (DISK)", "Disk (DISK 2)"}) == "Disk (DISK 3)"


def test_severities() -> None:
    """CRIT is critical, WARN medium; null is left to the check; other words are unknown."""
    found = SEVERITIES.apply(pd.Series(["CRIT", "warn ", None, "", "FATAL"], dtype=TEXT)).to_list()
    assert found[:4] == ["critical", "medium", SEVERITY_UNSET, SEVERITY_UNSET]
    assert pd.isna(found[4])
