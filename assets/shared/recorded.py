"""What every decide step needs to know about decisions of earlier runs.

Belongs here: when they may be taken again. Does not belong here: any table's decisions.
"""

# A table that lost more than this was not read well, or is being emptied by accident: nothing is decided again about it.
_SHARE, _COUNT = 0.2, 10


def too_many_deleted(deleted: int, known: int) -> bool:
    """Whether suspiciously many of the rows that won a decision are no longer there."""
    return deleted > _COUNT and deleted > _SHARE * known
