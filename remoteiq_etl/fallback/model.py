"""What a fall-back carries, keeps and leaves, as plain data.

Belongs here: data and what follows from them alone. Does not belong here: finding changes (see changes), writing them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Kind(StrEnum):
    """What is to be done with a legacy row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Change:
    """One legacy row that is to become what the new application made of it.

    `columns`: of an update those that changed. `values`: by column the text of the value; of a deletion none. `conflict`: the
    legacy row was changed since the fence by somebody else, so that it is kept.
    """

    table: str
    kind: Kind
    key: str
    columns: tuple[str, ...] = ()
    values: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    conflict: bool = False


@dataclass(frozen=True)
class LeftBehind:
    """What does not go back: a row of the target, or some of a legacy row, by `table` and `key`, and why."""

    table: str
    key: str
    reason: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableCounts:
    """Rows of one legacy table to insert, update and delete, and those that are kept because of a conflict."""

    table: str
    inserts: int
    updates: int
    deletes: int
    conflicts: int

    @classmethod
    def of(cls, table: str, changes: Iterable[Change]) -> "TableCounts":
        """Count changes by what is to be done."""
        counted = Counter("conflict" if one.conflict else one.kind.value for one in changes)
        return cls(table, counted[Kind.INSERT], counted[Kind.UPDATE], counted[Kind.DELETE], counted["conflict"])

    @property
    def rows(self) -> int:
        """Rows that go back."""
        return self.inserts + self.updates + self.deletes


@dataclass(frozen=True)
class FallBack:
    """A fall-back as it was planned or done. `tables`: of legacy, those alone that something is to be done about.

    `conflicts`: changes that were kept from legacy; `left`: what does not go back, `refused` rows of legacy among it; `late`: why no
    run has taken note of it yet.
    """

    cutover: int
    tables: Sequence[TableCounts] = ()
    conflicts: Sequence[Change] = ()
    left: Sequence[LeftBehind] = ()
    refused: int = 0
    late: str | None = None

    @property
    def rows(self) -> int:
        """Rows that go back."""
        return sum(one.rows for one in self.tables) - self.refused

    @property
    def is_whole(self) -> bool:
        """Whether everything goes back."""
        return not self.conflicts and not self.left

    def with_refused(self, refused: Sequence[LeftBehind]) -> "FallBack":
        """The same with rows that the legacy database refused."""
        return replace(self, left=[*self.left, *refused], refused=len(refused))
