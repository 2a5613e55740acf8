"""How a command that moves or proves rows begins: it says from where to where, and looks at what blocks everything.

Belongs here: those two. Does not belong here: what is looked at (remoteiq_etl.lifecycle.migration).
"""

from remoteiq_etl.cli import output
from remoteiq_etl.lifecycle.migration import Migration


def begin(both: Migration) -> None:
    """Print the way of the rows in one line on stderr. Raises RunBlocked with what `doctor` finds to block every table."""
    output.remarks().print(both.route, style="dim", markup=False, soft_wrap=True)
    both.refuse_blocked()
