"""What a verification costs: every row of a loaded table compared, as a share of the time that the load took.

Run as a module it verifies one table in a process of its own, and prints seconds and the most memory that it held (MB).
Belongs here: the rounds and their figures. Does not belong here: the load (see contestants).
"""

import argparse
import json
import subprocess
import sys
import time
from statistics import median

from rich.console import Console

from benchmarks import report
from benchmarks.contestants import ROOT, ours
from benchmarks.database import Bench
from benchmarks.ours import peak_mb
from benchmarks.workloads import LEGACY_SCHEMA, Workload
from remoteiq_etl.verify.engine import verify

WANTED_SHARE = 0.25


def main() -> None:
    """Verify one table as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("table")
    options = parser.parse_args()
    started = time.perf_counter()
    (found,) = verify(Bench(options.url).plan(options.table), [options.table], full=True).tables
    seconds = time.perf_counter() - started
    figures = {"seconds": seconds, "rows": found.rows_compared, "peak_mb": peak_mb(), "labels": found.labels}
    json.dump({**figures, "error": found.error}, sys.stdout)


def measure(bench: Bench, workload: Workload, rounds: int, console: Console) -> list[dict[str, float]]:
    """Load and verify in turn: seconds of both, rows, and the memory of the verification."""
    found = []
    for _ in range(rounds):
        bench.reset(workload)
        load = ours(bench, workload, LEGACY_SCHEMA)
        command = [sys.executable, "-m", __name__, bench.url, workload.name]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr.decode())
        said = json.loads(done.stdout)
        if said["error"] or "BUG" in said["labels"]:
            raise SystemExit(f"{workload.name} could not be verified: {said}")
        found.append({"load": load.seconds, **{name: said[name] for name in ("seconds", "rows", "peak_mb")}})
        console.print(f"{workload.name}: {found[-1]}")
    return found


def show(workload: Workload, rounds: list[dict[str, float]], where: str) -> None:
    """Print the figures, and write them to a file."""
    table = report.table("Verification", "table", "rows", "load", "verification", "share", "MB", "wanted")
    share = median(one["seconds"] / one["load"] for one in rounds)
    verdict = "reached" if share <= WANTED_SHARE else "MISSED"
    load, seconds = (f"{median(one[name] for one in rounds):.1f} s" for name in ("load", "seconds"))
    rows, memory = f"{rounds[-1]['rows']:,.0f}", f"{max(one['peak_mb'] for one in rounds):.0f}"
    wanted = f"at most {WANTED_SHARE:.0%}: {verdict}"
    table.add_row(workload.name, rows, load, seconds, f"{share:.0%}", memory, wanted)
    report.publish("verification", [table], where)


if __name__ == "__main__":
    main()
