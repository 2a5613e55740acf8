"""The figures: medians and ratios, as a table in the terminal and as files.

Belongs here: arithmetic over timings and how it is shown. Does not belong here: measuring.
"""

import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.contestants import CONTESTANTS, Timing

RESULTS = Path(__file__).parent / "results"

#: What our path must reach: rows per second, in multiples of the other's.
WANTED = {"limit": 0.85, "dlt": 2.5, "to_sql": 4.0}
MOST_MB = 700.0
MOST_GROWTH = 1.10


@dataclass
class Results:
    """Everything measured in one invocation. Timings by workload and contestant; memory by workload and rows."""

    rows: int
    settings: Mapping[str, str]
    postgres: str
    timings: dict[str, dict[str, list[Timing]]] = field(default_factory=dict)
    memory: dict[str, dict[int, float]] = field(default_factory=dict)
    date: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")

    def add(self, workload: str, contestant: str, timing: Timing) -> None:
        """Take one timing in."""
        self.timings.setdefault(workload, {}).setdefault(contestant, []).append(timing)

    def rate(self, workload: str, contestant: str) -> float:
        """Rows per second in the median."""
        return median(timing.rate for timing in self.timings[workload][contestant])

    def ratio(self, workload: str, contestant: str) -> float:
        """Our rows per second in multiples of the contestant's: the median over the rounds, because both ran in each."""
        ours, other = self.timings[workload]["ours"], self.timings[workload][contestant]
        return median(mine.rate / theirs.rate for mine, theirs in zip(ours, other, strict=True))

    def machine(self) -> str:
        """What it ran on, in words."""
        packages = ", ".join(f"{name} {version(name)}" for name in ("pandas", "pyarrow", "psycopg"))
        return (
            f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, {self.postgres},"
            f" Python {platform.python_version()}, {packages}"
        )

    def plain(self) -> dict[str, Any]:
        """Everything as JSON."""
        timings = {
            workload: {name: [asdict(timing) for timing in found] for name, found in of.items()}
            for workload, of in self.timings.items()
        }
        ratios = {
            workload: {name: self.ratio(workload, name) for name in of if name != "ours" and "ours" in of}
            for workload, of in self.timings.items()
        }
        said = {"date": self.date, "machine": self.machine(), "rows": self.rows, "settings": dict(self.settings)}
        return {**said, "timings": timings, "ratios": ratios, "memory_mb": self.memory}


def show(results: Results) -> None:
    """Print the tables, and write them to files."""
    tables = [*(_speed(results, workload) for workload in results.timings), *_memory(results)]
    publish("latest", tables, f"{results.date}, {results.machine()}")
    (RESULTS / "latest.json").write_text(json.dumps(results.plain(), indent=1) + "\n", encoding="utf-8")


def publish(name: str, tables: Iterable[Table], where: str) -> None:
    """Print the tables under what they were measured on, and write them to a file of this name."""
    console, tables = Console(), list(tables)
    console.print(where)
    for one in tables:
        console.print(one)
    RESULTS.mkdir(exist_ok=True)
    lines = [where, "", *(line for one in tables for line in _markdown(one))]
    (RESULTS / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")


def _speed(results: Results, workload: str) -> Table:
    shown = table(f"{workload}, {results.rows:,} rows", "contestant", "seconds", "rounds", "rows/s", "ours ×", "wanted")
    of = results.timings[workload]
    for contestant in CONTESTANTS:
        found = of.get(contestant.name)
        if found:
            ratio = "" if contestant.name == "ours" or "ours" not in of else results.ratio(workload, contestant.name)
            shown.add_row(
                f"{contestant.title}{_fewer(found[0].rows, results.rows)}",
                f"{median(timing.seconds for timing in found):.1f}",
                " ".join(f"{timing.seconds:.1f}" for timing in found),
                f"{results.rate(workload, contestant.name):,.0f}",
                f"{ratio:.2f}" if ratio else "",
                _verdict(ratio, WANTED.get(contestant.name)) if ratio else "",
            )
    return shown


def _fewer(rows: int, of: int) -> str:
    return "" if rows == of else f" of {rows:,} rows"


def _verdict(ratio: float, wanted: float | None) -> str:
    return "" if wanted is None else f"{wanted:g} {'reached' if ratio >= wanted else 'MISSED'}"


def _memory(results: Results) -> Iterable[Table]:
    if not results.memory:
        return
    shown = table("Peak memory of our process", "workload", "rows", "MB", "wanted")
    for workload, peaks in results.memory.items():
        least = min(peaks)
        for rows, peak in sorted(peaks.items()):
            fits = peak < MOST_MB and peak <= peaks[least] * MOST_GROWTH
            wanted = f"under {MOST_MB:.0f}, within {MOST_GROWTH - 1:.0%} of {least:,} rows"
            shown.add_row(workload, f"{rows:,}", f"{peak:.0f}", f"{wanted}: {'reached' if fits else 'MISSED'}")
    yield shown


def show_sweep(rates: Mapping[str, Mapping[int, list[Timing]]]) -> None:
    """Print rows per second and memory per batch size."""
    for workload, sizes in rates.items():
        shown = table(f"{workload}: batch size", "rows per batch", "seconds", "rows/s", "peak MB")
        for size, found in sizes.items():
            shown.add_row(
                f"{size:,}",
                " ".join(f"{timing.seconds:.1f}" for timing in found),
                f"{median(timing.rate for timing in found):,.0f}",
                f"{max(timing.peak_mb or 0 for timing in found):.0f}",
            )
        Console().print(shown)


def table(title: str, *columns: str) -> Table:
    """An empty table of figures."""
    made = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="left" if number == 0 or column == "wanted" else "right")
    return made


def _markdown(table: Table) -> list[str]:
    cells = list(zip(*(list(column.cells) for column in table.columns), strict=True))
    rows = [[str(column.header) for column in table.columns], ["---"] * len(table.columns), *cells]
    return [f"## {table.title}", "", *(f"| {' | '.join(map(str, row))} |" for row in rows), ""]
