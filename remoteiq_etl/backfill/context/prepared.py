"""A batch between transform and merge.

Belongs here: its rows ready for staging, and the account of all others. Does not belong here: making it (transform),
writing it (load).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd

from remoteiq_etl.spec.batch import KEY, Batch, Disposal, Kept

ROW = "_row"

RULE = "_rule"

ADOPTED = "_adopted"

NEW = "_new"  # new key of a row whose primary key has several columns, as a JSON array


@dataclass
class PreparedBatch:
    """One batch between transform and merge: the rows to stage, and the account of all others."""

    legacy_table: str
    read: int
    legacy: pd.DataFrame
    rows: pd.DataFrame
    disposals: list[Disposal] = field(default_factory=list)
    batch: Batch | None = None
    bytes: int = 0

    @property
    def archive(self) -> list[Kept]:
        """The values that have no home in the target."""
        return [] if self.batch is None else self.batch.archive

    def only(self, numbers: Sequence[int]) -> "PreparedBatch":
        """These of the rows as a batch of their own; what else the batch brought stays with it."""
        rows = self.rows.iloc[list(numbers)].reset_index(drop=True)
        legacy = self.legacy[self.legacy[KEY].isin(list(rows[KEY]))]
        return PreparedBatch(self.legacy_table, len(rows), legacy, rows)


def joined(parts: Sequence[PreparedBatch]) -> list[PreparedBatch]:
    """One batch per legacy table of parts of several (see Prepared.only)."""
    tables: dict[str, list[PreparedBatch]] = {}
    for part in parts:
        tables.setdefault(part.legacy_table, []).append(part)
    return [
        PreparedBatch(
            table,
            sum(part.read for part in of_table),
            pd.concat([part.legacy for part in of_table], ignore_index=True),
            pd.concat([part.rows for part in of_table], ignore_index=True),
        )
        for table, of_table in tables.items()
    ]
