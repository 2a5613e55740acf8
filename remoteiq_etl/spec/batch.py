"""A batch on its way through a transform: legacy rows in, target rows and an account of every other row out.

Every legacy row ends in exactly one outcome. Those that no one disposes of become target rows. Belongs here: the
account of a batch and the helpers that every transform needs. Does not belong here: rules of one table, databases.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from remoteiq_etl.frames import times
from remoteiq_etl.frames.derived_ids import short_keys
from remoteiq_etl.frames.dtypes import TEXT, to_arrow
from remoteiq_etl.spec.lookup import Lookup
from remoteiq_etl.spec.outcomes import Outcome
from remoteiq_etl.spec.value_map import ValueMap

KEY = "_key"  # legacy key as text: the join between a frame, the map and the quarantine
NULL_WORD = "∅"  # stands for a null where words are counted
ODD_TIMES = "_odd_times"  # JSON object text of the times of a row that are not carried (see times.is_carried)
HASH = "_hash"  # keyed hash of the legacy row, computed by the server in the extract
_OURS = "_"  # columns that the extract adds to those of the legacy table


@dataclass(frozen=True)
class Disposal:
    """One legacy row that did not become a target row, and why. `detail` names columns and keys, never values."""

    key: str
    outcome: Outcome
    rule: str
    columns: tuple[str, ...] = ()
    detail: str = ""
    parent: tuple[str, str] | None = None  # held for: (entity, legacy key)
    into: str | None = None  # merged into: the legacy key of the winner


@dataclass(frozen=True)
class Kept:
    """A legacy value without a home in the target, to be kept in the archive under its row."""

    key: str
    column: str
    value: Any
    rule: str


@dataclass
class Batch:
    """Legacy rows (`legacy`, index 0…n-1, with KEY) and what has been worked out about them so far."""

    legacy: pd.DataFrame
    columns: dict[str, pd.Series] = field(default_factory=dict)
    disposals: dict[int, Disposal] = field(default_factory=dict)
    archive: list[Kept] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)
    words: dict[str, Counter[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.legacy = self.legacy.reset_index(drop=True)

    def __getitem__(self, column: str) -> pd.Series:
        return self.legacy[column]

    def __setitem__(self, column: str, values: Any) -> None:
        """Set one target column: a series (aligned to the batch) or one value for all rows."""
        if not isinstance(values, pd.Series):
            values = pd.Series(
                [values] * len(self.legacy), dtype=TEXT if isinstance(values, str) or values is None else None
            )
        self.columns[column] = values.reset_index(drop=True)

    def carry(self, *columns: str, **renamed: str) -> None:
        """Columns carried as they are: under their own name, or target="legacy" where the target calls them otherwise."""
        for name, source in {**dict(zip(columns, columns, strict=True)), **renamed}.items():
            self[name] = self.legacy[source]

    @property
    def keys(self) -> pd.Series:
        """The legacy key of each row, as text."""
        return self.legacy[KEY]

    # --- outcomes -----------------------------------------------------------------------------------------------

    def quarantine(self, where: pd.Series, rule: str, *columns: str, detail: str = "") -> None:
        """Rows that cannot be carried as they are. The first reason given to a row stands."""
        self._dispose(where, Outcome.QUARANTINED, rule, columns=columns, detail=detail)

    def hold(self, where: pd.Series, entity: str, parents: pd.Series, column: str) -> None:
        """Rows whose parent is not there yet; they are released when it comes."""
        rows = self._open_rows(where)
        missing = to_arrow(parents).take(pa.array(rows, pa.int64())).to_pylist()
        for row, key, parent in zip(rows, self._keys(rows), missing, strict=True):
            self.disposals[row] = Disposal(key, Outcome.HELD, "parent_missing", (column,), parent=(entity, str(parent)))

    def filter(self, where: pd.Series, rule: str) -> None:
        """Rows that a named rule of the mapping leaves out."""
        self._dispose(where, Outcome.FILTERED, rule)

    def archive_only(self, where: pd.Series, rule: str) -> None:
        """Rows without a home in the target: kept in the archive as a whole."""
        rows = self._open_rows(where)
        self._dispose(where, Outcome.ARCHIVED, rule)
        self.keep_whole(pd.Series(self.legacy.index.isin(rows), index=self.legacy.index), rule)

    def merge(self, where: pd.Series, rule: str, into: pd.Series | None = None) -> None:
        """Rows merged into another one; `into` holds the winner's legacy key, where the winner is of the same table."""
        rows = self._open_rows(where)
        for row, key in zip(rows, self._keys(rows), strict=True):
            winner = None if into is None else str(into.iloc[row])
            self.disposals[row] = Disposal(key, Outcome.MERGED, rule, into=winner)

    # --- values -------------------------------------------------------------------------------------------------

    def keep(self, where: pd.Series, column: str, rule: str = "no_home", values: pd.Series | None = None) -> None:
        """Archive the value of a legacy column (or the given values) of these rows; nulls need no archive."""
        hits = pa.array(np.flatnonzero(where.fillna(False).to_numpy(dtype=bool)))
        source = to_arrow(self.legacy[column] if values is None else values).take(hits)
        keys = to_arrow(self.legacy[KEY]).take(hits)
        found = times.values(pd.Series(source, dtype=pd.ArrowDtype(source.type)))
        for key, value in zip(keys.to_pylist(), found, strict=True):
            if value is not None:
                self.archive.append(Kept(key, column, value, rule))

    def keep_whole(self, where: pd.Series, rule: str) -> None:
        """Archive every value of these rows, column by column: what is secret of them is secret there, too."""
        for column in self.legacy.columns:
            if not str(column).startswith(_OURS):
                self.keep(where, str(column), rule)

    def has_odd_time(self, column: str) -> pd.Series:
        """Which rows have a time in this column that is not carried: it is null here, and is none."""
        if ODD_TIMES not in self.legacy:
            return pd.Series(False, index=self.legacy.index)
        odd = to_arrow(self.legacy[ODD_TIMES].astype(TEXT)).to_pylist()
        return pd.Series([text is not None and column in json.loads(text) for text in odd], index=self.legacy.index)

    def warn(self, where: pd.Series, rule: str) -> None:
        """Count rows that were carried with a remark."""
        count = int(where.fillna(False).sum())
        if count:
            self.warnings[rule] += count

    def count_values(self, name: str, words: pd.Series) -> None:
        """Count the words (or the names of formats) of a column that is read by a value map or a parser."""
        counts = words.fillna(NULL_WORD).value_counts()
        self.words.setdefault(name, Counter()).update({str(word): int(rows) for word, rows in counts.items()})

    def words_of(self, column: str, value_map: ValueMap) -> pd.Series:
        """The labels of a column's words; rows with an unknown word are quarantined."""
        self.count_values(value_map.name, self.legacy[column])
        labels = value_map.apply(self.legacy[column])
        self.quarantine(labels.isna(), "unknown_word", column, detail=f"not in the value map {value_map.name}")
        return labels

    def parent(self, column: str, lookup: Lookup, entity: str, keys: pd.Series | None = None) -> pd.Series:
        """The new key of a parent that every row must have.

        A row without one is quarantined when its parent is, filtered when the parent was deleted in the target, else held.
        """
        keys = self.legacy[column] if keys is None else keys
        text = keys.astype(TEXT)
        found = lookup.find(text)
        missing = found.isna()
        if missing.any():
            self.quarantine(text.isna(), "parent_null", column, detail=f"needs a row of {entity}")
            self.quarantine(
                missing & short_keys(text).isin(list(lookup.quarantined)),
                "parent_quarantined",
                column,
                detail=f"its row of {entity} is quarantined",
            )
            self.filter(missing & text.isin(list(lookup.deleted)), "parent_deleted_in_target")
            self.hold(missing, entity, text, column)
        return found

    # --- result -------------------------------------------------------------------------------------------------

    def is_open(self) -> pd.Series:
        """Which rows are still to become target rows."""
        still = pd.Series(True, index=self.legacy.index)
        still.iloc[list(self.disposals)] = False
        return still

    def rows(self) -> pd.DataFrame:
        """The target rows, with the key and hash of the legacy row each one came from."""
        carried = {name: self.legacy[name] for name in (KEY, HASH) if name in self.legacy}
        table = pd.DataFrame({**carried, **self.columns}, index=self.legacy.index)
        return table if not self.disposals else table[self.is_open()].reset_index(drop=True)

    def _dispose(
        self, where: pd.Series, outcome: Outcome, rule: str, columns: tuple[str, ...] = (), detail: str = ""
    ) -> None:
        rows = self._open_rows(where)
        for row, key in zip(rows, self._keys(rows), strict=True):
            self.disposals[row] = Disposal(key, outcome, rule, columns, detail)

    def _open_rows(self, where: pd.Series) -> list[int]:
        hit = where.fillna(False).astype(bool)
        return [int(row) for row in hit[hit].index if row not in self.disposals] if hit.any() else []

    def _keys(self, rows: list[int]) -> list[str]:
        """The legacy keys of these rows. Arrow gives ten thousand in the time that `iloc` takes for fifty."""
        return [str(key) for key in to_arrow(self.legacy[KEY]).take(pa.array(rows, pa.int64())).to_pylist()]
