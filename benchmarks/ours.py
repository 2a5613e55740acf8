"""Our whole path, as a process of its own: extract, contracts, transform, staging, merge, map and ledger.

Prints one JSON object: seconds of `Run.load`, rows, and the most memory that the process held (MB).
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

from benchmarks.database import Bench
from remoteiq_etl.backfill.run import open_run


def main() -> None:
    """Load one table as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("schema")
    parser.add_argument("table")
    parser.add_argument("--batch-rows", type=int)
    options = parser.parse_args()
    plan = Bench(options.url).plan(options.table, legacy_schema=options.schema, batch_rows=options.batch_rows)
    with open_run(plan) as run:
        started = time.perf_counter()
        report = run.load(plan.specs[options.table])
        seconds = time.perf_counter() - started
    json.dump({"seconds": seconds, "rows": report.read, "peak_mb": peak_mb(), "counts": report.counts()}, sys.stdout)


def peak_mb() -> float:
    """The most memory that this process held. What getrusage says includes the process that started us."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
