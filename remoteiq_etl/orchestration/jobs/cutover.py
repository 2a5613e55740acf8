"""The jobs of the cut-over: cut over, take it back, clean up; each asks for what its command asks for.

Belongs here: configuration, metadata, and the edge at which errors become what Dagster may store. Does not belong here: what a
cut-over does (see remoteiq_etl.lifecycle.cutover), the alert about legacy writes (see legacy_write_sensor).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from remoteiq_etl.config.fence_kind import FenceKind
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.fallback import fallback
from remoteiq_etl.gate.gate import GateOf
from remoteiq_etl.lifecycle.cleanup.execute import CleanupReport, clean_up, drop_state
from remoteiq_etl.lifecycle.cutover.back import back
from remoteiq_etl.lifecycle.cutover.execute import CutOverReport, CutOverTools, cut_over, plan
from remoteiq_etl.lifecycle.cutover.place import CutOverPlace
from remoteiq_etl.lifecycle.cutover.settle import Settled
from remoteiq_etl.lifecycle.cutover.steps import CutOverStep, PlannedStep
from remoteiq_etl.lifecycle.migration import connected
from remoteiq_etl.orchestration.metadata.materialization import Metadata
from remoteiq_etl.orchestration.runtime.progress import LogProgress, attached
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.verify.engine import verify

CUT_OVER, BACK, CLEAN_UP, DROP_STATE = "cutover", "cutover_back", "cleanup", "cleanup_state"

_FENCES: Mapping[FenceKind, str] = {
    FenceKind.READ_ONLY: "default_transaction_read_only of the database or of roles; sessions are ended.",
    FenceKind.REVOKE: "Rights to write are taken from the roles of [cutover] roles.",
    FenceKind.HOOK: "The command of [cutover] fence_hook is called.",
    FenceKind.STOPPED: "The operator has stopped the old application; it is watched that nothing is written.",
}
_CUT_OVER_CONFIG = {
    "fence": dg.Field(
        dg.Enum("Fence", [dg.EnumValue(str(kind), description=text) for kind, text in _FENCES.items()]),
        is_required=False,
        description="What keeps the old application from writing. Left out: what the setting [cutover] fence says.",
    ),
    "dry_run": dg.Field(
        bool, default_value=False, description="Only show every step with its expected time; nothing is changed."
    ),
}
_LOSE = dg.Field(
    bool,
    default_value=False,
    description="Go back although something of what the new application has written stays behind. What does is kept in a file.",
)
_CARRY = dg.Field(
    bool,
    default_value=True,
    description="First carry to legacy what the new application has written, as `fallback run` does.",
)
_CONFIRM = dg.Field(str, description="The name of the source: after this there is no way back.")
_ARCHIVE = dg.Field(
    dg.Noneable(str), default_value=None, description="Where the archive is made; else below .remoteiq/archives."
)


def definitions(specs: Mapping[str, TableSpec], settings: Callable[[], Settings]) -> Sequence[dg.JobDefinition]:
    """The jobs, for these declarations."""

    @dg.op(name="cut_over", config_schema=_CUT_OVER_CONFIG, out=dg.Out(dg.Nothing))
    def cut_over_op(context: dg.OpExecutionContext) -> None:
        kind = FenceKind(context.op_config["fence"]) if "fence" in context.op_config else None
        with _place(specs, settings) as place:
            if context.op_config["dry_run"]:
                context.add_output_metadata(_planned(plan(place, kind)))
                return
            progress = LogProgress(attached())
            progress.starts(context.log)
            report = cut_over(
                place, CutOverTools(GateOf(place.migration), verify, _Logged(context.log), progress), kind
            )
        context.add_output_metadata(_done(report))

    @dg.op(name="go_back", config_schema={"lose": _LOSE, "fallback": _CARRY}, out=dg.Out(dg.Nothing))
    def back_op(context: dg.OpExecutionContext) -> None:
        with _place(specs, settings) as place:
            carry = fallback.carry if context.op_config["fallback"] else None
            report = back(place, lose=context.op_config["lose"], carry=carry)
        carried = (
            {"rows carried": report.carried.rows, "stays behind": list(report.carried.stays)} if report.carried else {}
        )
        lost = {one.table: one.newer for one in report.lost}
        done = {"cut-over": report.number, "rows lost": lost, "kept in": str(report.file or "")}
        context.add_output_metadata({**done, **carried})

    @dg.op(name="clean_up", config_schema={"confirm": _CONFIRM, "archive": _ARCHIVE}, out=dg.Out(dg.Nothing))
    def cleanup_op(context: dg.OpExecutionContext) -> None:
        directory = context.op_config["archive"]
        with _place(specs, settings) as place:
            report = clean_up(place, context.op_config["confirm"], Path(directory) if directory else None)
        context.add_output_metadata(_cleaned(report))

    @dg.op(name="drop_state", config_schema={"confirm": _CONFIRM}, out=dg.Out(dg.Nothing))
    def state_op(context: dg.OpExecutionContext) -> None:
        with _place(specs, settings) as place:
            report = drop_state(place, context.op_config["confirm"])
        context.add_output_metadata(_cleaned(report))

    return [_job(name, op) for name, op in zip(_ABOUT, (cut_over_op, back_op, cleanup_op, state_op), strict=True)]


_ABOUT: Mapping[str, str] = {
    CUT_OVER: "Keeps the old application from writing, re-syncs for the last time, verifies, and lets the new application in."
    " Before the switch any failure takes the fence away.",
    BACK: "Takes the last cut-over back, with what the new application has written, or ends one that was interrupted.",
    CLEAN_UP: "Makes an archive of the state, and drops the legacy tables. There is no way back.",
    DROP_STATE: "Drops the schema of our own state, when the legacy tables are gone.",
}


def _job(name: str, op: dg.OpDefinition) -> dg.JobDefinition:
    @dg.job(name=name, description=_ABOUT[name], executor_def=dg.in_process_executor)
    def job() -> None:
        op()

    return job


class _Logged:
    """Every step as a line of Dagster's log."""

    def __init__(self, log: dg.DagsterLogManager) -> None:
        self.log = log

    def begun(self, step: CutOverStep) -> None:
        """Say that it has begun."""
        self.log.info(f"{step} …")

    def ended(self, step: CutOverStep, seconds: float) -> None:
        """Say how long it took."""
        self.log.info(f"{step}: {seconds:.2f} s")


@contextmanager
def _place(specs: Mapping[str, TableSpec], settings: Callable[[], Settings]) -> Iterator[CutOverPlace]:
    """The place of the settings. Raises dg.Failure in place of every error, with a text that holds no value of any row."""
    try:
        with connected(settings(), specs) as migration:
            yield CutOverPlace.of(migration)
    except Exception as error:  # noqa: BLE001  # the edge of the process towards Dagster, which stores texts
        raise dg.Failure(describe(error), allow_retries=False) from None


def _planned(steps: Sequence[PlannedStep]) -> Metadata:
    lines = [f"| {one.step} | {_seconds(one.seconds)} | {_seconds(one.most)} | {one.about} |" for one in steps]
    head = "| step | expected | at most | what |\n|---|---|---|---|"
    return {"steps": dg.MetadataValue.md("\n".join([head, *lines]))}


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


def _done(report: CutOverReport | Settled) -> Metadata:
    if isinstance(report, Settled):
        return {"interrupted": dg.MetadataValue.text(str(report))}
    return {
        "cut-over": dg.MetadataValue.int(report.number),
        "downtime in seconds": dg.MetadataValue.float(round(report.downtime, 3)),
        "seconds": dg.MetadataValue.json({str(step): round(took, 3) for step, took in report.seconds.items()}),
        "fence stands": dg.MetadataValue.bool(report.fence_stands),
        "connection": dg.MetadataValue.json(report.connection),
    }


def _cleaned(report: CleanupReport) -> Metadata:
    archive: Any = report.archive
    return {
        "objects dropped": dg.MetadataValue.int(len(report.dropped)),
        "stays": dg.MetadataValue.json([str(one) for one in report.stays]),
        "archive": dg.MetadataValue.text(str(archive.directory) if archive else ""),
        "digest": dg.MetadataValue.text(archive.digest if archive else ""),
    }
