"""Times of every year that a column holds, as plain Python."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from remoteiq_etl.frames import times
from remoteiq_etl.frames.dtypes import TIMESTAMP
from tests.support.server import Database

TEXTS = (
    "2024-02-29T12:00:00.500000+00:00",
    "0001-01-01T00:00:00+00:00",
    "9999-12-31T23:59:59.999999+00:00",
    "10000-01-01T00:00:00+00:00",
    "20240-02-29T12:00:00+00:00",
    "294245-12-31T23:59:59.999999+00:00",
    "0001-12-31T23:59:59+00:00 BC",
    "0005-02-29T00:00:00+00:00 BC",
    "4712-01-01T00:00:00+00:00 BC",
)


@pytest.fixture
def column(empty_db: Database) -> pd.Series:
    """The times that PostgreSQL reads these texts as."""
    with empty_db.connect() as connection:
        query = (
            "SELECT (extract(epoch FROM t::timestamptz) * 1000000)::bigint"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n"
        )
        found = [row[0] for row in connection.execute(query, [list(TEXTS)]).fetchall()]
    return pd.Series([*found, None], dtype=TIMESTAMP)


def test_a_time_is_written_as_postgresql_writes_it_whatever_its_year(column: pd.Series) -> None:
    assert times.texts(column) == [*TEXTS, None]
    assert times.values(column)[0] == datetime(2024, 2, 29, 12, 0, 0, 500_000, UTC)
    assert times.values(column)[4] == TEXTS[4]
    assert [row["at"] for row in times.records(pd.DataFrame({"at": column}))] == times.values(column)


def test_a_time_is_its_microseconds_and_comes_back_from_them(column: pd.Series) -> None:
    assert pd.Series(times.microseconds(column), dtype=TIMESTAMP).equals(column)
    later = times.shifted(column, timedelta(days=90))
    assert [a - b for a, b in zip(times.microseconds(later)[:-1], times.microseconds(column)[:-1], strict=True)] == (
        [90 * 86_400_000_000] * len(TEXTS)
    )
