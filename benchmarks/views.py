"""What the reporting views cost to read over a loaded target, and what a materialized copy of each would cost and save.

Belongs here: loading, reading, their figures. Does not belong here: the views (schemas/views.py).
"""

import time
from contextlib import closing
from dataclasses import dataclass
from statistics import median

import psycopg
from rich.console import Console

from benchmarks import report
from benchmarks.contestants import ours
from benchmarks.database import Bench
from benchmarks.workloads import LEGACY_SCHEMA, STATE_SCHEMA, TARGET_SCHEMA, Workload
from remoteiq_etl.lifecycle.drift.surroundings import size
from remoteiq_etl.lifecycle.target.finalize import finalize
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.state.schema import State
from schemas.views import REPORTS

#: Seconds that somebody who opens a page waits without asking why.
WANTED = 3.0


@dataclass(frozen=True)
class ViewFigures:
    """One view: its rows, the seconds of reading it whole, of making a materialized copy and of reading that."""

    name: str
    rows: int
    seconds: float
    made: float
    copied: float


def measure(bench: Bench, workloads: list[Workload], rounds: int, console: Console) -> tuple[list[ViewFigures], float]:
    """Load, finalize, read; returns the figures and the bytes of the target for each of legacy."""
    for workload in workloads:
        bench.reset(workload)
        ours(bench, workload, LEGACY_SCHEMA)
    database = Database(bench.url, TARGET_SCHEMA)
    with closing(database.connect()) as session:
        finalize(session, target_schema=TARGET_SCHEMA, state=State(database, STATE_SCHEMA), whole=True)
        share = size(session, [TARGET_SCHEMA, STATE_SCHEMA]) / size(session, [LEGACY_SCHEMA])
    found = []
    with psycopg.connect(bench.url, autocommit=True) as connection:
        for view in REPORTS:
            found.append(_of_view(connection, view.name, rounds))
            console.print(str(found[-1]))
    return found, share


def _of_view(connection: psycopg.Connection, name: str, rounds: int) -> ViewFigures:
    place, copy = f"{TARGET_SCHEMA}.{name}", f"{TARGET_SCHEMA}.copy_of_{name}"
    seconds = median(_timed(connection, f"SELECT * FROM {place}") for _ in range(rounds))
    made = _timed(connection, f"CREATE MATERIALIZED VIEW {copy} AS SELECT * FROM {place}")
    copied = median(_timed(connection, f"SELECT * FROM {copy}") for _ in range(rounds))
    row = connection.execute(f"SELECT count(*) FROM {copy}".encode()).fetchone()
    connection.execute(f"DROP MATERIALIZED VIEW {copy}".encode())
    assert row is not None
    return ViewFigures(name, int(row[0]), seconds, made, copied)


def _timed(connection: psycopg.Connection, statement: str) -> float:
    """Seconds of a statement, its rows fetched."""
    started = time.perf_counter()
    cursor = connection.execute(statement.encode())
    if cursor.description:
        cursor.fetchall()
    return time.perf_counter() - started


def show(found: list[ViewFigures], share: float, where: str) -> None:
    """Print the figures, and write them to a file."""
    table = report.table("Reporting views", "view", "rows", "read", "materialized in", "read then", "wanted")
    for one in found:
        verdict = f"under {WANTED:.0f} s: {'reached' if one.seconds < WANTED else 'MISSED'}"
        seconds = [f"{value:.2f} s" for value in (one.seconds, one.made, one.copied)]
        table.add_row(one.name, f"{one.rows:,}", *seconds, verdict)
    report.publish("views", [table], f"{where}; the target takes {share:.1f} bytes for each of legacy")
