"""Lookups: legacy key → new key, read from the map of an entity.

A row-wise transform looks keys and recorded decisions up here; it never takes a decision. Belongs here: the
in-memory form of a map. Does not belong here: reading it from the database (see state), or writing it (see merge).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa

from remoteiq_etl.backfill.frames import TEXT, by_distinct, to_arrow
from remoteiq_etl.backfill.key_index import KeyIndex


@dataclass(frozen=True)
class Lookup:
    """The map of one entity for one legacy table: one entry per legacy key.

    Keys and new keys are text. `decisions` holds the recorded decision of the few entries that have one;
    `adopted` the legacy keys of rows that were in the target before us; `quarantined` and `deleted` those that have no
    usable new key because they are quarantined or were deleted in the target.
    """

    keys: pa.Array
    new_keys: pa.Array
    decisions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    adopted: frozenset[str] = frozenset()
    quarantined: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()

    @classmethod
    def of(cls, entries: Mapping[str, str], **more: Any) -> "Lookup":
        """A lookup from a plain dictionary, for small maps and for tests."""
        return cls(pa.array(list(entries), pa.string()), pa.array(list(entries.values()), pa.string()), **more)

    def find(self, keys: pd.Series) -> pd.Series:
        """The new key of each legacy key; null where there is none."""
        wanted = to_arrow(keys.astype(TEXT))
        found = self.new_keys.take(self._index.find(wanted))
        return pd.Series(pd.array(found, dtype=TEXT), index=keys.index)

    @cached_property
    def _index(self) -> KeyIndex:
        return KeyIndex(self.keys)

    def knows(self, keys: pd.Series) -> pd.Series:
        """Which legacy keys have a new key."""
        return self.find(keys).notna()

    def decided(self, keys: pd.Series, name: str) -> pd.Series:
        """One recorded value (text) per legacy key; null where nothing was decided."""
        return by_distinct(keys.astype(TEXT), lambda key: _text(self.decisions.get(key, {}).get(name)))

    def is_adopted(self, keys: pd.Series) -> pd.Series:
        """Which legacy keys stand for a row that was in the target before us."""
        return keys.isin(list(self.adopted)).astype(bool)

    def extended(self, keys: Iterable[str], new_keys: Iterable[str]) -> "Lookup":
        """This lookup with more entries."""
        return Lookup(
            pa.concat_arrays([self.keys, pa.array(list(keys), pa.string())]),
            pa.concat_arrays([self.new_keys, pa.array(list(new_keys), pa.string())]),
            self.decisions,
            self.adopted,
            self.quarantined,
            self.deleted,
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


NOTHING = Lookup.of({})
