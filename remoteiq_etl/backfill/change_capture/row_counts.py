"""TODO-DOC remoteiq_etl/backfill/change_capture/row_counts.py."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

#: So many keys are named one by one in an extract; beyond that the table is read as a whole.
MOST_KEYS = 20_000
