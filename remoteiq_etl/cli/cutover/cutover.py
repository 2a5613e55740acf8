"""`cutover`: the plan, the cut-over step by step, and the way back, as text or JSON."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape

from remoteiq_etl.cli import output, selection
from remoteiq_etl.cli.exit_codes import Exit
from remoteiq_etl.cli.run import progress
from remoteiq_etl.config.fence_kind import FenceKind
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.fallback import fallback
from remoteiq_etl.gate.gate import GateOf
from remoteiq_etl.lifecycle import migration
from remoteiq_etl.lifecycle.cutover import back, execute
from remoteiq_etl.lifecycle.cutover.back import BackReport
from remoteiq_etl.lifecycle.cutover.execute import CutOverReport, CutOverTools
from remoteiq_etl.lifecycle.cutover.place import CutOverPlace
from remoteiq_etl.lifecycle.cutover.settle import Settled
from remoteiq_etl.lifecycle.cutover.steps import CutOverStep, PlannedStep, downtime
from remoteiq_etl.lifecycle.cutover.switch import SchemaNames
from remoteiq_etl.verify.engine import verify


def show_plan(kind: FenceKind | None, *, as_json: bool) -> Exit:
    """Print every step with its expected time."""
    with opened() as place:
        steps = execute.plan(place, kind)
    if as_json:
        output.print_json("cutover --dry-run", [vars(one) for one in steps])
    else:
        _print_plan(output.results(), steps)
    return Exit.DONE


def cut_over(kind: FenceKind | None, *, as_json: bool) -> Exit:
    """Cut over, with progress on stderr. An error of ours says what happened; main shows it."""
    with opened() as place, progress.shown(len(place.migration.specs)) as listener:
        tools = CutOverTools(GateOf(place.migration), verify, Steps(output.remarks()), listener)
        report = execute.cut_over(place, tools, kind)
    if as_json:
        output.print_json("cutover", _json(report))
    elif isinstance(report, Settled):
        output.results().print(str(report), markup=False)
    else:
        _print_report(output.results(), report)
    return Exit.DONE


def go_back(*, lose: bool, carry: bool, as_json: bool) -> Exit:
    """Take the last cut-over back, or end an interrupted one. `carry`: what the new application wrote goes to legacy first."""
    with opened() as place:
        report = back.back(place, lose=lose, carry=fallback.carry if carry else None)
    if as_json:
        output.print_json("cutover --back", _json_of_back(report))
    else:
        _print_back(output.results(), report)
    return Exit.DONE


@contextmanager
def opened() -> Iterator[CutOverPlace]:
    """The place that the settings describe."""
    specs = {name: table.spec for name, table in selection.all_tables().items()}
    with migration.connected(Settings.load(), specs) as found:
        yield CutOverPlace.of(found)


class Steps:
    """A line for every step, as it is done."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def begun(self, step: CutOverStep) -> None:
        """Say nothing: the tables do where it takes long."""

    def ended(self, step: CutOverStep, seconds: float) -> None:
        """Say how long it took."""
        self.console.print(f"{step}: {output.duration(seconds)}", markup=False)


# --- text ---------------------------------------------------------------------------------------------------------------


def _print_plan(console: Console, steps: list[PlannedStep]) -> None:
    table = output.table("What a cut-over does")
    table.add_column("step", no_wrap=True)
    for head in ("expected", "at most"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("what", overflow="fold")
    for one in steps:
        table.add_row(one.step, output.duration(one.seconds), output.duration(one.most), escape(one.about))
    console.print(table)
    expected, most = downtime(steps)
    console.print(
        f"Expected downtime, from the fence to the switch: {output.duration(expected)}, by earlier runs at most"
        f" {output.duration(most)}.",
        markup=False,
    )


def _print_report(console: Console, report: CutOverReport) -> None:
    said = [str(report.settled)] if report.settled else []
    said += [f"Cut over ({report.number}). Downtime, from the fence to the switch: {output.duration(report.downtime)}."]
    said += [f"{report.sessions_ended} sessions of the old application were ended."] * (report.sessions_ended > 0)
    place = ", ".join(f"{name} {value}" for name, value in report.connection.items())
    said += [f"The new application finds its tables at: {place}."]
    said += [_names(report.schemas)] if report.schemas else []
    said += [_stands(report)]
    said += ["The way back, with what the new application has written: remoteiq-etl cutover --back."]
    for line in said:
        console.print(line, markup=False, soft_wrap=True)


def _names(names: SchemaNames) -> str:
    return (
        f"The schema {names.legacy} is called {names.legacy_after} now, and {names.target} is called {names.target_after}. Set"
        f" REMOTEIQ_LEGACY_SCHEMA={names.legacy_after} and REMOTEIQ_TARGET_SCHEMA={names.target_after}."
    )


def _stands(report: CutOverReport) -> str:
    if report.fence_stands:
        return f"The fence {report.fence} stays: the old application cannot write, or is watched."
    return f"The fence {report.fence} is taken away: in one database it would keep the new application out, too."


def _print_back(console: Console, report: BackReport) -> None:
    said = [str(report.settled) if report.settled else f"The cut-over {report.number} is taken back."]
    said += [f"Lost: {one}" for one in report.lost]
    said += [f"{report.carried.rows:,} legacy rows have what the new application wrote."] if report.carried else []
    said += [f"Stays behind: {one}" for one in (report.carried.stays if report.carried else ())]
    said += [f"These rows are kept in {report.file}, without secrets."] if report.file else []
    if report.late:
        said += [f"What a cut-over alone writes to the target is put back by the next run ({report.late})."]
    said += ["remoteiq-etl status says what is to be done before the next cut-over."]
    for line in said:
        console.print(line, markup=False, soft_wrap=True)


# --- JSON ---------------------------------------------------------------------------------------------------------------


def _json(report: CutOverReport | Settled) -> Mapping[str, Any]:
    if isinstance(report, Settled):
        return {"cutover": report.record.id, "settled": report.phase}
    return {
        "cutover": report.number,
        "fence": report.fence,
        "fence_stands": report.fence_stands,
        "downtime_seconds": report.downtime,
        "seconds": report.seconds,
        "sessions_ended": report.sessions_ended,
        "connection": report.connection,
        "schemas": report.schemas and report.schemas.as_json(),
        "settled": report.settled and report.settled.phase,
    }


def _json_of_back(report: BackReport) -> Mapping[str, Any]:
    return {
        "cutover": report.number,
        "lost": [vars(one) for one in report.lost],
        "carried": report.carried and report.carried.rows,
        "stays": report.carried and report.carried.stays,
        "file": report.file,
        "late": report.late,
        "settled": report.settled and report.settled.phase,
    }
