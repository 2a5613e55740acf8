"""Times of a legacy user, for each table that is made of users. Nothing else belongs here."""

import pandas as pd

from remoteiq_etl.spec.batch import Batch
from remoteiq_etl.spec.times import earliest, filled, latest

_OTHERS = ("created_at", "updated_at", "last_seen", "password_updated_at")


def created_at(batch: Batch) -> pd.Series:
    """When each user was created, else the user's earliest other time."""
    return filled(batch, batch["created_at"], "created_at", earliest(*(batch[name] for name in _OTHERS)))


def updated_at(batch: Batch) -> pd.Series:
    """When each user was last changed, else the user's latest other time."""
    return filled(batch, batch["updated_at"], "updated_at", latest(*(batch[name] for name in _OTHERS)))
