"""The account of a load: rows per outcome of the conservation law, per batch and per table. Counts only, no values."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from remoteiq_etl.spec.outcomes import Outcome


class Ledger(StrEnum):
    """The outcomes of the conservation law (mapping rules, "Conservation")."""

    INSERTED = "inserted"
    ADOPTED = "adopted"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict kept"
    MERGED = "merged away"
    DELETED = "deleted in target"
    ARCHIVED = "archived only"
    FILTERED = "filtered"
    QUARANTINED = "quarantined"
    HELD = "held"


FOUND_LATE = "found_late"
"""The warning about rows that change capture missed and a sweep found."""

OF_ACTION = {
    "inserted": Ledger.INSERTED,
    "recreated": Ledger.INSERTED,
    "adopted": Ledger.ADOPTED,
    "updated": Ledger.UPDATED,
    "taken": Ledger.UPDATED,
    "moved": Ledger.UPDATED,
    "touched": Ledger.UPDATED,
    "rekeyed": Ledger.UPDATED,
    "unchanged": Ledger.UNCHANGED,
    "renewed": Ledger.UNCHANGED,
    "kept": Ledger.UNCHANGED,
    "conflict kept": Ledger.CONFLICT,
    "move refused": Ledger.CONFLICT,
    "deleted in target": Ledger.DELETED,
    "quarantined": Ledger.QUARANTINED,
}
OF_DISPOSAL = {
    Outcome.MERGED: Ledger.MERGED,
    Outcome.ARCHIVED: Ledger.ARCHIVED,
    Outcome.FILTERED: Ledger.FILTERED,
    Outcome.QUARANTINED: Ledger.QUARANTINED,
    Outcome.HELD: Ledger.HELD,
}


#: The reading of a table of which nothing was to be read.
NOTHING_CHANGED = "nothing changed"


@dataclass
class BatchAccount:
    """Rows read from one legacy table for one target table, and what became of them."""

    legacy_table: str
    primary: bool
    read: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def add(self, other: "BatchAccount") -> None:
        """Take another account of the same legacy table in."""
        self.read += other.read
        self.outcomes += other.outcomes
        self.rules += other.rules
        self.warnings += other.warnings
        self.bytes += other.bytes

    @property
    def accounted(self) -> int:
        """Rows that have an outcome; equal to `read` where each legacy row becomes at most one row."""
        return sum(self.outcomes.values())

    def rules_by_outcome(self) -> dict[str, dict[str, int]]:
        """Rows per outcome and rule, as plain data."""
        table: dict[str, dict[str, int]] = {}
        for (outcome, rule), count in sorted(self.rules.items()):
            table.setdefault(outcome, {})[rule] = count
        return table


@dataclass(frozen=True)
class ArchiveCount:
    """What the archive holds of one legacy column under one rule. `bytes` are those of the values, clear and sealed.

    A JSON value with secret parts counts as clear and as sealed. `retired`: values of the legacy table that are not
    carried; `bytes` are theirs then.
    """

    legacy_table: str
    column: str
    rule: str
    rows: int = 0
    bytes: int = 0
    clear: int = 0
    sealed: int = 0
    withheld: int = 0
    retired: int = 0


@dataclass(frozen=True)
class Waiting:
    """What is open of one table after its load. `ignored`: those of `quarantined` that a person accepts; `oldest`: since
    when the oldest of the others is quarantined; `warnings`: decisions that a person should know of; `behind`: seconds
    since the snapshot that was read; `swept`: when a sweep last compared every legacy row of it; `run`: the run that loaded it.
    """

    quarantined: int = 0
    ignored: int = 0
    oldest: datetime | None = None
    held: int = 0
    conflicts: int = 0
    warnings: int = 0
    behind: float = 0.0
    swept: datetime | None = None
    run: int | None = None


@dataclass
class TableReport:
    """What one load of one target table did. `accounts` by legacy table (or name of derived rows).

    `reading`: what was read and why, in words; `decided`: decisions recorded anew or with other values.
    `recreated`: of the rows inserted those that had been deleted in the target.
    `words`: rows per word (or format) of each column that a value map or parser reads; `new_words`: those of them that no
    earlier run has seen, where one has seen others. `blocked`: why the table was not loaded at all. `beside`: no table of the
    target, but what is archived beside them. `archived`: what the archive holds of its legacy columns.
    `found_late`: rows that only a sweep found to be other than they were last read; there must be none. `waited`: seconds
    per signal (or "paused") that made the run wait. `waiting`: what is open of it now; in a plan, before the run.
    """

    table: str
    accounts: dict[str, BatchAccount] = field(default_factory=dict)
    removed: int = 0
    recreated: int = 0
    seconds: float = 0.0
    rows_in_target: int | None = None
    decision_warnings: Counter[str] = field(default_factory=Counter)
    first_load: bool = False
    reading: str = ""
    found_late: int = 0
    decided: int = 0
    words: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    new_words: dict[str, list[str]] = field(default_factory=dict)
    blocked: str | None = None
    beside: bool = False
    archived: list[ArchiveCount] = field(default_factory=list)
    waited: dict[str, float] = field(default_factory=dict)
    waiting: Waiting = field(default_factory=Waiting)

    def account(self, legacy_table: str, *, primary: bool) -> BatchAccount:
        """The account of one legacy table, begun when it is asked for first."""
        return self.accounts.setdefault(legacy_table, BatchAccount(legacy_table, primary))

    def total(self, outcome: Ledger) -> int:
        """Rows of one outcome over all legacy tables."""
        return sum(account.outcomes[outcome] for account in self.accounts.values())

    @property
    def read(self) -> int:
        """Rows read from all legacy tables, derived rows included."""
        return sum(account.read for account in self.accounts.values())

    @property
    def bytes(self) -> int:
        """Bytes sent to the staging tables."""
        return sum(account.bytes for account in self.accounts.values())

    @property
    def warnings(self) -> Counter[str]:
        """Rows carried with a remark, per rule."""
        late = Counter({FOUND_LATE: self.found_late} if self.found_late else {})
        return sum((account.warnings for account in self.accounts.values()), self.decision_warnings + late)

    @property
    def rows_per_second(self) -> float:
        """Rows read per second, decisions included; 0 when nothing took any time."""
        return self.read / self.seconds if self.seconds else 0.0

    @property
    def needs_attention(self) -> int:
        """Rows that wait for a person or a parent: quarantined and held. Those that a person ignores are none."""
        quarantined = self.total(Ledger.QUARANTINED)
        return quarantined - min(quarantined, self.waiting.ignored) + self.total(Ledger.HELD)

    @property
    def unchanged(self) -> bool:
        """Whether nothing was read, because nothing that the table is made of has changed since the last run."""
        return self.reading == NOTHING_CHANGED

    def counts(self) -> Mapping[str, int]:
        """Rows read and rows per outcome, in the order of the conservation law."""
        return {"read": self.read, **{outcome.value: self.total(outcome) for outcome in Ledger}}
