"""The steps of a cut-over: their order, what each does in words, and how long it will take by what is known.

Belongs here: these as data, for `--dry-run` and for progress. Does not belong here: doing them (see execute).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from remoteiq_etl.config.cutover import CutOverSettings
from remoteiq_etl.config.fence_kind import FenceKind
from remoteiq_etl.lifecycle.cutover.place import CutOverContext
from remoteiq_etl.postgres.statements import statements

SQL = statements(__file__)

_INSTANT = 0.1
"""Seconds: one short transaction."""


class CutOverStep(StrEnum):
    """What a cut-over does, in this order. The downtime is from the fence to the switch."""

    CHECKS = "checks"
    FENCE = "fence"
    WAIT = "wait"
    RESYNC = "re-sync"
    VERIFY = "verify"
    FINALIZE = "finalize"
    SWITCH = "switch"
    RECORD = "record"


_FENCES: Mapping[FenceKind, str] = {
    FenceKind.READ_ONLY: "New sessions of {whom} begin read-only, and those that are there are ended.",
    FenceKind.REVOKE: "The rights to write to legacy tables are taken from {whom}.",
    FenceKind.HOOK: "The command of [cutover] fence_hook is called with `take`.",
    FenceKind.STOPPED: "Nothing is done: the old application has been stopped, and it is watched that nothing is written.",
}
_ABOUT: Mapping[CutOverStep, str] = {
    CutOverStep.CHECKS: "Stage, gate and rights are looked at. Nothing is changed.",
    CutOverStep.WAIT: "Transactions that were open are waited for, {wait:g} seconds at the most; then the fence is taken away.",
    CutOverStep.RESYNC: "What was written since the last run is read, and what was deleted at source is deleted. Backup policies get"
    " options.enabled, and devices that were not heard of become offline.",
    CutOverStep.VERIFY: "Everything that has moved is compared.",
    CutOverStep.FINALIZE: "Keys, indexes and sequences are brought up to date.",
    CutOverStep.RECORD: "The stage becomes cut over. From now on later runs remember it.",
}
_SWITCHES = {
    True: "Both schemas are renamed in one transaction, so that the new application finds its tables in {legacy}.",
    False: "The connection of the new application is shown, or given to the command of [cutover] switch_hook.",
}
#: Between the fence and the switch nobody can write.
DOWN = (
    CutOverStep.FENCE,
    CutOverStep.WAIT,
    CutOverStep.RESYNC,
    CutOverStep.VERIFY,
    CutOverStep.FINALIZE,
    CutOverStep.SWITCH,
)


@dataclass(frozen=True)
class PlannedStep:
    """One step before it is done. `seconds`: by what earlier ones took, None where nothing is known; `most`: the most of those,
    or the deadline.
    """

    step: CutOverStep
    about: str
    seconds: float | None
    most: float | None


def planned_steps(context: CutOverContext, kind: FenceKind) -> list[PlannedStep]:
    """All steps with what they will take."""
    settings = context.place.settings
    times = _times(context, settings)
    return [PlannedStep(step, _about(context, kind, step), *times[step]) for step in CutOverStep]


def downtime(planned: Sequence[PlannedStep]) -> tuple[float, float]:
    """Seconds from the fence to the switch that are to be expected, and the most of them, of the steps that are known."""
    down = [one for one in planned if one.step in DOWN]
    return sum(one.seconds or 0 for one in down), sum(one.most or one.seconds or 0 for one in down)


def _about(context: CutOverContext, kind: FenceKind, step: CutOverStep) -> str:
    settings, migration = context.place.settings, context.place.migration
    if step is CutOverStep.FENCE:
        return _FENCES[kind].format(whom=", ".join(settings.roles) or "the legacy database")
    if step is CutOverStep.SWITCH:
        return _SWITCHES[context.one_database].format(legacy=migration.legacy.schema)
    return _ABOUT[step].format(wait=settings.wait_seconds)


def _times(context: CutOverContext, settings: CutOverSettings) -> dict[CutOverStep, tuple[float | None, float | None]]:
    """By step the median and the most of what it took: in earlier cut-overs, else in runs and verifications."""
    parameters = {"source_id": context.source_id}
    names = context.state.names
    found = dict.fromkeys(CutOverStep, (None, None))
    known = {
        CutOverStep(name): times for name, *times in context.control.rows(SQL["earlier"].format(**names), parameters)
    }
    for step, statement in ((CutOverStep.RESYNC, "runs"), (CutOverStep.VERIFY, "verifications")):
        rows = context.control.rows(SQL[statement].format(**names), parameters)
        found[step] = rows[0][0], rows[0][1]
    instant = dict.fromkeys(
        (CutOverStep.CHECKS, CutOverStep.FENCE, CutOverStep.SWITCH, CutOverStep.RECORD), (_INSTANT, None)
    )
    return {
        **found,
        **instant,
        CutOverStep.WAIT: (_INSTANT, settings.wait_seconds),
        **{step: (median, most) for step, (median, most) in known.items()},
    }
