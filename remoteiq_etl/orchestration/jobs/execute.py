"""Runs a job in this process, quietly, recorded in a Dagster instance as Dagster's own command would record it."""

import functools
import importlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from remoteiq_etl.backfill.context.progress import Listener, Notice, Silent, TableProgress
from remoteiq_etl.backfill.context.report import TableReport
from remoteiq_etl.errors import ConfigurationError
from remoteiq_etl.orchestration.assets.drift import ACCEPTED_DRIFT
from remoteiq_etl.orchestration.assets.target import TARGET_SCHEMA
from remoteiq_etl.orchestration.assets.verification import VERIFICATION
from remoteiq_etl.orchestration.jobs.jobs import RESYNC
from remoteiq_etl.orchestration.runtime import signals
from remoteiq_etl.orchestration.runtime.progress import listening
from remoteiq_etl.orchestration.runtime.resource import FOLLOWS

DEFINITIONS = "remoteiq_etl.definitions"

#: Nothing is logged at this level: the terminal is the caller's, and every event is in the instance.
_QUIET: Mapping[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended.

    `reports`: by table, of what was loaded or is blocked; `errors`: by step (or "run"), of what failed by itself; `skipped`: the steps
    that were not begun, or not done, because of these; `warnings`: what was not as expected and stopped nothing.
    """

    run_id: str
    success: bool
    reports: Mapping[str, TableReport]
    errors: Mapping[str, str]
    skipped: Sequence[str] = ()
    warnings: Sequence[str] = ()

    @property
    def error(self) -> str | None:
        """All errors as one text; None when there is none."""
        return "\n".join(f"{step}: {text}" for step, text in self.errors.items()) or None

    @property
    def needs_attention(self) -> int:
        """Rows that wait for a person or a parent, over all tables."""
        return sum(report.needs_attention for report in self.reports.values())


def execute_job(
    job: str = RESYNC,
    *,
    instance: dg.DagsterInstance,
    listener: Listener | None = None,
    run_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    tables: Collection[str] | None = None,
    selection: Sequence[dg.AssetKey] | None = None,
    definitions: str = DEFINITIONS,
) -> JobOutcome:
    """Run a job of a definitions module to its end; with `tables` the target is prepared and only these are loaded.

    `selection`: the assets of the job that have a step, in place of all.

    A failed step is no exception: the outcome says so. Raises ConfigurationError when there is no such job, or the run
    configuration does not fit it, and KeyboardInterrupt when a signal stopped it, after the run has been ended.
    """
    _repository.cache_clear()  # the settings may have changed
    arguments: Any = (definitions, job)  # typed by Dagster as a tuple of one
    collector = _Collector(listener or Silent())
    reconstructable = dg.build_reconstructable_job(__name__, find_job.__name__, arguments)
    try:
        with listening(collector), signals.noticing():
            result = dg.execute_job(
                reconstructable,
                instance=instance,
                run_config={**_QUIET, **(run_config or {})},
                tags=tags,
                asset_selection=_selection(tables) if tables else selection,
            )
    except dg.DagsterInvalidConfigError as error:
        raise ConfigurationError(f"the configuration of the job {job} does not fit it: {error}") from None
    if signals.is_told(result.all_events):
        raise KeyboardInterrupt
    told = dict(_errors(result.all_events))
    errors = {step: text for step, text in told.items() if text != FOLLOWS}
    skipped = sorted({*(told.keys() - errors.keys()), *_not_begun(instance, result.run_id, result.all_events)})
    return JobOutcome(result.run_id, result.success, collector.reports, errors, skipped, collector.warnings)


def find_job(definitions: str, job: str) -> dg.JobDefinition:
    """A job of a definitions module. Raises ConfigurationError that names those it has."""
    repository = _repository(definitions)
    names = sorted(name for name in repository.job_names if not name.startswith("__"))
    if job not in names:
        raise ConfigurationError(f"there is no job {job!r}. The jobs are: {', '.join(names)}.")
    found: dg.JobDefinition = repository.get_job(job)
    return found


@functools.lru_cache(maxsize=1)
def _repository(definitions: str) -> dg.RepositoryDefinition:
    """What a module defines. Dagster asks for the job four times in a run, and each time it would be built anew."""
    loaded = importlib.import_module(definitions).defs
    return (loaded if isinstance(loaded, dg.Definitions) else loaded()).get_repository_def()


@dataclass
class _Collector:
    """Keeps the reports of a run and passes everything on."""

    audience: Listener
    reports: dict[str, TableReport] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def progressed(self, progress: TableProgress) -> None:
        self.audience.progressed(progress)

    def finished(self, report: TableReport) -> None:
        self.reports[report.table] = report
        self.audience.finished(report)

    def warned(self, text: str) -> None:
        self.warnings.append(text)
        self.audience.warned(text)

    def noticed(self, notice: Notice) -> None:
        self.audience.noticed(notice)


def _selection(tables: Collection[str]) -> list[dg.AssetKey]:
    return [TARGET_SCHEMA, ACCEPTED_DRIFT, *(dg.AssetKey(name) for name in sorted(tables))]


def _errors(events: Iterable[dg.DagsterEvent]) -> Iterator[tuple[str, str]]:
    """The steps that failed, with our own text where it was ours; the run itself where no step did."""
    events = list(events)
    failed = [event for event in events if event.is_step_failure]
    for event in failed:
        yield str(event.step_key), _text(event)
    if not failed:
        yield from (("run", str(event.message)) for event in events if event.is_run_failure)


def _not_begun(instance: dg.DagsterInstance, run_id: str, events: Iterable[dg.DagsterEvent]) -> list[str]:
    """The steps that were planned and never started, because one that they wait for failed: no event tells of them."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.execution_plan_snapshot_id is None:
        return []
    planned = instance.get_execution_plan_snapshot(run.execution_plan_snapshot_id).step_keys_to_execute
    begun = {event.step_key for event in events if event.is_step_start}
    return sorted(key for key in planned if key not in begun and key != VERIFICATION)


def _text(event: dg.DagsterEvent) -> str:
    failure = event.step_failure_data
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    return str(failure.error.message.strip()) if failure.error else "failed"
