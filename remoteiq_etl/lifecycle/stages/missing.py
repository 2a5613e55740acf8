"""What a migration lacks for its next stage: sentences for people, each with the command that does it.

Belongs here: what it is worked out from, and the sentences. It only reads. Does not belong here: whether a
verdict is still worth something and what a cut-over asks for besides; who knows that gives it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from remoteiq_etl.lifecycle.stages.stage import Stage
from remoteiq_etl.lifecycle.stages.store import StageClaim, StageEntry, claimed, current
from remoteiq_etl.postgres.database import Session
from remoteiq_etl.postgres.statements import statements
from remoteiq_etl.state.locks import is_locked, run_lock
from remoteiq_etl.state.schema import State
from schemas.state.watermarks import FORGOTTEN

SQL = statements(__file__)

#: Names in a sentence: enough to see which, few enough to read.
_FEW = 4


@dataclass(frozen=True)
class Missing:
    """One thing that stands between a migration and its next stage. `command` does it; None: it comes by waiting."""

    sentence: str
    command: str | None = None

    def __str__(self) -> str:
        """The sentence and its command."""
        return f"{self.sentence} {self.command}" if self.command else self.sentence


@dataclass(frozen=True)
class StageFacts:
    """What is known of a source besides its stage.

    `tables`: assets that no run has completed, while the source is being loaded; `run`: number, status and error of the last
    run; `parts`: foreign keys and indexes still to be made. `unverified`: per target table why its verdict is none, or none
    any more. `before_cut_over` and `before_clean_up`: what those ask for besides.
    """

    entry: StageEntry | None = None
    claim: StageClaim | None = None
    is_running: bool = False
    run: tuple[int, str, str | None] | None = None
    tables: Sequence[str] = ()
    parts: int = 0
    unverified: Mapping[str, str] = field(default_factory=dict)
    before_cut_over: Sequence[Missing] = ()
    before_clean_up: Sequence[Missing] = ()

    @property
    def stage(self) -> Stage | None:
        """Where the source stands; None: nothing is prepared."""
        return None if self.entry is None else self.entry.stage


def stage_facts(
    session: Session,
    state: State,
    source_id: int,
    declared: Callable[[], Collection[str]],
    *,
    unverified: Mapping[str, str],
    before_cut_over: Sequence[Missing] = (),
    before_clean_up: Sequence[Missing] = (),
) -> StageFacts:
    """What is known now of a source. `declared`: the assets that have a source; asked for only while some are to be loaded."""
    parameters = {"source_id": source_id, "forgotten": FORGOTTEN, "schema": state.target.schema}
    entry = current(session, state, source_id)
    done = {row[0] for row in session.rows(SQL["completed"].format(**state.names), parameters)}
    is_loading = entry is not None and entry.stage in (Stage.PREPARED, Stage.LOADING)
    runs = session.rows(SQL["last_run"].format(**state.names), parameters)
    return StageFacts(
        entry,
        claimed(session, state, source_id),
        is_locked(session, run_lock(source_id)),
        runs[0] if runs else None,
        sorted(set(declared()) - done) if is_loading else (),
        int(session.value(SQL["parts"].format(**state.names), parameters)),
        unverified,
        before_cut_over,
        before_clean_up,
    )


def missing(standing: StageFacts) -> list[Missing]:
    """What the source lacks for its next stage, in the order in which it is done. Empty: the next command can be given."""
    return list(_LACKS[standing.stage](standing))


def _unprepared(_: StageFacts) -> Iterator[Missing]:
    yield Missing("The tables of the target have not been made or looked at.", "remoteiq-etl prepare")


def _unloaded(standing: StageFacts) -> Iterator[Missing]:
    if standing.is_running:
        yield Missing("A run is in work: wait for its end.")
        return
    if standing.run is not None and standing.run[1] != "succeeded":
        number, status, error = standing.run
        status = "interrupted" if status == "running" else status
        yield Missing(f"Run {number} {_ENDED.get(status, status)}{f' ({error})' if error else ''}.", "remoteiq-etl run")
    if standing.tables:
        yield Missing(f"{len(standing.tables)} tables are not loaded: {_few(standing.tables)}.", "remoteiq-etl run")
    elif standing.run is None or standing.run[1] == "succeeded":
        yield Missing("What was forgotten or taken back is to be read again.", "remoteiq-etl run")


def _in_step(standing: StageFacts) -> Iterator[Missing]:
    by_reason: dict[str, list[str]] = {}
    for table, why in standing.unverified.items():
        by_reason.setdefault(why, []).append(table)
    for why, tables in by_reason.items():
        yield Missing(f"{len(tables)} tables are not verified ({why}): {_few(tables)}.", "remoteiq-etl verify")
    if not by_reason:
        yield Missing("A verification of all tables at once is to confirm the verdicts.", "remoteiq-etl verify")


def _verified(standing: StageFacts) -> Iterator[Missing]:
    if standing.parts:
        yield Missing(
            f"{standing.parts} foreign keys and indexes are to be made or validated.", "remoteiq-etl finalize"
        )
    else:
        yield Missing(
            "Sequences, statistics and reporting views are to be brought up to date.", "remoteiq-etl finalize"
        )


def _finalized(standing: StageFacts) -> Iterator[Missing]:
    yield from standing.before_cut_over


def _cut_over(standing: StageFacts) -> Iterator[Missing]:
    yield from standing.before_clean_up


_LACKS: Mapping[Stage | None, Callable[[StageFacts], Iterator[Missing]]] = {
    None: _unprepared,
    Stage.PREPARED: _unloaded,
    Stage.LOADING: _unloaded,
    Stage.IN_STEP: _in_step,
    Stage.VERIFIED: _verified,
    Stage.FINALIZED: _finalized,
    Stage.CUT_OVER: _cut_over,
    Stage.CLEANED_UP: lambda _: iter(()),
}

_ENDED: Mapping[str, str] = {
    "failed": "failed",
    "stopped": "was stopped",
    "interrupted": "ended without a word",
    "running": "is in work",
}


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")
