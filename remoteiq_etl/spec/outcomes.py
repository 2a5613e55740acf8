"""What becomes of a legacy row, as a word. Nothing else belongs here."""

from enum import StrEnum


class Outcome(StrEnum):
    """What becomes of a legacy row that does not become a target row of its own."""

    MERGED = "merged"
    ARCHIVED = "archived"
    FILTERED = "filtered"
    QUARANTINED = "quarantined"
    HELD = "held"
