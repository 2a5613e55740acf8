"""Times inside JSON.

Belongs here: the one spelling that times have there. Does not belong here: times in columns.
"""

import pandas as pd

from remoteiq_etl.frames import times


def iso(column: pd.Series) -> list[str | None]:
    """Each time as ISO 8601 text in UTC with all its digits, as PostgreSQL writes it into JSON; None for null."""
    return times.texts(column)
