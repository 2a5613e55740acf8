"""The explanation of one row as plain data: a tree that the command line prints, JSON shows, and a report may use.

Belongs here: what is known of a row, and nothing that reads it. No value in it is a secret: secret columns have none, JSON
has lost its secret parts, and what is sealed is only said to be.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from remoteiq_etl.lifecycle.operations.conflicts import Conflict
from remoteiq_etl.lifecycle.operations.quarantine import QuarantinedDetail


@dataclass(frozen=True)
class RunFact:
    """A run that something else names."""

    id: int
    status: str
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class MappedKey:
    """One entry of the map of a target table (`entity`). `written`: we have written the target row under
    this key. `inserted_run` is None where we did not insert it."""

    entity: str
    legacy_table: str
    legacy_key: str
    new_key: str | None
    rule: str
    state: str
    adopted: bool
    written: bool
    owner_key: str | None
    decision: Any
    first_run: int
    last_run: int
    inserted_run: int | None


@dataclass(frozen=True)
class HeldRow:
    """The row waits, or waited, for a parent. `released_run` is None while it does."""

    table: str
    parent_table: str
    parent_key: str
    column: str
    attempts: int
    since: datetime
    first_run: int
    last_run: int
    released_run: int | None


@dataclass(frozen=True)
class SkippedRow:
    """The row became none of its own in a target table. `into`: the row of that table it was merged into, where that is known."""

    table: str
    legacy_table: str
    legacy_key: str
    outcome: str
    rule: str
    run_id: int
    into: str | None = None


@dataclass(frozen=True)
class DeletedAtSource:
    """The row is gone from legacy. `outcome` says what became of the target row; `returned_run`: it came back."""

    table: str
    new_key: str | None
    outcome: str
    reason: str | None
    holder: str | None
    first_run: int
    last_run: int
    done_run: int | None
    returned_run: int | None


@dataclass(frozen=True)
class ArchivedValue:
    """A value of the row without a home. `kept`: in clear, sealed, or withheld, the last two perhaps beside clear parts."""

    column: str
    value: Any
    rule: str
    kept: str
    run_id: int
    gone_run: int | None


@dataclass(frozen=True)
class SettingPath:
    """A column of a singleton row and the path of the JSON setting that it went to."""

    column: str
    settings_type: str
    path: str
    outcome: str
    run_id: int


@dataclass(frozen=True)
class LegacyRow:
    """One legacy row, or what stands for one where a target row was made of something else.

    `present`: whether the legacy database holds it now, None where that cannot be told; `values`: as it is there.
    """

    table: str
    key: str
    present: bool | None
    values: Mapping[str, Any] | None
    entries: tuple[MappedKey, ...]
    quarantine: tuple[QuarantinedDetail, ...]
    held: tuple[HeldRow, ...]
    left_out: tuple[SkippedRow, ...]
    gone: tuple[DeletedAtSource, ...]
    archive: tuple[ArchivedValue, ...]
    settings: tuple[SettingPath, ...]

    @property
    def known(self) -> bool:
        """Whether a run has ever met it."""
        found = (self.entries, self.quarantine, self.held, self.left_out, self.gone, self.archive, self.settings)
        return any(found)


@dataclass(frozen=True)
class ColumnFact:
    """One column of a target row: its value now, and how it comes about. `edited`: not as we wrote it last, where that is known."""

    name: str
    value: Any
    secret: bool
    rule: str | None
    sources: tuple[str, ...]
    edited: bool | None


@dataclass(frozen=True)
class Write:
    """One write of ours to a target row. `image`: the row before it; of an insert there is none.

    `changed`: the columns that differ afterwards. `sealed` and `withheld` name columns whose value the image lacks.
    `undone_by`: the undo that took it back.
    """

    run_id: int
    operation: str
    changed: tuple[str, ...]
    image: Mapping[str, Any] | None = None
    sealed: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
    undone_by: int | None = None


@dataclass(frozen=True)
class TargetRow:
    """One row of a target table. `origin`: ours, adopted, or not ours; `behind`: all legacy keys that lead to it.

    `merged`: legacy rows that are part of it and have no entry in its map.
    """

    table: str
    key: str
    present: bool
    origin: str
    columns: tuple[ColumnFact, ...]
    behind: tuple[MappedKey, ...]
    merged: tuple[SkippedRow, ...]
    writes: tuple[Write, ...]
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True)
class Explanation:
    """All that is known of what was asked for. Where nothing is, `looked` says where, and `near` names keys that are like it."""

    source: str
    subject: str
    legacy: tuple[LegacyRow, ...] = ()
    target: tuple[TargetRow, ...] = ()
    runs: Mapping[int, RunFact] = field(default_factory=dict)
    looked: tuple[str, ...] = ()
    near: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether anything is known."""
        return bool(self.legacy or self.target)
