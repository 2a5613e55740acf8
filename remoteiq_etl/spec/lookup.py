"""Lookups: legacy key → new key, read from the map of an entity.

A row-wise transform looks keys and recorded decisions up here; it never takes a decision. Belongs here: the
in-memory form of a map. Does not belong here: reading it from the database (see state), or writing it (see merge).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from remoteiq_etl.frames.dtypes import TEXT, by_distinct, to_arrow
from remoteiq_etl.frames.key_index import KeyIndex

#: So many keys of a large map are asked for one by one; more cost as much as all of them.
FEW = 5_000


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


class LookupEntries(Protocol):
    """Where the entries of a map can be fetched, each kind when it is asked for."""

    def every(self) -> tuple[pa.Array, pa.Array]:
        """All legacy keys, and their new keys."""

    def some(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The new keys of those of these legacy keys that have one."""

    def decisions(self) -> Mapping[str, Mapping[str, Any]]:
        """The recorded decisions by legacy key."""

    def marked(self) -> Mapping[str, frozenset[str]]:
        """The legacy keys that are adopted, quarantined and deleted."""


class LazyLookup(Lookup):
    """The lookup of a large map, whose entries are fetched when they are asked for: a few by key, else all."""

    def __init__(self, entries: LookupEntries) -> None:
        object.__setattr__(self, "_entries", entries)

    @cached_property
    def _every(self) -> tuple[pa.Array, pa.Array]:
        return self._fetch.every()

    @cached_property
    def _marked(self) -> Mapping[str, frozenset[str]]:
        return self._fetch.marked()

    @cached_property
    def _decisions(self) -> Mapping[str, Mapping[str, Any]]:
        return self._fetch.decisions()

    @property
    def _fetch(self) -> LookupEntries:
        entries: LookupEntries = self.__dict__["_entries"]
        return entries

    @property
    def keys(self) -> pa.Array:
        """All legacy keys."""
        return self._every[0]

    @property
    def new_keys(self) -> pa.Array:
        """The new key of each."""
        return self._every[1]

    @property
    def decisions(self) -> Mapping[str, Mapping[str, Any]]:
        """The recorded decisions by legacy key."""
        return self._decisions

    @property
    def adopted(self) -> frozenset[str]:
        """The legacy keys of rows that were in the target before us."""
        return self._marked["adopted"]

    @property
    def quarantined(self) -> frozenset[str]:
        """The legacy keys of rows that are quarantined."""
        return self._marked["quarantined"]

    @property
    def deleted(self) -> frozenset[str]:
        """The legacy keys of rows that were deleted in the target."""
        return self._marked["deleted"]

    def find(self, keys: pd.Series) -> pd.Series:
        """The new key of each legacy key; null where there is none."""
        text = keys.astype(TEXT)
        if "_every" in self.__dict__:
            return super().find(keys)
        distinct = text.dropna().unique()
        if len(distinct) > FEW:
            return super().find(keys)
        found = self._fetch.some([str(key) for key in distinct]) if len(distinct) else {}
        return by_distinct(text, found.get)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


NOTHING = Lookup.of({})
