"""Where the migration stands, in Dagster: the asset `migration_state`, and a job for each step that leads to another stage.

Belongs here: configuration, metadata, and the edge at which errors become what Dagster may store. Does not belong here: the
steps (see remoteiq_etl.lifecycle.target.steps), runs and verifications, which have jobs of their own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

import dagster as dg

from remoteiq_etl.config.settings import Settings
from remoteiq_etl.errors import PrepareError
from remoteiq_etl.lifecycle.migration import Migration, connected
from remoteiq_etl.lifecycle.stages import store
from remoteiq_etl.lifecycle.stages.missing import StageFacts, missing, stage_facts
from remoteiq_etl.lifecycle.stages.stage import COMMANDS, POINT_OF_NO_RETURN, next_stage, word
from remoteiq_etl.lifecycle.stages.store import StageEntry
from remoteiq_etl.lifecycle.target.steps import StagedTarget, staged
from remoteiq_etl.orchestration.assets.discovery import DeclaredTable
from remoteiq_etl.orchestration.metadata import legacy_tables
from remoteiq_etl.orchestration.metadata.materialization import Metadata
from remoteiq_etl.orchestration.runtime import run_options
from remoteiq_etl.postgres.errors.failures import describe
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.expected.expectation import expectations
from remoteiq_etl.verify.incremental.freshness import freshness, unverified

MIGRATION_STATE = dg.AssetKey("migration_state")
STATE, PREPARE, FINALIZE = "state", "prepare", "finalize"
#: Moves that the page shows.
SHOWN = 20

_ABOUT = (
    "Grain: one row: where the migration of this legacy database stands.\n\nThe stage, what is missing for the next one with the"
    " command that does it, the way back, and the last moves with who made them. It reads, and writes nothing."
)
_ABOUT_PREPARE = (
    "Looks at both databases (versions, rights, extensions, room, settings, clocks, encodings, collations), then creates what"
    " the target lacks in one transaction. It may be repeated."
)
_ABOUT_FINALIZE = (
    "Completes a verified target: foreign keys and indexes, not-nulls, sequences, statistics, reporting views; then the"
    " catalogue is compared. Killed, the next one goes on."
)
_CONFIG: Mapping[str, Any] = {
    "dry_run": dg.Field(bool, default_value=False, description="Show the SQL in the metadata, and change nothing.")
}


def definitions(
    tables: Mapping[str, DeclaredTable], settings: Callable[[], Settings]
) -> tuple[dg.AssetsDefinition, Sequence[Any]]:
    """The asset, and the jobs: one that only looks, and one for each step."""
    asset = _state_asset(tables, settings)
    look = dg.define_asset_job(
        STATE,
        selection=dg.AssetSelection.assets(MIGRATION_STATE),
        description="Looks where the migration stands. Writes nothing.",
        executor_def=dg.in_process_executor,
    )
    steps = [
        _job(PREPARE, _ABOUT_PREPARE, _prepare, tables, settings),
        _job(FINALIZE, _ABOUT_FINALIZE, _finalize, tables, settings),
    ]
    return asset, [look, *steps]


def _state_asset(tables: Mapping[str, DeclaredTable], settings: Callable[[], Settings]) -> dg.AssetsDefinition:
    @dg.asset(
        key=MIGRATION_STATE,
        group_name="stages",
        kinds={"postgres"},
        owners=legacy_tables.OWNERS,
        tags={"side": "target"},
        description=_ABOUT,
    )
    def migration_state() -> dg.MaterializeResult[None]:
        with _reached(tables, settings) as both:
            return dg.MaterializeResult(metadata=state_metadata(both))

    return migration_state


_Step = Callable[[Migration, StagedTarget, bool], Metadata]


def _job(
    name: str,
    about: str,
    step: _Step,
    tables: Mapping[str, DeclaredTable],
    settings: Callable[[], Settings],
) -> dg.JobDefinition:
    @dg.op(name=f"{name}_target", config_schema=dict(_CONFIG), out=dg.Out(dg.Nothing), pool=run_options.POOL)
    def made(context: dg.OpExecutionContext) -> None:
        with _reached(tables, settings) as both:
            with staged(both.target, both.settings) as place:
                context.add_output_metadata(dict(step(both, place, context.op_config["dry_run"])))
            if not context.op_config["dry_run"]:
                context.log_event(dg.AssetMaterialization(MIGRATION_STATE, metadata=state_metadata(both)))

    @dg.job(name=name, description=about, executor_def=dg.in_process_executor)
    def job() -> None:
        made()

    return job


def _prepare(both: Migration, place: StagedTarget, dry_run: bool) -> Metadata:
    if dry_run:
        return _sql(str(place.prepare_script()))
    stopping = [f"{one.side}: {text}" for one in both.checkups() for text in one.stopping]
    if stopping:
        raise PrepareError("the target was not prepared:\n" + "\n".join(stopping))
    done = place.prepare()
    return {
        "tables created": dg.MetadataValue.int(len(done.created)),
        "tables found": dg.MetadataValue.int(len(done.existing)),
        "differences": dg.MetadataValue.json([str(drift) for drift in done.drifts]),
    }


def _finalize(_: Migration, place: StagedTarget, dry_run: bool) -> Metadata:
    if dry_run:
        return _sql(str(place.finalize_script()))
    done = place.finalize()
    return {
        "foreign keys made": dg.MetadataValue.int(len(done.foreign_keys)),
        "indexes made": dg.MetadataValue.int(len(done.indexes)),
        "reporting views made": dg.MetadataValue.json(list(done.views)),
        "remarks": dg.MetadataValue.json(list(done.remarks)),
    }


def _sql(text: str) -> Metadata:
    return {"SQL": dg.MetadataValue.md(f"```sql\n{text}```")}


@contextmanager
def _reached(tables: Mapping[str, DeclaredTable], settings: Callable[[], Settings]) -> Iterator[Migration]:
    """Both databases. Raises dg.Failure in place of every error, with a text that holds no value of any row."""
    try:
        with connected(settings(), {name: table.spec for name, table in tables.items()}) as both:
            yield both
    except Exception as error:  # noqa: BLE001  # the edge of the process towards Dagster, which stores texts
        raise dg.Failure(describe(error), allow_retries=False) from None


# --- metadata -------------------------------------------------------------------------------------------------------


def state_metadata(both: Migration) -> Metadata:
    """Where the migration stands, for people; no value of any row."""
    state = State(both.target, both.settings.state_schema)
    with closing(both.target.connect()) as session:
        source_id = store.source_of(session, state, both.settings.source) if state.is_current(session) else None
        if source_id is None:
            return _metadata(both.settings.source, StageFacts(), ())
        known = sorted({expectation.target for expectation in expectations()})
        verdicts = unverified(freshness(session, state, source_id, known))
        standing = stage_facts(session, state, source_id, partial(_loaded, both), unverified=verdicts)
        return _metadata(both.settings.source, standing, store.history(session, state, source_id, SHOWN))


def _loaded(both: Migration) -> list[str]:
    """The assets that have a source."""
    return [asset for asset, spec in both.specs.items() if spec.no_source is None]


def _metadata(source: str, standing: StageFacts, moves: Sequence[StageEntry]) -> Metadata:
    following = next_stage(standing.stage)
    return {
        "stage": dg.MetadataValue.text(word(standing.stage)),
        "next stage": dg.MetadataValue.text(word(following) if following else "none"),
        "missing": dg.MetadataValue.int(len(missing(standing))),
        "state": dg.MetadataValue.md(as_markdown(source, standing, moves)),
    }


def as_markdown(source: str, standing: StageFacts, moves: Sequence[StageEntry]) -> str:
    """The page: the stage, what is missing, the way back, the moves."""
    commands, following = COMMANDS[standing.stage], next_stage(standing.stage)
    lines = [f"### The migration of {source} is {word(standing.stage)}"]
    if standing.entry is not None and standing.stage is not None:
        lines.append(f"{standing.stage.about} It is {word(standing.stage)} {standing.entry}.")
    if standing.claim is not None:
        lines.append(f"In work: {standing.claim}.")
    if following is not None:
        listed = [f"- {one.sentence}{f' `{one.command}`' if one.command else ''}" for one in missing(standing)]
        lines.append(
            "\n".join([f"For **{word(following)}**:", "", *listed, f"- then `{commands.command}` makes it so"])
        )
    if following is POINT_OF_NO_RETURN:
        lines.append("There is no way back from that.")
    if commands.back:
        lines.append(f"Back: `{commands.back}`")
    if moves:
        rows = [
            f"| {one.at:%Y-%m-%d %H:%M:%S} | {word(one.stage)} | {one.actor or ''} | {one.reason or ''} |"
            for one in moves
        ]
        lines.append("\n".join(["| at (UTC) | stage | by | why |", "|---|---|---|---|", *rows]))
    return "\n\n".join(lines)
