"""What a run works with: both databases, the declarations, the settings, and what is known of the legacy database's drift.

Belongs here: plain data that is settled before a run is opened. Does not belong here: the run (see run).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from remoteiq_etl.config.conflicts import ConflictPolicies
from remoteiq_etl.config.throttle import ThrottleLimits
from remoteiq_etl.postgres.database import Database
from remoteiq_etl.sensitive.keys import SealingKeys
from remoteiq_etl.spec.table import TableSpec

WHOLE_ROW = "*"


@dataclass(frozen=True)
class Extra:
    """What to archive of one legacy table: these columns where one has a value, or with none given its rows whole.

    `keys` are the columns that make the legacy key; without any a row is known by its hash.
    """

    table: str
    keys: tuple[str, ...]
    columns: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the table as a whole is unknown to us."""
        return not self.columns

    @property
    def archived_as(self) -> tuple[str, ...]:
        """The names under which its values stand in the archive."""
        return self.columns or (WHOLE_ROW,)


class Mode(StrEnum):
    """What a run reads: what changed since the last run, where that can be told, or everything."""

    INCREMENTAL = "incremental"
    FULL = "full"
    SWEEP = "sweep"  # what changed, and what a comparison of all rows by key and hash finds besides


@dataclass(frozen=True)
class RunPlan:
    """What a run works with. `planning`: nothing is written to the target's tables, maps or ledger.

    `blocked`: the tables (by asset) that cannot be loaded, and why; `absent`: by legacy table the columns to read as NULL;
    `extras`: what no rule reads and an operator accepted, to be archived; `warnings`: what of the legacy database is not as expected.
    `conflicts`: who wins where both sides changed a row. `recreate`: by asset the keys (legacy or new; none: all) of rows
    to be made again although they were deleted in the target. `redecide`: the assets whose decisions are taken anew.
    """

    legacy: Database
    target: Database
    specs: Mapping[str, TableSpec]
    state_schema: str = "remoteiq_etl"
    source: str = "default"
    organization_slug: str = "default"
    batch_rows: int = 50_000
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    orchestrator_run_id: str | None = None
    planning: bool = False
    mode: Mode = Mode.INCREMENTAL
    blocked: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, frozenset[str]] = field(default_factory=dict)
    extras: tuple[Extra, ...] = ()
    warnings: tuple[str, ...] = ()
    sealing_keys: SealingKeys | None = None
    limits: ThrottleLimits = field(default_factory=ThrottleLimits)
    conflicts: ConflictPolicies = field(default_factory=ConflictPolicies)
    recreate: Mapping[str, frozenset[str]] = field(default_factory=dict)
    redecide: frozenset[str] = frozenset()
