"""Jobs for people who work in Dagster's UI: doctor, plan, pause, resume and stop, as the commands of these names.

Belongs here: configuration, metadata, and the edge at which errors become what Dagster may store. Does not belong here: what
they do (remoteiq_etl.lifecycle).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg

from remoteiq_etl.backfill.context.plan import Mode
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.lifecycle.drift.findings import Checkup
from remoteiq_etl.lifecycle.migration import connected
from remoteiq_etl.lifecycle.operations.control import control
from remoteiq_etl.orchestration.metadata.materialization import COUNTS
from remoteiq_etl.orchestration.runtime import run_options
from remoteiq_etl.orchestration.runtime.progress import LogProgress, attached
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.spec.table import TableSpec
from remoteiq_etl.state.orders import Control

DOCTOR, PLAN = "doctor", "plan"
_ABOUT_DOCTOR = (
    "Looks at both databases: can they be reached, read and written, and are their schemas as expected? What prepare would do is"
    " tried and taken back. It fails where something blocks a run."
)
_ABOUT_PLAN = (
    "Works out what a run would do, table by table, by a run whose every batch is taken back. Writes nothing to the target's"
    " tables."
)
_ORDERS: Mapping[str, tuple[str, Callable[[Control, str | None], object]]] = {
    "pause": (
        "Lets runs and verifications wait, those in work after their current batch, until resume.",
        Control.pause,
    ),
    "resume": ("Takes a pause back: what waits goes on, and runs may begin again.", Control.resume),
    "stop": ("Ends the run and the verification in work after their current batch; the next ones go on.", Control.stop),
}
_PLAN_CONFIG: Mapping[str, Any] = {
    "tables": dg.Field([str], default_value=[], description="Only these target tables; none: all."),
    "full": dg.Field(bool, default_value=False, description="As if every row were read, not only what changed."),
}
_REASON: Mapping[str, Any] = {
    "reason": dg.Field(
        dg.Noneable(str), default_value=None, description="Why; kept with who and when, and shown by status."
    )
}
_FINDINGS = dg.TableSchema(columns=[dg.TableColumn(name) for name in ("side", "subject", "found", "verdict", "advice")])
_OUTCOMES = dg.TableSchema(
    columns=[dg.TableColumn("table"), *(dg.TableColumn(name, type="int") for name in ("rows read", *COUNTS))]
)


def operations_jobs(specs: Mapping[str, TableSpec], settings: Callable[[], Settings]) -> Sequence[dg.JobDefinition]:
    """The jobs, each of one step whose configuration has defaults."""
    return [
        _doctor_job(specs, settings),
        _plan_job(specs, settings),
        *(_order_job(name, about, give, settings) for name, (about, give) in _ORDERS.items()),
    ]


def _doctor_job(specs: Mapping[str, TableSpec], settings: Callable[[], Settings]) -> dg.JobDefinition:
    @dg.op(out=dg.Out(dg.Nothing))
    def look(context: dg.OpExecutionContext) -> None:
        with _told(), connected(settings(), specs) as both:
            checkups = both.checkups(trial=True)
        context.add_output_metadata({"findings": dg.MetadataValue.table(_findings(checkups), schema=_FINDINGS)})
        if blocking := [f"{one.side}: {text}" for one in checkups for text in one.stopping]:
            raise dg.Failure("\n".join(blocking), allow_retries=False)

    return _job(DOCTOR, _ABOUT_DOCTOR, look)


def _plan_job(specs: Mapping[str, TableSpec], settings: Callable[[], Settings]) -> dg.JobDefinition:
    @dg.op(config_schema=dict(_PLAN_CONFIG), out=dg.Out(dg.Nothing), pool=run_options.POOL)
    def work_out(context: dg.OpExecutionContext) -> None:
        progress = LogProgress(attached())
        progress.starts(context.log)
        mode = Mode.FULL if context.op_config["full"] else Mode.INCREMENTAL
        with _told(), connected(settings(), specs) as both:
            tables = _known(context.op_config["tables"], specs)
            with both.run(planning=True, listener=progress, mode=mode) as run:
                reports = run.load_all(tables)
        rows = dg.MetadataValue.table(_outcomes(reports.values()), schema=_OUTCOMES)
        blocked = {name: report.blocked for name, report in reports.items() if report.blocked}
        context.add_output_metadata({"what a run would do": rows, "tables not loaded": blocked})

    return _job(PLAN, _ABOUT_PLAN, work_out)


def _order_job(
    name: str, about: str, give: Callable[[Control, str | None], object], settings: Callable[[], Settings]
) -> dg.JobDefinition:
    @dg.op(name=f"{name}_source", config_schema=dict(_REASON), out=dg.Out(dg.Nothing))
    def order(context: dg.OpExecutionContext) -> None:
        with _told(), control(settings()) as orders:
            give(orders, context.op_config["reason"])

    return _job(name, about, order)


def _job(name: str, about: str, step: dg.OpDefinition) -> dg.JobDefinition:
    @dg.job(name=name, description=about, executor_def=dg.in_process_executor)
    def job() -> None:
        step()

    return job


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001  # the edge of the process towards Dagster, which stores texts
        raise dg.Failure(describe(error), allow_retries=False) from None


def _known(tables: Sequence[str], specs: Mapping[str, TableSpec]) -> set[str] | None:
    if unknown := sorted(set(tables) - specs.keys()):
        raise ConfigurationError(f"there is no table {', '.join(unknown)}. The tables are: {', '.join(sorted(specs))}.")
    return set(tables) or None


def _findings(checkups: Sequence[Checkup]) -> list[dg.TableRecord]:
    return [
        dg.TableRecord(
            {
                "side": one.side,
                "subject": one.subject,
                "found": one.found,
                "verdict": str(one.verdict),
                "advice": one.advice,
            }
        )
        for checkup in checkups
        for one in checkup.findings
    ]


def _outcomes(reports: Iterable[TableReport]) -> list[dg.TableRecord]:
    return [
        dg.TableRecord(
            {"table": one.table, "rows read": one.read, **{name: one.total(kind) for name, kind in COUNTS.items()}}
        )
        for one in reports
        if one.read
    ]
