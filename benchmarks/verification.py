"""What a verification costs, as a share of the time that the load took: every row compared, the rows written since, checksums.

Run as a module it verifies one table in a process of its own, and prints seconds and the most memory that it held (MB).
Belongs here: the rounds and their figures. Does not belong here: the load (see contestants).
"""

import argparse
import json
import subprocess
import sys
import time
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks import report, resync
from benchmarks.contestants import ROOT, ours
from benchmarks.database import Bench
from benchmarks.ours import peak_mb
from benchmarks.workloads import LEGACY_SCHEMA, Workload
from remoteiq_etl.verify.engine import verify

WANTED_SHARE = 0.25
#: Way → the options that it verifies with; the last one after a hundred rows were changed and brought over.
SINCE = f"rows written since ({resync.CHANGED} changed)"
WAYS = {"checksums (--quick)": ["--quick"], "every row (--full)": ["--full"], SINCE: []}


def main() -> None:
    """Verify one table as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("table")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args()
    started = time.perf_counter()
    (found,) = verify(
        Bench(options.url).plan(options.table), [options.table], full=options.full, quick=options.quick
    ).tables
    seconds = time.perf_counter() - started
    figures = {"seconds": seconds, "rows": found.rows_compared, "peak_mb": peak_mb(), "labels": found.labels}
    json.dump({**figures, "error": found.error}, sys.stdout)


def measure(bench: Bench, workload: Workload, rounds: int, console: Console) -> dict[str, list[dict[str, float]]]:
    """Load and verify in turn, in every way: seconds of both, rows, and the memory of the verification."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        bench.reset(workload)
        load = ours(bench, workload, LEGACY_SCHEMA)
        for way, options in WAYS.items():
            if way == SINCE:
                resync.change(bench, workload, "since")
                resync.load(bench.plan(workload.name), None)
            said = _verified(bench, workload, options)
            found[way].append({"load": load.seconds, **{name: said[name] for name in ("seconds", "rows", "peak_mb")}})
            console.print(f"{workload.name}, {way}: {found[way][-1]}")
    return found


def _verified(bench: Bench, workload: Workload, options: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", __name__, bench.url, workload.name, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    said: dict[str, Any] = json.loads(done.stdout)
    if said["error"] or "BUG" in said["labels"]:
        raise SystemExit(f"{workload.name} could not be verified: {said}")
    return said


def show(workload: Workload, found: dict[str, list[dict[str, float]]], where: str) -> None:
    """Print the figures, and write them to a file."""
    table = report.table("Verification", "what was compared", "rows", "load", "verification", "share", "MB", "wanted")
    for way, rounds in found.items():
        share = median(one["seconds"] / one["load"] for one in rounds)
        verdict = "reached" if share <= WANTED_SHARE else "MISSED"
        load, seconds = (f"{median(one[name] for one in rounds):.1f} s" for name in ("load", "seconds"))
        rows, memory = f"{rounds[-1]['rows']:,.0f}", f"{max(one['peak_mb'] for one in rounds):.0f}"
        wanted = f"at most {WANTED_SHARE:.0%}: {verdict}"
        table.add_row(f"{workload.name}: {way}", rows, load, seconds, f"{share:.0%}", memory, wanted)
    report.publish("verification", [table], where)


if __name__ == "__main__":
    main()
