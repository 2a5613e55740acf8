"""Cron texts of the configuration file: what is accepted Dagster accepts, and what is wrong is said at once."""

from pathlib import Path

import pytest
from dagster._utils.schedules import is_valid_cron_string
from hypothesis import given
from hypothesis import strategies as st

from remoteiq_etl.config.schedules import Schedules
from remoteiq_etl.errors import ConfigurationError

FILE = Path("remoteiq.toml")
RIGHT = [
    "*/15 * * * *",
    "0 2 * * MON-FRI",
    "5,35 0-6 1,15 jan,JUL *",
    "10-50/20 */2 * * 0",
    "0 0 29 2 *",
    "0 0 31 1-2 *",
]
#: What is wrong, and what is said about it.
WRONG = {
    "": "expected five fields",
    "* * * *": "expected five fields",
    "* * * * * *": "expected five fields",
    "@hourly": "expected five fields",
    "60 * * * *": "'60' in '60 \\* \\* \\* \\*' is no minute: expected \\*, or numbers from 0 to 59",
    "* 24 * * *": "is no hour",
    "* * 0 * *": "is no day of the month",
    "* * * 13 *": "is no month",
    "* * * * 7": "is no day of the week",
    "*/0 * * * *": "is no minute",
    "5-1 * * * *": "is no minute",
    "5/2 * * * *": "is no minute",
    "a * * * *": "is no minute",
    "1,,2 * * * *": "is no minute",
    "٣ * * * *": "is no minute",
    "0 0 30 2 *": "never comes: no such month has a day 30",
    "0 0 31 4,6 *": "never comes",
}


def cron(text: object) -> str:
    return Schedules.read({"resync": text}, FILE).resync


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_is_right_for_dagster(text: str) -> None:
    assert cron(text) == text
    assert is_valid_cron_string(text)


@pytest.mark.parametrize(("text", "said"), WRONG.items())
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^remoteiq.toml: \[schedules\] resync: .*{said}"):
        cron(text)


@given(
    st.lists(
        st.sampled_from(["*", "*/5", "0", "1-4", "3,7", "9", "31", "0-6/2", "jan", "fri", "7"]), min_size=5, max_size=5
    )
)
def test_nothing_is_accepted_that_dagster_refuses(parts: list[str]) -> None:
    text = " ".join(parts)
    try:
        cron(text)
    except ConfigurationError:
        return
    assert is_valid_cron_string(text)


def test_the_defaults_are_what_a_file_without_schedules_means() -> None:
    defaults = Schedules.read({}, FILE)
    assert defaults == Schedules()
    assert Schedules.read(dict(vars(defaults)), FILE) == defaults, "each of them is accepted"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("daily", r"expected a table \[schedules\], found schedules = 'daily'"),
        ({"resinc": "* * * * *"}, "has no setting resinc. Known: resync, sweep, deletes, verify, time_zone"),
        ({"time_zone": "Mars/Olympus"}, 'expected the name of a time zone such as "Europe/Berlin"'),
        ({"resync": 15}, "expected five fields"),
    ],
)
def test_other_faults_are_said(table: object, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Schedules.read(table, FILE)
