"""A batch between transform and merge.

Belongs here: its rows ready for staging, and the account of all others. Does not belong here: making it (transform),
writing it (load).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from remoteiq_etl.spec.batch import KEY, Batch, Disposal, Kept
from remoteiq_etl.spec.outcomes import Outcome

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

    @property
    def keys(self) -> list[str]:
        """The legacy keys of which the batch says anything, each once."""
        named = [str(key) for frame in (self.legacy, self.rows) if KEY in frame for key in frame[KEY]]
        named += [disposal.key for disposal in self.disposals]
        return list(dict.fromkeys([*named, *(kept.key for kept in self.archive)]))

    def halves(self) -> tuple["PreparedBatch", "PreparedBatch"]:
        """Two batches of half of the legacy keys each; what is counted of all rows together stays with the first."""
        keys = self.keys
        middle = len(keys) // 2
        first, second = self._of_keys(frozenset(keys[:middle])), self._of_keys(frozenset(keys[middle:]))
        if self.batch is not None and first.batch is not None:
            first.batch = replace(first.batch, warnings=self.batch.warnings, words=self.batch.words)
        return first, second

    def refused(self, rule: str, detail: str) -> "PreparedBatch":
        """The same legacy rows, quarantined under a rule."""
        disposals = [Disposal(key, Outcome.QUARANTINED, rule, (), detail) for key in self.keys]
        return PreparedBatch(self.legacy_table, self.read, self.legacy, self.rows.iloc[:0], disposals)

    def refuse(self, reasons: Mapping[int, tuple[str, str]]) -> None:
        """Quarantine some of the rows: by number their rule and detail."""
        keys = self.rows[KEY]
        self.disposals += [
            Disposal(str(keys.iloc[row]), Outcome.QUARANTINED, rule, (), detail)
            for row, (rule, detail) in sorted(reasons.items())
        ]
        self.rows = self.rows.drop(index=self.rows.index[list(reasons)]).reset_index(drop=True)

    def _of_keys(self, keys: frozenset[str]) -> "PreparedBatch":
        legacy = _of(self.legacy, keys)
        batch = None
        if self.batch is not None:
            batch = Batch(_of(self.batch.legacy, keys), archive=[kept for kept in self.archive if kept.key in keys])
        disposals = [disposal for disposal in self.disposals if disposal.key in keys]
        return PreparedBatch(self.legacy_table, len(legacy), legacy, _of(self.rows, keys), disposals, batch)


def _of(frame: pd.DataFrame, keys: frozenset[str]) -> pd.DataFrame:
    """The rows of a frame that have one of these keys."""
    return frame[frame[KEY].astype(str).isin(keys)].reset_index(drop=True) if KEY in frame else frame.iloc[:0]


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
