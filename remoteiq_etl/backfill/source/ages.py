"""How old a row is: the age of the transaction that wrote it, compared with a horizon.

It is compared by the server's own 32-bit arithmetic: text and back would take a third of a second for a million rows.
Belongs here: that condition as SQL. Does not belong here: which horizon counts (see change_capture).
"""

from psycopg import sql

#: Transaction ids of a row are compared by 32-bit arithmetic, which holds for half of their range. A margin is left.
OLDEST_HORIZON = 2**31 - 2**28

#: Ids below this one are the server's own (bootstrap, frozen) and have no age.
_FIRST_NORMAL = 3


def is_newer(xmin: sql.Composable, horizon: int) -> sql.Composed:
    """Whether a row was written by a transaction that is not older than a horizon (64 bit)."""
    oldest = max(horizon % 2**32, _FIRST_NORMAL)
    return sql.SQL("age({}) <= age({}::xid)").format(xmin, sql.Literal(str(oldest)))
