"""The stages of a migration, as data: their order, the moves between them, and the commands that fit each.

Belongs here: these tables and what follows from them alone. Does not belong here: where a source stands (see store), what
it lacks for the next stage (see missing).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """Where the migration of a source stands; the value is the word for people and for the state schema."""

    PREPARED = "prepared"
    LOADING = "loading"
    IN_STEP = "in step"
    VERIFIED = "verified"
    FINALIZED = "finalized"
    CUT_OVER = "cut over"
    CLEANED_UP = "cleaned up"

    @property
    def about(self) -> str:
        """What is so in this stage, in one sentence."""
        return _ABOUT[self]


#: In place of a stage: nothing has been prepared. It is no stage, so that nothing can be asked of it.
NOT_PREPARED = "not prepared"

_ABOUT: Mapping[Stage, str] = {
    Stage.PREPARED: "The tables of the target are there; no row has been loaded.",
    Stage.LOADING: "A run is in work or ended early, or tables are missing.",
    Stage.IN_STEP: "Every table holds what the last run read.",
    Stage.VERIFIED: "Every table was compared, and every difference is explained.",
    Stage.FINALIZED: "Keys, indexes, sequences and reporting views are there and were compared.",
    Stage.CUT_OVER: "The new application alone is in use.",
    Stage.CLEANED_UP: "The legacy tables have been dropped. There is no way back.",
}

ORDER: tuple[Stage, ...] = tuple(Stage)

#: The stage that cannot be left.
POINT_OF_NO_RETURN = Stage.CLEANED_UP

_BEFORE_CUT_OVER = (Stage.PREPARED, Stage.LOADING, Stage.IN_STEP, Stage.VERIFIED, Stage.FINALIZED)

MOVES: Mapping[Stage | None, frozenset[Stage | None]] = {
    None: frozenset({Stage.PREPARED, Stage.LOADING}),
    Stage.PREPARED: frozenset({None, Stage.PREPARED, Stage.LOADING}),
    Stage.LOADING: frozenset({Stage.PREPARED, Stage.LOADING, Stage.IN_STEP}),
    Stage.IN_STEP: frozenset({Stage.PREPARED, Stage.LOADING, Stage.IN_STEP, Stage.VERIFIED}),
    Stage.VERIFIED: frozenset({Stage.PREPARED, Stage.LOADING, Stage.IN_STEP, Stage.VERIFIED, Stage.FINALIZED}),
    Stage.FINALIZED: frozenset({*_BEFORE_CUT_OVER, Stage.CUT_OVER}),
    Stage.CUT_OVER: frozenset({Stage.FINALIZED, Stage.CUT_OVER, Stage.CLEANED_UP}),
    Stage.CLEANED_UP: frozenset(),
}
"""The moves that are legal, forward and back. Besides, what was left for `loading` is entered again by a run that wrote
nothing (see store.move)."""


@dataclass(frozen=True)
class StageCommands:
    """What leads from a stage to the next one, and back from it. `back` is None at the point of no return."""

    command: str | None
    back: str | None


COMMANDS: Mapping[Stage | None, StageCommands] = {
    None: StageCommands("remoteiq-etl prepare", None),
    Stage.PREPARED: StageCommands("remoteiq-etl run", "remoteiq-etl prepare --back"),
    Stage.LOADING: StageCommands("remoteiq-etl run", "remoteiq-etl undo --all"),
    Stage.IN_STEP: StageCommands("remoteiq-etl verify", "remoteiq-etl undo --all"),
    Stage.VERIFIED: StageCommands("remoteiq-etl finalize", "remoteiq-etl undo --all"),
    Stage.FINALIZED: StageCommands("remoteiq-etl cutover", "remoteiq-etl undo --all"),
    Stage.CUT_OVER: StageCommands("remoteiq-etl cleanup", "remoteiq-etl cutover --back"),
    Stage.CLEANED_UP: StageCommands(None, None),
}
"""By stage: the command that leads to the next one, and the way back."""

NEEDS: Mapping[str, frozenset[Stage | None]] = {
    "prepare": frozenset({None, *_BEFORE_CUT_OVER}),
    "prepare --back": frozenset({None, Stage.PREPARED}),
    "run": frozenset({None, *_BEFORE_CUT_OVER, Stage.CUT_OVER}),
    "undo": frozenset({None, *_BEFORE_CUT_OVER}),
    "reset": frozenset({None, *_BEFORE_CUT_OVER}),
    "verify": frozenset({None, *_BEFORE_CUT_OVER, Stage.CUT_OVER}),
    "finalize": frozenset({Stage.VERIFIED, Stage.FINALIZED}),
    "gate approve": frozenset({Stage.FINALIZED}),
    "cutover": frozenset({Stage.FINALIZED}),
    "cutover --back": frozenset({Stage.CUT_OVER}),
    "fallback": frozenset({Stage.CUT_OVER}),
    "cleanup": frozenset({Stage.CUT_OVER}),
    "cleanup --state": frozenset({Stage.CLEANED_UP}),
}
"""By command: the stages that it fits."""


def word(stage: Stage | None) -> str:
    """The stage in words."""
    return NOT_PREPARED if stage is None else stage.value


def words(stages: Iterable[Stage | None]) -> str:
    """Several of them, in their order, as in `verified or finalized`."""
    found = set(stages)
    *rest, last = [word(stage) for stage in (None, *ORDER) if stage in found]
    return f"{', '.join(rest)} or {last}" if rest else last


def next_stage(stage: Stage | None) -> Stage | None:
    """The stage after this one; None after the last."""
    following = ORDER if stage is None else ORDER[ORDER.index(stage) + 1 :]
    return following[0] if following else None


def is_at_least(stage: Stage | None, least: Stage) -> bool:
    """Whether a source has come as far."""
    return stage is not None and ORDER.index(stage) >= ORDER.index(least)
