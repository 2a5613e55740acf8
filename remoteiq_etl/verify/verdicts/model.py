"""What a verification found, as plain data: labelled differences, checks, the verdict of a table and of all of them.

Belongs here: these shapes and what follows from them alone. Does not belong here: finding differences (see compare, keys,
constraints), labelling them (see labels), keeping them (see store). No difference holds a value of a row; a minimum and a maximum are one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

DATABASE = "(database)"
"""What stands for the name of a table in the verdict of what is looked at beside single tables."""


class Label(StrEnum):
    """Why a difference is there. BUG alone speaks against the migration."""

    BUG = "BUG"
    CHANGED_IN_LEGACY = "changed_in_legacy_since"
    EDITED_IN_TARGET = "edited_in_target"
    QUARANTINED = "quarantined"
    HELD = "held"
    EXPECTED = "expected_by_rule"
    UNMANAGED = "unmanaged"


class FindingKind(StrEnum):
    """How the two sides differ."""

    MISSING = "missing"  # a row that must be in the target is not
    SURPLUS = "surplus"  # a row of ours that must not be in the target
    CHANGED = "changed"  # both have the row, with other values in the named columns
    UNACCOUNTED = "unaccounted"  # a legacy row that is neither mapped nor left out, quarantined or held
    ALTERED = "altered"  # a legacy row that is not as it was read
    DANGLING = "dangling"  # a map entry whose legacy row is not there
    REMOVED = "removed"  # a map entry whose target row is not there
    FOREIGN = "foreign"  # a row that nobody of us wrote
    GRANT = "grant"  # such a row, and it gives a row of ours more than the mapping does
    BROKEN = "broken"  # a rule, constraint, sequence or sum that does not hold


class Status(StrEnum):
    """How the last attempt to verify a table ended."""

    VERIFIED = "verified"
    INCOMPLETE = "incomplete"  # what is there was compared, and it is not all, or not to be believed
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One difference and why it is there.

    `key` is the target key as the map writes it, None where there is none; `legacy_table` and `legacy_key` say which legacy
    row it is about, where one is known. `detail` names columns, tables and keys, never a value.
    """

    table: str
    check: str
    kind: FindingKind
    label: Label
    detail: str
    key: str | None = None
    legacy_table: str | None = None
    legacy_key: str | None = None
    columns: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The difference as plain data."""
        return {**asdict(self), "columns": list(self.columns)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Finding":
        """The difference that `as_json` wrote."""
        own = {
            **data,
            "kind": FindingKind(data["kind"]),
            "label": Label(data["label"]),
            "columns": tuple(data["columns"]),
        }
        return cls(**own)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: how much of what, and how many differences came out, explained ones included."""

    name: str
    about: str
    looked_at: int
    unit: str = "rows"
    differences: int = 0
    bugs: int = 0

    @property
    def passed(self) -> bool:
        """Whether every difference is explained."""
        return self.bugs == 0


#: Rows per legacy word and target label.
Matrix = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class AggregateFigures:
    """What one server adds up of one column: rows, nulls among them, and of values their sum, minimum and maximum as text.

    The sum of booleans is the number of those that are true, that of times their microseconds since 1970. Null: no values,
    or the column has no such figure.
    """

    rows: int
    nulls: int
    sum: str | None = None
    minimum: str | None = None
    maximum: str | None = None


@dataclass(frozen=True)
class Aggregate:
    """One column that is carried unchanged, added up by both servers. `sort`: number, boolean, time or other."""

    legacy_table: str
    legacy_column: str
    column: str
    sort: str
    legacy: AggregateFigures
    target: AggregateFigures

    @property
    def differing(self) -> list[str]:
        """The names of the figures that are not the same."""
        return [
            one.name
            for one in fields(AggregateFigures)
            if getattr(self.legacy, one.name) != getattr(self.target, one.name)
        ]

    @property
    def is_equal(self) -> bool:
        """Whether both sides come to the same."""
        return self.legacy == self.target

    def as_json(self) -> dict[str, Any]:
        """The figures as plain data."""
        return {**asdict(self), "equal": self.is_equal}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Aggregate":
        """The figures that `as_json` wrote."""
        own = {name: data[name] for name in ("legacy_table", "legacy_column", "column", "sort")}
        return cls(**own, legacy=AggregateFigures(**data["legacy"]), target=AggregateFigures(**data["target"]))


@dataclass(frozen=True)
class TableVerdict:
    """What the last verification of one target table found.

    `snapshot` is that of the legacy database. `confirmed_at`: when it was last known that nothing has moved since
    `verified_at`. `counts`: differences per check and label, all of them; `findings`: the first ones, BUGs first.
    `matrices` by column, `aggregates` of what is carried unchanged, `inputs`: marks of what was compared. `whole_at`: when
    every row was compared last, where `rows_compared` are but those of which something was written since; the others stand
    as they did then, and so do the matrices. `error`: why a failed one could not be verified, or why one is incomplete.
    """

    table: str
    status: Status
    verified_at: datetime
    snapshot: str
    seconds: float = 0.0
    rows_compared: int = 0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    matrices: Mapping[str, Matrix] = field(default_factory=dict)
    aggregates: tuple[Aggregate, ...] = ()
    inputs: Mapping[str, Any] | None = None
    error: str | None = None
    confirmed_at: datetime | None = None
    whole_at: datetime | None = None
    verification_id: int | None = None

    @property
    def labels(self) -> dict[str, int]:
        """Differences per label over all checks, in the order of the labels."""
        total: Counter[str] = Counter()
        for counts in self.counts.values():
            total.update(counts)
        return {label.value: total[label] for label in Label if total[label]}

    @property
    def bugs(self) -> int:
        """Differences that nothing explains."""
        return self.labels.get(Label.BUG, 0)

    @property
    def differences(self) -> int:
        """All differences, explained ones included."""
        return sum(self.labels.values())

    @property
    def passed(self) -> bool:
        """Whether the table was verified and every difference is explained."""
        return self.status is Status.VERIFIED and self.bugs == 0

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain data, without its differences."""
        return {
            "table": self.table,
            "status": self.status.value,
            "passed": self.passed,
            "verified_at": self.verified_at,
            "confirmed_at": self.confirmed_at,
            "whole_at": self.whole_at or self.verified_at,
            "snapshot": self.snapshot,
            "seconds": round(self.seconds, 3),
            "rows_compared": self.rows_compared,
            "differences": self.labels,
            "counts": {check: dict(counts) for check, counts in self.counts.items()},
            "checks": [{**asdict(check), "passed": check.passed} for check in self.checks],
            "aggregates": [one.as_json() for one in self.aggregates],
            "error": self.error,
        }


@dataclass(frozen=True)
class VerificationVerdict:
    """What a verification says of the tables that it was asked about. `named`: somebody named these; else they are all."""

    tables: tuple[TableVerdict, ...]
    named: bool = False

    @property
    def passed(self) -> bool:
        """Whether every table is there as a whole, and was verified without a BUG."""
        return all(table.passed for table in self.tables)

    @property
    def incomplete(self) -> dict[str, str]:
        """The tables that are not there as a whole, and why."""
        return {one.table: one.error or "" for one in self.tables if one.status is Status.INCOMPLETE}

    @property
    def bugs(self) -> int:
        """BUGs of all tables."""
        return sum(table.bugs for table in self.tables)

    @property
    def labels(self) -> dict[str, int]:
        """Differences per label over all tables."""
        total: Counter[str] = Counter()
        for table in self.tables:
            total.update(table.labels)
        return {label.value: total[label] for label in Label if total[label]}

    @property
    def word(self) -> str:
        """The verdict in one word."""
        if any(table.status is Status.FAILED for table in self.tables):
            return "failed"
        if self.bugs:
            return "BUG"
        return "incomplete" if self.incomplete else "explained" if self.labels else "verified"

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain data, with the differences of all tables (of each the first ones)."""
        return {
            "verdict": self.word,
            "about": "the tables named" if self.named else "every declared table",
            "passed": self.passed,
            "incomplete": self.incomplete,
            "bugs": self.bugs,
            "labels": self.labels,
            "tables": [table.as_json() for table in self.tables],
            "differences": [finding.as_json() for table in self.tables for finding in table.findings],
        }


def counted(findings: Iterable[Finding]) -> dict[str, dict[str, int]]:
    """Differences per check and label."""
    table: dict[str, dict[str, int]] = {}
    for finding in findings:
        labels = table.setdefault(finding.check, {})
        labels[finding.label] = labels.get(finding.label, 0) + 1
    return table


@dataclass
class CoverageNote:
    """How much of what a check looked at."""

    about: str
    unit: str = "rows"
    count: int = 0
