"""Which times are carried, for SQL of both kinds, and what stands in for a missing one."""

from datetime import UTC, datetime

import pandas as pd
import psycopg
from psycopg import sql
from sqlalchemy import literal_column

from remoteiq_etl.frames.dtypes import TIMESTAMP
from remoteiq_etl.spec.batch import ODD_TIMES
from remoteiq_etl.spec.times import carried, earliest, filled, first_of, is_carried, latest, withdrawn
from tests.assets.builders import batch_of
from tests.support.server import Server

#: The first and the last that are carried, and their neighbours.
EDGES = {
    "4712-01-01 00:00:00+00 BC": True, "4713-12-31 23:59:59+00 BC": False, "-infinity": False, "infinity": False,
    "294245-12-31 23:59:59.999999+00": True, "294246-01-01 00:00:00+00": False, "2024-02-29 12:00:00+00": True,
}  # fmt: skip
FIRST, SECOND, THIRD = (datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2, 3))


def series(*values: datetime | None) -> pd.Series:
    return pd.Series(list(values), dtype=TIMESTAMP)


def days(column: pd.Series) -> list[int | None]:
    return [None if pd.isna(value) else value.day for value in column]


def test_both_kinds_of_sql_carry_the_same_times(server: Server) -> None:
    ours = is_carried(sql.SQL("t.at")).as_string(None)
    theirs = str(carried(literal_column("t.at")))
    query = f"SELECT t.at::text, {ours}, {theirs} FROM (SELECT unnest(%s::timestamptz[]) AS at) AS t"
    with psycopg.connect(server.url("postgres")) as connection:
        found = connection.execute(query.encode(), [[*EDGES, None]]).fetchall()
    assert [row[1:] for row in found] == [(wanted, wanted) for wanted in (*EDGES.values(), None)]


def test_the_first_the_earliest_and_the_latest_of_the_times_that_are_there() -> None:
    one, other = series(SECOND, None, None, FIRST), series(FIRST, THIRD, None, SECOND)
    assert days(first_of(one, other)) == [2, 3, None, 1]
    assert days(earliest(one, other)) == [1, 3, None, 1]
    assert days(latest(one, other)) == [2, 3, None, 2]


def test_a_missing_time_is_filled_with_the_first_of_the_others_and_counted() -> None:
    batch = batch_of({"id": [1, 2, 3]})
    assert days(
        filled(batch, series(FIRST, None, None), "made", series(THIRD, None, None), series(THIRD, SECOND, THIRD))
    ) == [1, 2, 3]
    assert batch.warnings == {"made_filled": 2}


def test_a_revocation_in_a_year_that_nobody_can_read_stays_one() -> None:
    """Else the row would be granted again. Null is no revocation."""
    columns = {
        "id": [1, 2, 3, 4],
        "ended": [FIRST, None, None, None],
        ODD_TIMES: [None, '{"ended": "infinity"}', '{"ended": "x"}', None],
    }
    batch = batch_of(columns, {"ended": TIMESTAMP})
    found = withdrawn(batch, "ended", series(None, SECOND, None, THIRD))
    assert days(found) == [1, 2, 1, None]
    assert found.iloc[2] == pd.Timestamp(0, tz="UTC")
    assert batch.warnings == {"ended_unreadable": 2}
