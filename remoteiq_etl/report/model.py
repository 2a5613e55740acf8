"""The report as plain data: what the page and the JSON are made of.

Belongs here: shapes, and what follows from their own fields. Does not belong here: reading any of it. No value in it is a
secret: rows are redacted as the quarantine and the conflict list hold them, everything else are names, keys and counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from remoteiq_etl.lifecycle.explain import Explanation
from remoteiq_etl.lifecycle.operations.overview import RunRow
from remoteiq_etl.verify.verdicts.model import TableVerdict


class Standing(StrEnum):
    """What may be said of the migration as a whole, or of one table."""

    VERIFIED = "verified"
    EXPLAINED = "differences explained"
    BUG = "BUG"
    FAILED = "verification failed"
    STALE = "verified before, stale"
    INCOMPLETE = "incomplete"
    NEVER = "not verified yet"
    NOTHING = "nothing to verify"


MEANINGS: Mapping[Standing, str] = {
    Standing.VERIFIED: "Every row of every table is as the mapping says it must be.",
    Standing.EXPLAINED: "Where rows differ from what the mapping says, a rule, a decision or an edit explains each of them.",
    Standing.BUG: "Rows differ from what the mapping says, and nothing explains it. This must not be signed.",
    Standing.FAILED: "Some tables could not be compared. This cannot be signed.",
    Standing.STALE: "What was compared was as it must be, and rows were written since. Verify again before signing.",
    Standing.INCOMPLETE: "Not every table is in the target as a whole. This cannot be signed.",
    Standing.NEVER: "Not every table was compared with what the mapping says it must hold. This cannot be signed.",
    Standing.NOTHING: "No table has a source.",
}


@dataclass(frozen=True)
class Verified:
    """How far one table is verified. `verdict` is the last one, None: there is none; `stale`: why it does not hold (any more)."""

    standing: Standing
    verdict: TableVerdict | None = None
    stale: str | None = None


@dataclass(frozen=True)
class ReportVerdict:
    """What may be signed. The tables were compared between `since` and `until`, in these snapshots of the legacy database.

    `tables`: how many have which standing; `beside`: the standing of what is verified beside them; `labels`: differences
    per label over all.
    """

    standing: Standing
    since: datetime | None
    until: datetime | None
    snapshots: Sequence[str]
    tables: Mapping[Standing, int]
    beside: Standing
    labels: Mapping[str, int]

    @property
    def meaning(self) -> str:
        """What it means for who signs, in a sentence or two."""
        return MEANINGS[self.standing]


@dataclass(frozen=True)
class Task:
    """Something that a person has to do or should know. `keys`: the first few rows; `command`: what shows or does it."""

    name: str
    title: str
    text: str
    count: int
    blocks: bool
    keys: Sequence[str] = ()
    command: str | None = None


@dataclass(frozen=True)
class TableAccount:
    """The rows of one legacy table (or rows made up, by their name) and what stands for each in one target table.

    `rows`: as the last pass counted them, None where no legacy table is behind. `outcomes`: keys per state, the law's order.
    """

    legacy_table: str
    primary: bool
    rows: int | None
    outcomes: Mapping[str, int]

    @property
    def accounted(self) -> int:
        """Keys with an outcome."""
        return sum(self.outcomes.values())

    @property
    def remainder(self) -> int | None:
        """Rows without an outcome, negative where more keys are known than the table has rows; None: no law applies."""
        return self.rows - self.accounted if self.primary and self.rows is not None else None


@dataclass(frozen=True)
class Remark:
    """Rows of a table that were carried with a remark, since its rows were last read whole."""

    table: str
    rule: str
    rows: int


@dataclass(frozen=True)
class ReportTable:
    """One target table. `rows` is None where it is not there; `ours`: those of them that the map leads to."""

    name: str
    domain: str
    grain: str
    no_source: str | None
    rows: int | None
    ours: int
    accounts: Sequence[TableAccount]
    quarantined: int
    held: int
    conflicts: int
    last_run: int | None
    passed_at: datetime | None
    full_pass_at: datetime | None
    swept_at: datetime | None
    remarks: Sequence[Remark]
    verified: Verified

    @property
    def legacy_rows(self) -> int:
        """Rows of the legacy tables that this table accounts for."""
        return sum(one.rows or 0 for one in self.accounts if one.primary)

    @property
    def counted(self) -> bool:
        """Whether the law counts any legacy row here; else its rows are made from rows that other tables account for."""
        return any(one.primary for one in self.accounts)

    @property
    def lost(self) -> int:
        """Legacy rows without an outcome; 0: the law holds."""
        return sum(max(one.remainder or 0, 0) for one in self.accounts)

    @property
    def gone(self) -> int:
        """Keys with an outcome whose row the last pass did not see any more, and that no pass over gone rows has looked for."""
        return sum(max(-(one.remainder or 0), 0) for one in self.accounts)


@dataclass(frozen=True)
class SourceValue:
    """A legacy word or format. `rows`: that have it, or (where nothing was measured) reads of it by the runs.

    `first_run` and `last_run`: that met it, None where only the verification did. `labels`: rows per target label.
    """

    word: str
    rows: int
    first_run: int | None
    last_run: int | None
    labels: Mapping[str, int]


@dataclass(frozen=True)
class Matrix:
    """The words of one enum column and the labels that they became.

    `in_target`: rows per label that the target holds now, whoever wrote them. `measured`: the last verification of the
    table counted each row; else the cells say what the value map makes of each read of a word.
    """

    name: str
    labels: Sequence[str]
    words: Sequence[SourceValue]
    in_target: Mapping[str, int]
    measured: bool


@dataclass(frozen=True)
class Formats:
    """The words or formats of a column that is no enum; `more`: how many are not listed."""

    name: str
    words: Sequence[SourceValue]
    more: int


@dataclass(frozen=True)
class SampleRow:
    """One row of a group, with what may be shown of it."""

    key: str
    since: datetime | None
    row: Mapping[str, Any]


@dataclass(frozen=True)
class Quarantined:
    """Rows in quarantine for one reason. `details`: the first few explanations."""

    table: str
    legacy_table: str
    rule: str
    details: Sequence[str]
    columns: Sequence[str]
    rows: int
    ignored: int
    oldest: datetime
    samples: Sequence[SampleRow] = ()


@dataclass(frozen=True)
class HeldGroup:
    """Rows that wait for the same kind of parent."""

    table: str
    legacy_table: str
    parent_table: str
    column: str
    rows: int
    oldest: datetime
    keys: Sequence[str]


@dataclass(frozen=True)
class ConflictSides:
    """One column of a conflict: what we wrote last, what the target has, and what legacy gives; secrets have no values."""

    column: str
    last_written: Any
    current: Any
    incoming: Any


@dataclass(frozen=True)
class Disputed:
    """One target row that both sides changed."""

    legacy_table: str
    legacy_key: str
    new_key: str
    status: str
    sides: Sequence[ConflictSides]


@dataclass(frozen=True)
class Conflicts:
    """Open conflicts of one table for one reason, with the first few."""

    table: str
    reason: str
    rows: int
    decided: int
    samples: Sequence[Disputed]


@dataclass(frozen=True)
class SkippedGroup:
    """Legacy rows that became none of their own, by a rule."""

    table: str
    legacy_table: str
    outcome: str
    rule: str
    rows: int


@dataclass(frozen=True)
class ArchivedColumn:
    """What the archive keeps of one legacy column under one rule, and why it has no home. `retired`: values not carried."""

    legacy_table: str
    column: str
    rule: str
    reason: str
    rows: int
    bytes: int
    clear: int
    sealed: int
    withheld: int
    retired: int


@dataclass(frozen=True)
class Index:
    """What the search of the page finds: `rows` refer to `names` by number.

    A row is legacy table, legacy key, target table, new key (0: the same as the legacy key, None: none), what became of it,
    rule. `complete`: every key is in it; else only rows that are worth a look, as far as `rows` fit.
    """

    names: Sequence[str]
    rows: Sequence[Sequence[Any]]
    keys: int
    complete: bool


@dataclass(frozen=True)
class GateLine:
    """One rule of the gate: whether it passes, what it finds, and what mends that."""

    name: str
    title: str
    passes: bool
    reason: str
    todo: str


@dataclass(frozen=True)
class RehearsalLine:
    """One rehearsal. `window`: seconds of downtime that are to be expected, at least and at most; None: it did not come so far."""

    number: int
    verdict: str
    ended_at: datetime
    actor: str
    window: tuple[float, ...] | None


@dataclass(frozen=True)
class GatePage:
    """The gate of the cut-over. `closed_by`: why it is closed; `risks`: what was accepted, by whom and why; `rights`: by
    role what it gains and loses over the legacy guard, and which hold no key for one's own things."""

    is_open: bool
    closed_by: Sequence[str]
    rules: Sequence[GateLine]
    approval: str | None
    rehearsals: Sequence[RehearsalLine]
    risks: Sequence[str] = ()
    rights: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """All of it, at one moment. `database`: what is verified beside the tables, the sequences for example."""

    source: str
    target: str
    made_at: datetime
    program: str
    verdict: ReportVerdict
    tasks: Sequence[Task]
    tables: Sequence[ReportTable]
    database: Verified
    matrices: Sequence[Matrix]
    formats: Sequence[Formats]
    quarantine: Sequence[Quarantined]
    held: Sequence[HeldGroup]
    conflicts: Sequence[Conflicts]
    left_out: Sequence[SkippedGroup]
    archive: Sequence[ArchivedColumn]
    runs: Sequence[RunRow]
    not_migrated: Mapping[str, str]
    index: Index
    gate: GatePage
    record: Explanation | None = None
