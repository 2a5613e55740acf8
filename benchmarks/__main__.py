"""The command line: `python -m benchmarks` compares first loads, `… resync` measures re-syncs, `… verify` a verification,
`… views` reads the reporting views, `… sweep` tries batch sizes."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from rich.console import Console

from benchmarks import database, report, resync, verification, views
from benchmarks.contestants import CONTESTANTS, Contestant, Timing, ours
from benchmarks.database import SETTINGS, Bench
from benchmarks.report import Results
from benchmarks.workloads import LEGACY_SCHEMA, NAMES, Workload
from tests.support import server as servers

BATCH_SIZES = (25_000, 50_000, 100_000, 200_000)
#: Memory is measured at a fifth of the rows and at all of them; who is slow gets a fifth too.
FEWER = 5

console = Console(stderr=True)


def main() -> None:
    """Run what the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("what", nargs="?", choices=("compare", "resync", "sweep", "verify", "views"), default="compare")
    parser.add_argument("--rows", type=int, default=1_000_000, help="legacy rows per workload (default: 1,000,000)")
    parser.add_argument("--rounds", type=int, default=3, help="times that each contestant runs (default: 3)")
    parser.add_argument("--workloads", type=_names(NAMES), default=list(NAMES), help=", ".join(NAMES))
    known = tuple(contestant.name for contestant in CONTESTANTS if contestant.name != "ours")
    parser.add_argument("--skip", type=_names(known), default=[], help=f"contestants to leave out: {', '.join(known)}")
    parser.add_argument("--agents", type=int, default=1_000, help="agents where nothing changes (default: 1,000)")
    options = parser.parse_args()
    if options.what in ("resync", "verify", "views"):
        {"resync": _resync, "verify": _verify, "views": _views}[options.what](options)
        return
    with _built(options.rows, [Workload(name) for name in options.workloads]) as (bench, workloads):
        if options.what == "sweep":
            _sweep(bench, workloads, options.rounds)
        else:
            chosen = [contestant for contestant in CONTESTANTS if contestant.name not in options.skip]
            _compare(bench, workloads, chosen, options)


def _names(known: tuple[str, ...]) -> "type[list[str]]":
    def parse(text: str) -> list[str]:
        names = text.split(",")
        if unknown := set(names) - set(known):
            raise argparse.ArgumentTypeError(f"expected some of {', '.join(known)}; found {', '.join(unknown)}")
        return names

    return parse  # type: ignore[return-value]


@contextmanager
def _built(rows: int, workloads: list[Workload]) -> Iterator[tuple[Bench, list[Workload]]]:
    """A server with the legacy rows and every parent, for the length of the block."""
    with servers.running(settings=SETTINGS) as server, console.status("") as status:
        status.update(f"making {rows:,} rows per workload")
        bench = database.create(server, rows)
        for workload in workloads:
            status.update(f"loading the parents of {workload.name}")
            bench.load_parents(workload)
        status.stop()
        yield bench, workloads


def _compare(
    bench: Bench, workloads: list[Workload], contestants: list[Contestant], options: argparse.Namespace
) -> None:
    results = Results(options.rows, SETTINGS, _postgres(bench))
    fewer = options.rows // FEWER
    sample = bench.sample(fewer)
    for number in range(options.rounds):
        for workload in workloads:
            _round(bench, workload, _turned(contestants, number), results, sample)
    for workload in workloads:
        large = max(timing.peak_mb or 0.0 for timing in results.timings[workload.name]["ours"])
        bench.reset(workload)
        small = ours(bench, workload, sample).peak_mb or 0.0
        results.memory[workload.name] = {fewer: small, options.rows: large}
    report.show(results)


def _resync(options: argparse.Namespace) -> None:
    workload = Workload("check_runs")
    with _built(options.rows, [workload]) as (bench, _):
        measured = resync.measure(bench, workload, options.rounds, console)
        where = Results(options.rows, SETTINGS, _postgres(bench))
    with servers.running(settings=SETTINGS) as server:
        nothing = resync.nothing_changed(server, options.agents, options.rounds)
    resync.show(measured, nothing, options.agents, f"{where.date}, {where.machine()}")


def _verify(options: argparse.Namespace) -> None:
    workload = Workload("check_runs")
    with _built(options.rows, [workload]) as (bench, _):
        found = verification.measure(bench, workload, options.rounds, console)
        where = Results(options.rows, SETTINGS, _postgres(bench))
    verification.show(workload, found, f"{where.date}, {where.machine()}")


def _views(options: argparse.Namespace) -> None:
    with servers.running(settings=SETTINGS) as server:
        found = views.measure(server, options.rows, options.rounds, console)
        where = Results(options.rows, SETTINGS, _postgres(Bench(server.create_database().url)))
    views.show(found, f"{options.rows:,} rows of check_runs and of agent_software; {where.date}, {where.machine()}")


def _turned(contestants: list[Contestant], number: int) -> list[Contestant]:
    """Another one begins each round."""
    turn = number % len(contestants)
    return contestants[turn:] + contestants[:turn]


def _round(bench: Bench, workload: Workload, contestants: list[Contestant], results: Results, sample: str) -> None:
    checksums = {}
    for contestant in contestants:
        bench.reset(workload)
        timing = contestant.run(bench, workload, sample if contestant.sampled else LEGACY_SCHEMA)
        console.print(f"{workload.name}: {contestant.title} took {timing.seconds:.1f} s")
        results.add(workload.name, contestant.name, timing)
        if contestant.writes_target:
            checksums[contestant.name] = bench.checksums(workload)
    if len({str(found) for found in checksums.values()}) > 1:
        raise SystemExit(f"{workload.name}: the results differ (rows, checksum): {checksums}")


def _sweep(bench: Bench, workloads: list[Workload], rounds: int) -> None:
    found: dict[str, dict[int, list[Timing]]] = {
        workload.name: {size: [] for size in BATCH_SIZES} for workload in workloads
    }
    for _ in range(rounds):
        for workload in workloads:
            for size in BATCH_SIZES:
                bench.reset(workload)
                found[workload.name][size].append(ours(bench, workload, LEGACY_SCHEMA, batch_rows=size))
                console.print(f"{workload.name}: {size:,} took {found[workload.name][size][-1].seconds:.1f} s")
    report.show_sweep(found)


def _postgres(bench: Bench) -> str:
    with psycopg.connect(bench.url) as connection:
        return f"PostgreSQL {connection.info.parameter_status('server_version')}"


if __name__ == "__main__":
    main()
