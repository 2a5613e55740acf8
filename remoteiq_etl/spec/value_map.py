"""Value maps: tables of words that turn a legacy word into an enum label.

A map is data: an operator extends it in configuration without touching code. Words are compared trimmed and without
case. Belongs here: the map and its application to a column. Does not belong here: the words of any table.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from remoteiq_etl.frames.dtypes import BOOLEAN, TEXT, by_distinct
from remoteiq_etl.frames.text import normalise


@dataclass(frozen=True)
class ValueMap:
    """The words of one legacy column and the labels they become.

    `default` is the label of a word that is not in the table, `null` the label of a null or blank; without them such a
    row is quarantined. Words of `lossy` lose information: the legacy word is kept beside the label. `carries`: a word that the
    target's enum type has as a label beside the redesign's is carried as it is.
    """

    name: str
    words: Mapping[str, str]
    default: str | None = None
    null: str | None = None
    lossy: frozenset[str] = frozenset()
    carries: bool = False
    labels: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", {_word(word): label for word, label in self.words.items()})

    def extended(self, words: Mapping[str, str]) -> "ValueMap":
        """The same map with an operator's words, which win over ours; one that becomes itself loses nothing."""
        if not words:
            return self
        carried = {_word(word) for word, label in words.items() if _word(word) == _word(label)}
        lossy = frozenset(word for word in self.lossy if _word(word) not in carried)
        return replace(self, words={**self.words, **words}, lossy=lossy)

    def carrying(self, labels: Iterable[str]) -> "ValueMap":
        """The same map where further labels of the target are words for themselves, if it carries such."""
        return self.extended({label: label for label in labels}) if self.carries else self

    def apply(self, column: pd.Series) -> pd.Series:
        """The label of each word; null where the word is unknown and no default is given."""
        return by_distinct(column.astype(TEXT), self._label, null=self.null)

    def loses(self, column: pd.Series) -> pd.Series:
        """Where the label says less than the legacy word."""
        lossy = {_word(word) for word in self.lossy}
        return by_distinct(column.astype(TEXT), lambda word: _word(word) in lossy, BOOLEAN, null=False).astype(bool)

    def _label(self, word: str) -> str | None:
        if not _word(word):
            return self.null
        return self.labels.get(_word(word), self.default)


def _word(word: str) -> str:
    return normalise(word) or ""
