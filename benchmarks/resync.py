"""What a re-sync costs: a hundred changed rows of many, the same by comparing the hash of every row, and by a full pass.

Belongs here: the rounds and their figures. Does not belong here: the first load (see contestants).
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import environ
from statistics import median

import psycopg
from rich.console import Console

from benchmarks import report
from benchmarks.contestants import ROOT
from benchmarks.database import STATE_SCHEMA, Bench
from benchmarks.workloads import LEGACY_SCHEMA, Workload
from remoteiq_etl.backfill.context.plan import Mode, RunPlan
from remoteiq_etl.backfill.run import open_run
from remoteiq_etl.fixtures.generator import generate
from tests.support.server import Server

CHANGED = 100
WANTED_SECONDS, WANTED_RATIO = 1.0, 10.0


@dataclass(frozen=True)
class Measured:
    """Seconds of each round by what was done, over so many rows."""

    rows: int
    seconds: dict[str, list[float]]


def measure(bench: Bench, workload: Workload, rounds: int, console: Console) -> Measured:
    """Load once, then bring a hundred changed rows over in several ways, in turn."""
    plan = bench.plan(workload.name)
    load(plan, None)
    _settle(bench, workload)
    load(plan, None)
    bench.execute("VACUUM (ANALYZE)")
    ways: dict[str, Callable[[], float]] = {
        "changed rows alone": lambda: load(plan, workload.name),
        "the hash of every row": lambda: load(plan, workload.name, Mode.SWEEP),
        "a full pass": lambda: load(plan, workload.name, Mode.FULL),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name, way in ways.items():
            change(bench, workload, f"{number} {name}")
            seconds[name].append(way())
            console.print(f"{workload.name}: {name} took {seconds[name][-1]:.2f} s")
    return Measured(bench.rows_of(LEGACY_SCHEMA, workload), seconds)


def nothing_changed(server: Server, agents: int, rounds: int) -> list[float]:
    """Seconds of `remoteiq-etl run` on an installation in which nothing changed since the last run, command to exit."""
    legacy, target = (server.create_database().url for _ in range(2))
    generate(legacy, "public", agents=agents, create_schema=True)
    with tempfile.TemporaryDirectory() as home:
        named = {"REMOTEIQ_LEGACY_URL": legacy, "REMOTEIQ_TARGET_URL": target, "REMOTEIQ_HOME": home}
        for _ in range(2):
            _command(named)
        return [_command(named) for _ in range(rounds)]


def show(measured: Measured, nothing: list[float], agents: int, where: str) -> None:
    """Print the figures, and write them to a file."""
    table = report.table("Re-sync", "what was done", "seconds", "rounds", "against changed rows alone", "wanted")
    alone = measured.seconds["changed rows alone"]
    for name, found in measured.seconds.items():
        ratio = median(theirs / ours for theirs, ours in zip(found, alone, strict=True))
        wanted = {
            "changed rows alone": f"under {WANTED_SECONDS:g} s: {_verdict(median(found) < WANTED_SECONDS)}",
            "the hash of every row": f"{WANTED_RATIO:g} times: {_verdict(ratio >= WANTED_RATIO)}",
        }
        title = f"{CHANGED} of {measured.rows:,} rows: {name}"
        table.add_row(title, f"{median(found):.2f}", _rounds(found), f"{ratio:.1f} ×", wanted.get(name, ""))
    title = f"remoteiq-etl run, {agents:,} agents, nothing changed"
    table.add_row(title, f"{median(nothing):.1f}", _rounds(nothing), "", "")
    report.publish("resync", [table], where)


def _rounds(seconds: list[float]) -> str:
    return " ".join(f"{one:.2f}" for one in seconds)


def _verdict(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def load(plan: RunPlan, table: str | None, mode: Mode = Mode.INCREMENTAL) -> float:
    """Seconds of the load of one table; with None of all, which nobody times."""
    with open_run(replace(plan, mode=mode)) as run:
        started = time.perf_counter()
        run.load_all(None if table is None else {table})
        return time.perf_counter() - started


def _settle(bench: Bench, workload: Workload) -> None:
    """Take the faulty rows out, which every run looks at again: they are not what is measured."""
    waiting = f"SELECT legacy_key FROM {STATE_SCHEMA}.{{}} WHERE legacy_table = '{workload.name}'"
    keys = " UNION ALL ".join(waiting.format(name) for name in ("quarantine", "held"))
    bench.execute(f"DELETE FROM {LEGACY_SCHEMA}.{workload.name} WHERE id::text IN ({keys})")


def change(bench: Bench, workload: Workload, marker: str) -> None:
    """Write this into a hundred legacy rows."""
    table = f"{LEGACY_SCHEMA}.{workload.name}"
    with psycopg.connect(bench.url, autocommit=True) as connection:
        connection.execute(
            f"UPDATE {table} SET output = %s WHERE id IN (SELECT id FROM {table} LIMIT %s)".encode(), [marker, CHANGED]
        )


def _command(named: dict[str, str]) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from remoteiq_etl.cli import main; sys.exit(main())", "run"],
        cwd=ROOT, env={**environ, **named}, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr.decode())
    return time.perf_counter() - started
