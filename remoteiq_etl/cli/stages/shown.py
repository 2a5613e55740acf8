"""Where the migration of a source stands, as text and as JSON: the stage, what is missing for the next one, the way back."""

from collections.abc import Callable, Collection
from typing import Any

from rich.console import Console

from remoteiq_etl.cli import output
from remoteiq_etl.lifecycle.stages.missing import StageFacts, missing, stage_facts
from remoteiq_etl.lifecycle.stages.stage import COMMANDS, POINT_OF_NO_RETURN, next_stage, word
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.state.schema import State
from remoteiq_etl.verify.incremental.freshness import Fresh, unverified


def read(
    session: Session,
    state: State,
    source_id: int,
    declared: Callable[[], Collection[str]],
    verdicts: Collection[Fresh],
) -> StageFacts:
    """What is known of a source. `declared`: the assets that have a source; `verdicts`: how fresh that of each target table is."""
    return stage_facts(session, state, source_id, declared, unverified=unverified(verdicts))


def show(console: Console, source: str, standing: StageFacts) -> None:
    """Print it, the stage first."""
    stage, entry = standing.stage, standing.entry
    output.heading(console, f"The migration of {source} is {word(stage)}")
    if stage is not None:
        console.print(f"{stage.about} It is {word(stage)} {entry}.", markup=False)
    if standing.claim is not None:
        console.print(f"In work: {standing.claim}.", style="cyan", markup=False)
    following, command, back = next_stage(stage), COMMANDS[stage].command, COMMANDS[stage].back
    if following is not None:
        console.print(f"For {word(following)}:", markup=False)
        for one in missing(standing):
            console.print(f"  - {one}", markup=False)
        console.print(f"  then {command} makes it so." if command else "", markup=False)
    if following is POINT_OF_NO_RETURN:
        console.print("  There is no way back from that.", style="yellow")
    if back:
        console.print(f"Back: {back}", markup=False)


def as_json(standing: StageFacts) -> dict[str, Any]:
    """The same for a program."""
    stage, entry = standing.stage, standing.entry
    following = next_stage(stage)
    return {
        "stage": word(stage),
        "since": entry and entry.at,
        "by": entry and entry.actor,
        "role": entry and entry.role,
        "reason": entry and entry.reason,
        "run_id": entry and entry.run_id,
        "details": dict(entry.details) if entry else {},
        "in_work": standing.claim and vars(standing.claim),
        "next": following and word(following),
        "missing": [vars(one) for one in missing(standing)],
        "command": COMMANDS[stage].command,
        "back": COMMANDS[stage].back,
    }
