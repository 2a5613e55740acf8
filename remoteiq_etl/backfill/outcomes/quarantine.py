"""TODO-DOC remoteiq_etl/backfill/outcomes/quarantine.py."""

from typing import TYPE_CHECKING

from remoteiq_etl.backfill.context.prepared import Prepared
from remoteiq_etl.spec.batch import HASH, KEY

if TYPE_CHECKING:
    pass

#: Earlier reasons that a waiting row keeps: enough to see what was tried, and no row grows with every run.
MOST_HISTORY = 20


def _hashes(prepared: Prepared, keys: set[str]) -> dict[str, str]:
    """The hash of each of these legacy rows as hexadecimal text; rows of a decide step have none."""
    if not keys or HASH not in prepared.legacy:
        return {}
    picked = prepared.legacy[prepared.legacy[KEY].isin(list(keys))]
    return {key: value.hex() for key, value in zip(picked[KEY], picked[HASH], strict=True)}
