"""What becomes of one legacy column, as data: the five kinds, and the words by which tables declare four of them.

The fifth, `mapped`, follows from columns of equal name and from a table's lineage. Belongs here: the kinds. Does not
belong here: any column, and what all declarations make together.
"""

from dataclasses import dataclass
from enum import StrEnum

NO_HOME = "no_home"
"""The rule under which a value is archived whose column nothing in the target takes."""


class DispositionKind(StrEnum):
    """The dispositions of a legacy column. Under RETIRED alone a value is not carried."""

    MAPPED = "mapped"
    MERGED = "merged"
    ARCHIVED = "archived"
    SUPERSEDED = "superseded"
    RETIRED = "retired"


@dataclass(frozen=True)
class Disposition:
    """What becomes of a legacy column and why. `rule` is the one that its archive entries or merged rows are recorded under."""

    kind: DispositionKind
    reason: str
    rule: str = ""


def archived(reason: str, rule: str = NO_HOME) -> Disposition:
    """No home in the target: the values are kept in the archive under their row."""
    return Disposition(DispositionKind.ARCHIVED, reason, rule)


def superseded(reason: str, rule: str = "superseded") -> Disposition:
    """A stale duplicate of another column: archived where it differs."""
    return Disposition(DispositionKind.SUPERSEDED, reason, rule)


def merged(reason: str, rule: str) -> Disposition:
    """It only tells its row apart, and the row is merged into another."""
    return Disposition(DispositionKind.MERGED, reason, rule)


def retired(reason: str) -> Disposition:
    """Not carried at all."""
    return Disposition(DispositionKind.RETIRED, reason)
