import pandas as pd
import pytest

from assets.inventory.rules.install_dates import formats_of, parse_install_dates
from remoteiq_etl.frames.dtypes import TEXT, TIMESTAMP


def read(*texts: str | None) -> list[str | None]:
    dates = parse_install_dates(pd.Series(texts, dtype=TEXT))
    assert dates.dtype == TIMESTAMP
    return [None if pd.isna(date) else date.isoformat() for date in dates]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-31", "2024-03-31T00:00:00+00:00"),
        ("20240331", "2024-03-31T00:00:00+00:00"),
        ("03/04/2024", "2024-03-04T00:00:00+00:00"),
        ("3/4/2024", "2024-03-04T00:00:00+00:00"),
        ("2024-03-31T10:20:30Z", "2024-03-31T10:20:30+00:00"),
        ("2024-03-31t10:20:30z", "2024-03-31T10:20:30+00:00"),
        ("2024-03-31T10:20:30.123456+02:00", "2024-03-31T08:20:30.123456+00:00"),
        ("2024-03-31T10:20:30", "2024-03-31T10:20:30+00:00"),
        ("2024-03-31 10:20", "2024-03-31T10:20:00+00:00"),
        ("2024-03-31 00:00:00+00", "2024-03-31T00:00:00+00:00"),
        ("1711843200", "2024-03-31T00:00:00+00:00"),
        ("123456789", "1973-11-29T21:33:09+00:00"),
        ("1711843200123", "2024-03-31T00:00:00.123000+00:00"),
        ("171184320012", "1975-06-05T07:12:00.012000+00:00"),
        (" 2024-03-31\u00a0", "2024-03-31T00:00:00+00:00"),
    ],
)
def test_formats(text: str, moment: str) -> None:
    """Each format that agents use is read as a moment in UTC; a slash date has the month first."""
    assert read(text) == [moment]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "unknown",
        "31/03/2024",
        "2024-02-30",
        "20241301",
        "12345",
        "1234567",
        "12345678901",
        "12345678901234",
        "2024-W13-7",
        "2024-03-31T25:00:00",
        "２０２４0331",
        "0001-01-01T00:00:00+05:00",
    ],
)
def test_unreadable(text: str) -> None:
    """What is in no known format, or no day of the calendar, is null."""
    assert read(text) == [None]


def test_range() -> None:
    """The years 1970 to 2100 are accepted, in UTC, and nothing outside."""
    assert read("1970-01-01", "2100-12-31") == ["1970-01-01T00:00:00+00:00", "2100-12-31T00:00:00+00:00"]
    assert read("1969-12-31", "2101-01-01", "9999999999", "1970-01-01T00:00:00+05:00") == [None] * 4


def test_rows_stay_in_order() -> None:
    """Each row gets the moment of its own text; null stays null."""
    assert read("2024-03-31", None, "x", "2024-03-31", "20240401") == [
        "2024-03-31T00:00:00+00:00",
        None,
        None,
        "2024-03-31T00:00:00+00:00",
        "2024-04-01T00:00:00+00:00",
    ]


def test_no_rows() -> None:
    """An empty column gives an empty column."""
    assert read() == []


def test_formats_are_counted_by_their_shape() -> None:
    """9 for a digit, A for letters; long ones are cut, blank ones named, a null stays null."""
    texts = ["2024-03-31", " 2024-03-31T01:02Z", "irgendwann Ä", " ", None, "1" * 41, "1" * 40]
    shapes = ["9999-99-99", "9999-99-99A99:99A", "A A", "blank", None, "9" * 40 + "…", "9" * 40]
    found = formats_of(pd.Series(texts, dtype=TEXT))
    assert [None if pd.isna(shape) else shape for shape in found] == shapes
