"""Why a difference is there: from what is known of a row to a label. Pure: no database.

The order is that of certainty: what the state says of the row, then what the target shows, then what has moved in legacy.
What nothing explains is a BUG. Belongs here: that judgement. Does not belong here: gathering what is known (see facts).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from remoteiq_etl.verify.expected.compare import RowDifference
from remoteiq_etl.verify.verdicts.model import Finding, FindingKind, Label

EXPECTATION = "opinion"
"""The check that an opinion makes."""
WRITTEN = "the legacy row was written since the table was last completed"
DELETED_AT_SOURCE = "the legacy row is gone since"
UNFINISHED = "a run has changed it, and has not completed the table"
_UPDATED_AT = "updated_at"
_EDIT = "edited in the target since it was written"
_NO_ROW = {
    "gone": "gone from legacy, and deleted with it",
    "undone": "taken back by an undo",
    "merged": "merged into the row of another key",
}
#: The worst first: a row that has several reasons is reported once for each of them.
_ORDER = tuple(Label)


@dataclass(frozen=True)
class MapEntry:
    """What the map says of a row. `is_there`: the target has the row that it leads to; `renewed`: legacy changed it later;
    `outlived`: a later run than the one that made it has completed the table; `unfinished`: the run that changed the entry
    last has not completed it.
    """

    new_key: str | None
    rule: str
    state: str
    adopted: bool
    is_there: bool
    renewed: bool = False
    outlived: bool = False
    unfinished: bool = False


@dataclass(frozen=True)
class Legacy:
    """A legacy row as it is now: is it there, and was it written since the table was last completed?"""

    present: bool
    newer: bool = False


@dataclass(frozen=True)
class RowSides:
    """How target and opinion relate to what was last written, by column.

    `edited`: the target is not as written; `wanted`: the opinion is not; `later`: the target's time is the later one;
    `unrecorded`: nobody knows what was written; `foreign`: never written by us, and empty by the mapping. `as_written` and
    `opinion_as_written` say of each side as a whole whether it is what was written, None where that is not known;
    `expectation_as_given`, of a row that a trigger of the target changed, whether the opinion is what was given to it.
    """

    edited: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    unrecorded: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    as_written: bool | None = None
    expectation_as_written: bool | None = None
    expectation_as_given: bool | None = None


@dataclass(frozen=True)
class Evidence:
    """All that is known of one row that differs.

    `waits`: label and reason where the state names the row. `conflicts`: column → reason. `twin`: key of a target row that
    holds what this one should. `stale`: what the row depends on besides and has changed since its table was completed.
    """

    entry: MapEntry | None = None
    waits: tuple[Label, str] | None = None
    conflicts: Mapping[str, str] = field(default_factory=dict)
    legacy: Legacy | None = None
    sides: RowSides = field(default_factory=RowSides)
    twin: str | None = None
    stale: str | None = None


@dataclass(frozen=True)
class Rules:
    """How a table is declared, as far as a label depends on it. `follows`: its rows are made of other legacy rows, too."""

    activity: frozenset[str] = frozenset()
    insert_only: frozenset[str] = frozenset()
    follows: bool = False


def findings(difference: RowDifference, evidence: Evidence, rules: Rules) -> list[Finding]:
    """One difference with its reasons: one finding, or of a row that differs in several columns one for each label."""
    if evidence.waits is not None:
        return [_finding(difference, *evidence.waits)]
    if difference.kind == FindingKind.MISSING:
        return [_finding(difference, *_of_missing(evidence))]
    if difference.kind == FindingKind.SURPLUS:
        return [_finding(difference, *_of_surplus(evidence))]
    return _of_columns(difference, evidence, rules)


def moved(evidence: Evidence) -> tuple[Label, str] | None:
    """The label of a row that, or what it depends on, legacy has changed since; None when nothing has moved."""
    if evidence.entry is not None and evidence.entry.unfinished:
        return Label.CHANGED_IN_LEGACY, UNFINISHED
    if evidence.legacy is not None and not evidence.legacy.present:
        return Label.CHANGED_IN_LEGACY, DELETED_AT_SOURCE
    if evidence.legacy is not None and evidence.legacy.newer:
        return Label.CHANGED_IN_LEGACY, WRITTEN
    return (Label.CHANGED_IN_LEGACY, evidence.stale) if evidence.stale else None


def _of_missing(evidence: Evidence) -> tuple[Label, str]:
    entry = evidence.entry
    if entry is None or entry.new_key is None:
        return moved(evidence) or (
            Label.BUG,
            "the legacy row has no entry in the map, and no rule that the opinion knows says why",
        )
    if entry.state == "deleted":
        return Label.EDITED_IN_TARGET, "deleted in the target after it was written"
    if entry.state in _NO_ROW:
        return Label.EXPECTED, _NO_ROW[entry.state]
    if evidence.twin is not None:
        return Label.BUG, f"its entry in the map leads to no row; the row {evidence.twin} holds what it should be"
    if entry.is_there:
        return moved(evidence) or (Label.BUG, "its entry in the map leads to a row that is not counted as its own")
    return Label.EDITED_IN_TARGET, "deleted in the target since it was written"


def _of_surplus(evidence: Evidence) -> tuple[Label, str]:
    if evidence.entry is not None and evidence.entry.adopted:
        return Label.EXPECTED, "adopted: the row was in the target before"
    if evidence.entry is not None and evidence.entry.outlived and evidence.legacy is None:
        return (
            Label.CHANGED_IN_LEGACY,
            "what it was made of is gone from legacy, and no pass over deleted rows has said so yet",
        )
    return moved(evidence) or (Label.BUG, "the mapping makes no such row")


def _of_columns(difference: RowDifference, evidence: Evidence, rules: Rules) -> list[Finding]:
    by_reason: dict[tuple[Label, str], list[str]] = {}
    for column in difference.columns:
        by_reason.setdefault(_of_column(column, difference, evidence, rules), []).append(column)
    found = [_finding(difference, label, detail, columns) for (label, detail), columns in by_reason.items()]
    return sorted(found, key=lambda one: _ORDER.index(one.label))


def _of_column(column: str, difference: RowDifference, evidence: Evidence, rules: Rules) -> tuple[Label, str]:
    sides = evidence.sides
    if column in evidence.conflicts:
        return _of_conflict(evidence.conflicts[column])
    if evidence.entry is not None and evidence.entry.adopted:
        return Label.EXPECTED, "adopted: the row keeps what it had"
    if column in rules.activity and sides.later & rules.activity:
        return Label.EXPECTED, "activity: the target's time is the later one"
    if column == _UPDATED_AT and (_is_edited(sides, difference.columns) or column in sides.later):
        return Label.EDITED_IN_TARGET, _EDIT
    if column in sides.foreign:
        return Label.EDITED_IN_TARGET, "filled in the target; the migration never writes this column"
    if column in sides.edited or (column in sides.unrecorded and sides.as_written is False):
        return _of_edit(column, evidence)
    return _of_unedited(column, evidence, rules)


def _of_unedited(column: str, evidence: Evidence, rules: Rules) -> tuple[Label, str]:
    """The target is as it was written, and differs all the same."""
    if column == _UPDATED_AT and _is_not_worth_writing(evidence, rules):
        return Label.EXPECTED, "legacy changed nothing since that is compared, and updated_at alone is not written"
    since = moved(evidence)
    if since is None and column in rules.insert_only:
        return _of_insert_only(evidence)
    if since is None and evidence.sides.expectation_as_given:
        return Label.EDITED_IN_TARGET, "a trigger of the target changed it as it was written"
    return since or (Label.BUG, "the target is as it was written, and the mapping says otherwise")


def _is_not_worth_writing(evidence: Evidence, rules: Rules) -> bool:
    """Whether legacy wrote the row later, or one that it follows, and changed nothing that is compared.

    updated_at and activity are not. That a followed row was written is not recorded.
    """
    written_later = rules.follows or (evidence.entry is not None and evidence.entry.renewed)
    return written_later and evidence.sides.expectation_as_written is True


def _of_insert_only(evidence: Evidence) -> tuple[Label, str]:
    """Nothing is recorded of such a column; it can differ by rule only when legacy changed the row after it was made."""
    if evidence.entry is not None and evidence.entry.renewed:
        return Label.EXPECTED, "set when the row was made, and never again"
    return Label.EDITED_IN_TARGET, "edited in the target since the row was made"


def _of_edit(column: str, evidence: Evidence) -> tuple[Label, str]:
    """An edit explains a difference only when what was written before it was right."""
    sides = evidence.sides
    was_wrong = column in sides.wanted or (column in sides.unrecorded and sides.expectation_as_written is False)
    if was_wrong and moved(evidence) is None:
        return Label.BUG, "edited in the target, but what was written before is not what the mapping says either"
    return Label.EDITED_IN_TARGET, _EDIT


def _of_conflict(reason: str) -> tuple[Label, str]:
    if reason in ("adopted", "row of another source"):
        return Label.EXPECTED, f"listed as a conflict: {reason}"
    return Label.EDITED_IN_TARGET, f"listed as a conflict: {reason}"


def _is_edited(sides: RowSides, columns: Iterable[str]) -> bool:
    return sides.as_written is False or any(column in sides.edited for column in columns)


def _finding(difference: RowDifference, label: Label, detail: str, columns: Iterable[str] | None = None) -> Finding:
    return Finding(
        table=difference.table,
        check=EXPECTATION,
        kind=FindingKind(difference.kind),
        label=label,
        detail=detail,
        key=difference.key,
        legacy_table=difference.legacy_table,
        legacy_key=difference.legacy_key,
        columns=difference.columns if columns is None else tuple(columns),
    )
