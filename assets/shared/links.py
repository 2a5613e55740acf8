"""Nullable parents: a row never waits for one.

Belongs here: what every nullable link has in common. Does not belong here: parents that a
row must have (see Batch.parent).
"""

import pandas as pd

from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.lookup import Lookup

PARENT_MISSING = "parent_missing"


def nullable(batch: Batch, column: str, lookup: Lookup) -> pd.Series:
    """The new key of a nullable parent; a legacy key that is not there (yet) gives null and is archived."""
    keys = batch[column].astype(TEXT)
    found = lookup.find(keys)
    batch.keep(keys.notna() & found.isna(), column, PARENT_MISSING)
    return found
