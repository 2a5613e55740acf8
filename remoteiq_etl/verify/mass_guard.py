"""The guard against excuses in bulk: a table most of which was "edited in the target" was more likely restored or emptied.

An edit, a row deleted in the target, or a change of legacy explains a difference. Of so many rows at once they explain nothing
any more until somebody confirms it, as for rows gone from legacy.
Pure decisions on figures. Belongs here: when it is applied, to what, and the words for it. Does not belong here: counting rows.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from remoteiq_etl.verify.verdicts.model import Label, TableVerdict

#: More than a fifth of the rows, and more than ten of them: the figures of the guard against mass deletes.
SHARE, COUNT = 0.2, 10
#: Labels that explain a difference by what somebody has done meanwhile.
EXCUSES = (Label.EDITED_IN_TARGET, Label.CHANGED_IN_LEGACY)


@dataclass(frozen=True)
class ExcuseFigures:
    """How many rows of a table there are by the map, and how many of them an edit or a change of legacy excuses."""

    table: str
    excused: int
    rows: int

    @property
    def is_large_share(self) -> bool:
        """Whether that is more than a fifth of them."""
        return self.excused > SHARE * self.rows

    @property
    def text(self) -> str:
        """What was found, and what can be done about it."""
        return (
            f"{self.excused:,} of {self.rows:,} rows count as edited or deleted in the target, or as changed in legacy since: too"
            " many to be taken for explained. A run brings what legacy has changed; if it is meant:"
            f" remoteiq-etl verify --confirm {self.table}"
        )


def excused(verdict: TableVerdict) -> int:
    """Rows that an edit or a change of legacy excuses: several checks may name the same ones."""
    return max((sum(labels.get(label, 0) for label in EXCUSES) for labels in verdict.counts.values()), default=0)


def doubted(figures: Sequence[ExcuseFigures], confirmed: Collection[str]) -> dict[str, str]:
    """The tables whose excuses are not believed, and why: more than a fifth and ten rows of the table, or of all of them."""
    asked = [one for one in figures if one.table not in confirmed]
    total = ExcuseFigures("", sum(one.excused for one in asked), sum(one.rows for one in asked))
    everywhere = total.excused > COUNT and total.is_large_share
    return {one.table: one.text for one in asked if one.is_large_share and (one.excused > COUNT or everywhere)}
