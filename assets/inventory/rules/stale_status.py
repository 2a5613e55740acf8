"""Which devices are still called online at the cut-over although nobody hears of them.

The application works online out from the check-in of an agent and never takes a stale `online` back. Belongs here: that
rule. Does not belong here: which agent is on a device (see pairing).
"""

from datetime import UTC, datetime, timedelta

import pandas as pd

from remoteiq_etl.frames.dtypes import TEXT
from remoteiq_etl.frames.times import microseconds

FRESH = timedelta(minutes=5)
"""How long a check-in counts."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def without_stale_online(status: pd.Series, check_ins: pd.Series, cut_over_at: datetime | None) -> pd.Series:
    """The status of each device: offline from the cut-over on where its agent, if it has one, had not checked in shortly before.

    `check_ins`: the last check-in of the agent on each device.
    """
    if cut_over_at is None:
        return status
    oldest = (cut_over_at - FRESH - _EPOCH) // timedelta(microseconds=1)
    heard_of = pd.Series([seen is not None and seen >= oldest for seen in microseconds(check_ins)], index=status.index)
    return status.where(heard_of | status.isna(), pd.Series("offline", index=status.index, dtype=TEXT))
