"""Counting differences while they come: all of them per check and label, and the first ones of each label to be kept.

Belongs here: that arithmetic. Does not belong here: where differences come from (see table).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from remoteiq_etl.verify.verdicts.model import Check, CoverageNote, Finding, Label

#: Differences that are kept of each label of a table. All are counted.
KEPT = 500


@dataclass
class FindingCounter:
    """The differences of one table."""

    kept_of_each: int = KEPT
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    kept: dict[Label, list[Finding]] = field(default_factory=dict)

    def add(self, findings: Iterable[Finding]) -> "FindingCounter":
        """Count these differences, too."""
        for finding in findings:
            labels = self.counts.setdefault(finding.check, {})
            labels[finding.label] = labels.get(finding.label, 0) + 1
            kept = self.kept.setdefault(finding.label, [])
            if len(kept) < self.kept_of_each:
                kept.append(finding)
        return self

    @property
    def bugs(self) -> int:
        """Differences that nothing explains."""
        return sum(labels.get(Label.BUG, 0) for labels in self.counts.values())

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those that are kept, BUGs first."""
        return tuple(finding for label in Label for finding in self.kept.get(label, []))

    def checks(self, looked: Mapping[str, CoverageNote]) -> tuple[Check, ...]:
        """Each check with what it looked at and found."""
        return tuple(
            Check(
                name,
                one.about,
                one.count,
                one.unit,
                sum(self.counts.get(name, {}).values()),
                self.counts.get(name, {}).get(Label.BUG, 0),
            )
            for name, one in looked.items()
        )
