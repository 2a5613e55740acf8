"""Undo in Dagster: a job that makes a plan, and one that executes the plan whose digest its run configuration names.

Belongs here: configuration, metadata, and the edge at which errors become what Dagster may store. Does not belong here:
what an undo does (see remoteiq_etl.lifecycle.undo).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import dagster as dg

from remoteiq_etl.bundled_server import databases as bundled
from remoteiq_etl.config.settings import Settings
from remoteiq_etl.lifecycle.undo.access import UndoTarget
from remoteiq_etl.lifecycle.undo.execute import UndoOutcome, execute, keep_plan, kept_plan
from remoteiq_etl.lifecycle.undo.plan import Listed, UndoPlan, plan
from remoteiq_etl.lifecycle.undo.scope import UndoScope
from remoteiq_etl.orchestration.assets.discovery import DeclaredTable
from remoteiq_etl.orchestration.metadata.materialization import Metadata
from remoteiq_etl.orchestration.runtime import run_options
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.postgres.errors.failures import describe

UNDO_PLAN = "undo_plan"
UNDO_EXECUTE = "undo_execute"
PLAN_STEP = "make_plan"
_ABOUT_PLAN = (
    "Works out what taking back the work of runs would do, table by table, what stays and why. Writes nothing to the target's"
    " tables. Name a run, tables, domains or everything. The plan is kept under its digest, which the job undo_execute wants to"
    " know."
)
#: Rows of a list that the metadata show.
SHOWN = 50
_COUNTS = ("delete", "restore", "insert", "kept", "absent", "blocked")

_PLAN_CONFIG: Mapping[str, Any] = {
    "run": dg.Field(dg.Noneable(int), default_value=None, description="What this run of ours wrote, in all tables."),
    "tables": dg.Field([str], default_value=[], description="What all runs wrote to these tables."),
    "domains": dg.Field([str], default_value=[], description="The same for all tables of these domains."),
    "everything": dg.Field(bool, default_value=False, description="What all runs wrote."),
    "with_dependents": dg.Field(bool, default_value=False, description="And the tables of ours that refer to these."),
    "accept_loss": dg.Field(bool, default_value=False, description="Without former secrets that were not kept."),
}
_DIGEST = dg.Field(str, description="The digest of the plan to execute, as the job undo_plan shows it.")


def jobs(tables: Mapping[str, DeclaredTable], settings: Callable[[], Settings]) -> Sequence[dg.JobDefinition]:
    """The jobs that make and execute a plan.

    The plan is no asset of the definitions: whoever materializes all of those wants no undo. What the job made is recorded under
    the key `undo_plan` all the same.
    """
    return [_plan_job(tables, settings), _execute_job(tables, settings)]


def _plan_job(tables: Mapping[str, DeclaredTable], settings: Callable[[], Settings]) -> dg.JobDefinition:
    @dg.op(name=PLAN_STEP, config_schema=dict(_PLAN_CONFIG), out=dg.Out(dg.Nothing))
    def make_plan(context: dg.OpExecutionContext) -> None:
        config = context.op_config
        with _place(tables, settings) as place:
            choices = {name: config[name] for name in ("accept_loss", "with_dependents")}
            found = plan(place, _scope(config, tables), **choices)
            keep_plan(place, found)
        context.log_event(dg.AssetMaterialization(UNDO_PLAN, description=_ABOUT_PLAN, metadata=metadata(found)))

    @dg.job(name=UNDO_PLAN, description=_ABOUT_PLAN, executor_def=dg.in_process_executor)
    def job() -> None:
        make_plan()

    return job


def _execute_job(tables: Mapping[str, DeclaredTable], settings: Callable[[], Settings]) -> dg.JobDefinition:
    @dg.op(config_schema={"digest": _DIGEST}, out=dg.Out(dg.Nothing), pool=run_options.POOL)
    def execute_plan(context: dg.OpExecutionContext) -> None:
        def told(table: str, action: str, rows: int) -> None:
            context.log.info(f"{table}: {rows} rows, {action}")

        with _place(tables, settings) as place:
            outcome = execute(place, kept_plan(place, context.op_config["digest"]), told)
        context.add_output_metadata(_outcome(outcome))
        if not outcome.proven:
            raise dg.Failure(_unproven(outcome), allow_retries=False)

    about = (
        "Executes exactly the plan whose digest is named, or refuses. Interrupted, the same run configuration goes on."
    )

    @dg.job(name=UNDO_EXECUTE, description=about, executor_def=dg.in_process_executor)
    def job() -> None:
        execute_plan()

    return job


@contextmanager
def _place(tables: Mapping[str, DeclaredTable], settings: Callable[[], Settings]) -> Iterator[UndoTarget]:
    """The target of the settings. Raises dg.Failure in place of every error, with a text that holds no value of any row."""
    try:
        found = settings()
        with bundled.databases(found) as databases:
            target = Database(databases.target, found.target_schema)
            yield UndoTarget.of(found, target, {name: table.spec for name, table in tables.items()})
    except Exception as error:  # noqa: BLE001  # the edge of the process towards Dagster, which stores texts
        raise dg.Failure(describe(error), allow_retries=False) from None


def _scope(config: Mapping[str, Any], tables: Mapping[str, DeclaredTable]) -> UndoScope:
    named = {name for name, table in tables.items() if table.domain in config["domains"]}
    unknown = sorted({*config["tables"]} - tables.keys())
    known_domains = {table.domain for table in tables.values()}
    unknown += sorted({*config["domains"]} - known_domains)
    if unknown:
        raise dg.Failure(f"there is no table or domain {', '.join(unknown)}.", allow_retries=False)
    return UndoScope(config["run"], tuple(sorted({*config["tables"], *named})), config["everything"])


# --- metadata -------------------------------------------------------------------------------------------------------


def metadata(found: UndoPlan) -> Metadata:
    """The plan for people; keys of rows, no values."""
    return {
        "plan": dg.MetadataValue.md(as_markdown(found)),
        "digest": dg.MetadataValue.text(found.digest),
        "rows to write": dg.MetadataValue.int(found.changes),
        "rows that block": dg.MetadataValue.int(len(found.blocked)),
        "rows kept": dg.MetadataValue.int(len(found.kept)),
    }


def as_markdown(found: UndoPlan) -> str:
    """The plan as a page."""
    rows = [
        f"| {one.table} | " + " | ".join(str(getattr(one, name)) for name in _COUNTS) + " |" for one in found.tables
    ]
    parts = [
        f"### Undo of {found.scope}",
        "\n".join([f"| table | {' | '.join(_COUNTS)} |", "|---" * (len(_COUNTS) + 1) + "|", *rows]),
        *found.remarks,
        _section("Blocked: nothing can be undone because of these rows", found.blocked),
        _section("Come back without former secrets that nobody has", found.lost),
        _section("Kept: these rows stay as they are", found.kept),
        "It cannot be executed."
        if found.blocked
        else f"To execute it, start `{UNDO_EXECUTE}` with the digest `{found.digest}`.",
    ]
    return "\n\n".join(part for part in parts if part)


def _section(title: str, rows: Sequence[Listed]) -> str:
    if not rows:
        return ""
    lines = [
        f"- `{row.table} {row.key}`: {row.reason}{f' (`{row.holder}`)' if row.holder else ''}" for row in rows[:SHOWN]
    ]
    more = [f"- and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    return "\n".join([f"#### {title} ({len(rows)})", "", *lines, *more])


def _outcome(outcome: UndoOutcome) -> dict[str, Any]:
    written = {f"{table}, {action}": rows for (table, action), rows in outcome.rows.items()}
    return {"undo": outcome.undo_id, "rows written": written, "proven": outcome.proven, "done before": outcome.before}


def _unproven(outcome: UndoOutcome) -> str:
    return (
        f"the undo {outcome.undo_id} was executed, but it cannot be proven that the target is what it was: rows outside the plan"
        f" were changed meanwhile in {', '.join(outcome.changed) or 'no table'}, rows of it afterwards in"
        f" {', '.join(outcome.wrong) or 'no table'}."
    )
