"""The contestants: each writes one table once and says how long it took.

Belongs here: starting them, and what they are called. Does not belong here: rounds, figures and their presentation.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.database import Bench
from benchmarks.workloads import Workload

ROOT = Path(__file__).parents[1]
OTHERS = ROOT / ".venv-bench" / "bin" / "python"


@dataclass(frozen=True)
class Timing:
    """One timed piece. `peak_mb`: the most memory of the process, where it says so."""

    seconds: float
    rows: int
    peak_mb: float | None = None

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds


@dataclass(frozen=True)
class Contestant:
    """One way to load a table from a schema.

    `writes_target`: its result is the target table and the map, and is compared. `sampled`: it gets a part of the rows,
    because a million take it more than three minutes, and is compared by rows per second.
    """

    name: str
    title: str
    run: Callable[[Bench, Workload, str], Timing]
    writes_target: bool = False
    sampled: bool = False


def limit(bench: Bench, workload: Workload, schema: str) -> Timing:
    """One SQL statement in the server."""
    return Timing(bench.load_limit(workload), bench.rows_of(schema, workload))


def ours(bench: Bench, workload: Workload, schema: str, *, batch_rows: int | None = None) -> Timing:
    """Our whole path."""
    size = [] if batch_rows is None else ["--batch-rows", str(batch_rows)]
    return _process(sys.executable, "-m", "benchmarks.ours", bench.url, schema, workload.name, *size)


def dlt(bench: Bench, workload: Workload, schema: str) -> Timing:
    """dlt's copy of the raw table."""
    return _process(OTHERS, ROOT / "benchmarks" / "dlt_copy.py", bench.url, schema, workload.name)


def to_sql(bench: Bench, workload: Workload, schema: str) -> Timing:
    """pandas' copy of the raw table, many rows per INSERT."""
    return _process(OTHERS, ROOT / "benchmarks" / "pandas_copy.py", bench.url, schema, workload.name, "multi")


def to_sql_default(bench: Bench, workload: Workload, schema: str) -> Timing:
    """pandas' copy of the raw table as SQLAlchemy and psycopg batch it by themselves."""
    return _process(OTHERS, ROOT / "benchmarks" / "pandas_copy.py", bench.url, schema, workload.name, "default")


CONTESTANTS = (
    Contestant("limit", "one SQL statement", limit, writes_target=True),
    Contestant("ours", "our whole path", ours, writes_target=True),
    Contestant("dlt", "dlt, raw copy", dlt),
    Contestant("to_sql", "to_sql(method='multi'), raw copy", to_sql, sampled=True),
    Contestant("to_sql_default", "to_sql(), raw copy", to_sql_default),
)


def _process(*command: str | Path) -> Timing:
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed with {done.returncode}:\n{done.stderr[-3000:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    return Timing(said["seconds"], said["rows"], said.get("peak_mb"))
