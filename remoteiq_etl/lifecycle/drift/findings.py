"""What a checkup says of a live database, as plain data.

Belongs here: these shapes. Does not belong here: looking (see checkup, surroundings), differences of schemas.
"""

from dataclasses import dataclass
from enum import StrEnum

from remoteiq_etl.lifecycle.drift.report import DriftReport
from remoteiq_etl.lifecycle.drift.verdicts import Side


class CheckStatus(StrEnum):
    """What a finding means for a run."""

    FINE = "ok"
    WARNS = "warning"
    BLOCKS = "blocks"


@dataclass(frozen=True)
class CheckFinding:
    """One thing looked at. `found` holds names and versions, never values or secrets; `advice` says what to do.

    `of_tables`: it blocks the tables that it names and those that depend on them, and no others.
    """

    side: Side
    subject: str
    found: str
    verdict: CheckStatus = CheckStatus.FINE
    advice: str = ""
    of_tables: bool = False


@dataclass(frozen=True)
class Checkup:
    """All findings about one database, and its drift report unless it cannot be reached.

    `bytes`: of the tables of its schema; None where that was not asked.
    """

    side: Side
    findings: tuple[CheckFinding, ...]
    drift: DriftReport | None
    bytes: int | None = None

    @property
    def blocks(self) -> bool:
        """Whether a run could not start, or would lose rows."""
        drifted = self.drift is not None and bool(self.drift.blocking)
        return drifted or any(finding.verdict is CheckStatus.BLOCKS for finding in self.findings)

    @property
    def stopping(self) -> tuple[str, ...]:
        """What keeps every table from being written, in words; what concerns single tables is not among it."""
        found = [
            f"{one.subject}: {one.found}; {one.advice}" for one in self.findings if one.verdict is CheckStatus.BLOCKS
        ]
        return (*found, *(str(drift) for drift in (self.drift.drifts if self.drift else ()) if drift.stops))
