"""What the reporting views cost to read over a large target, and what a materialized copy of each would cost and save.

Belongs here: filling a target, reading, their figures. Does not belong here: the views (schemas/views.py), loads.
"""

import time
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files
from statistics import median

import psycopg
from rich.console import Console

from benchmarks import report
from benchmarks.workloads import STATE_SCHEMA, TARGET_SCHEMA
from remoteiq_etl.lifecycle.target.finalize import finalize
from remoteiq_etl.lifecycle.target.prepare import prepare
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.state.schema import State
from schemas.views import REPORTS
from tests.support.server import Server

#: Seconds that somebody who opens a page waits without asking why.
WANTED = 3.0
_ROWS_PER_AGENT = 100


@dataclass(frozen=True)
class ViewFigures:
    """One view: its rows, the seconds of reading it whole, of making a materialized copy and of reading that."""

    name: str
    rows: int
    seconds: float
    made: float
    copied: float


def measure(server: Server, rows: int, rounds: int, console: Console) -> list[ViewFigures]:
    """Fill a target with so many check runs and programs, complete it, and read each view."""
    url = server.create_database("views").url
    database = Database(url, TARGET_SCHEMA)
    state = State(database, STATE_SCHEMA)
    with closing(database.connect()) as session:
        prepare(session, target_schema=TARGET_SCHEMA, state=state)
        text = files("benchmarks").joinpath("sql", "views.sql").read_text(encoding="utf-8")
        session.execute(text.format(rows=rows, agents=max(1, rows // _ROWS_PER_AGENT)))
        finalize(session, target_schema=TARGET_SCHEMA, state=state, whole=True)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("VACUUM")
        found = [_of_view(connection, view.name, rounds) for view in REPORTS]
    for one in found:
        console.print(str(one))
    return found


def _of_view(connection: psycopg.Connection, name: str, rounds: int) -> ViewFigures:
    seconds = median(_timed(connection, f"SELECT * FROM {name}") for _ in range(rounds))
    made = _timed(connection, f"CREATE MATERIALIZED VIEW copied AS SELECT * FROM {name}")
    copied = median(_timed(connection, "SELECT * FROM copied") for _ in range(rounds))
    row = connection.execute("SELECT count(*) FROM copied").fetchone()
    connection.execute("DROP MATERIALIZED VIEW copied")
    assert row is not None
    return ViewFigures(name, int(row[0]), seconds, made, copied)


def _timed(connection: psycopg.Connection, statement: str) -> float:
    """Seconds of a statement, its rows fetched."""
    started = time.perf_counter()
    cursor = connection.execute(statement.encode())
    if cursor.description:
        cursor.fetchall()
    return time.perf_counter() - started


def show(found: list[ViewFigures], where: str) -> None:
    """Print the figures, and write them to a file."""
    table = report.table("Reporting views", "view", "rows", "read", "materialized in", "read then", "wanted")
    for one in found:
        verdict = f"under {WANTED:.0f} s: {'reached' if one.seconds < WANTED else 'MISSED'}"
        seconds = [f"{value:.2f} s" for value in (one.seconds, one.made, one.copied)]
        table.add_row(one.name, f"{one.rows:,}", *seconds, verdict)
    report.publish("views", [table], where)
